// Names of versions, comparisons, going back and truncating, one rule at a time. Without these a name could be taken
// for a version number, a comparison could cost as much as two scans, and going back could make rollups tell of rows
// twice.
#include "table/history.h"

#include "query/expiry.h"
#include "query/rollup_refresh.h"
#include "query/test_aggregates.h"
#include "query/version_diff.h"
#include "table/retention.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::Fixture;
using table::testing::kMinuteUs;
using table::testing::minutes;
using table::testing::Row;
using testing::Cells;

constexpr std::int64_t kDayUs = 1'440 * kMinuteUs;

class HistoryTest : public ::testing::Test {
 protected:
  void open(Duplicates policy, const RollupOptions& rollups = {}) {
    TableOptions options = Fixture::options();
    options.duplicates = policy;
    options.segments = SegmentFormat::kNative;
    options.fields = {{.name = "value", .type = "float64"}};
    options.rollups = rollups;
    engine_ = fixture_.create(options);
  }
  std::uint64_t append(const std::vector<Row>& rows) {
    const auto appended = table::testing::append_rows(*engine_, rows);
    EXPECT_TRUE(appended) << appended.error().message;
    return appended ? appended->version : 0;
  }
  std::uint64_t version() const { return engine_->state()->version; }
  Result<std::unique_ptr<table::Engine>> open_at(const OpenOptions& at) {
    return table::Engine::open(fixture_.environment(), at);
  }
  /// Deletes files of segments that the version has; readers of them fail from now on.
  void lose_files(const log::TableState& state) {
    for (const auto& [key, segment] : state.segments) ASSERT_TRUE(fixture_.store->remove(segment->path));
  }
  VacuumReport vacuum(std::uint64_t versions) {
    fixture_.clock.advance(std::chrono::seconds(1));
    const auto report = table::vacuum(*engine_, 0, false, {.versions = versions});
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(VacuumReport());
  }
  /// "+a1 -b2": what changed, of which series, at which minute.
  Result<std::string> changes(const DiffRequest& request) {
    auto stream = version_diff(*engine_, request);
    if (!stream) return std::unexpected(stream.error());
    const auto rows = testing::read_rows(*stream);
    if (!rows) return std::unexpected(rows.error());
    std::string text;
    for (const Cells& cells : *rows) {
      text += fmt::format("{}{}{}{}", text.empty() ? "" : " ", std::get<std::string>(cells[0]) == "added" ? '+' : '-',
                          std::get<std::string>(cells[2]), std::get<std::int64_t>(cells[1]) / kMinuteUs);
    }
    return text;
  }
  std::vector<Cells> days(std::size_t levels = SIZE_MAX) {
    AggregationSpec spec = testing::spec_of({"count", "sum(value)"});
    spec.every = kDayUs;
    auto stream = aggregate_snapshot({*engine_, engine_->state()}, {}, spec, nullptr, {.levels = levels});
    EXPECT_TRUE(stream) << stream.error().message;
    return stream ? testing::read_rows(*stream).value() : std::vector<Cells>();
  }

  Fixture fixture_;
  std::unique_ptr<table::Engine> engine_;
};

TEST_F(HistoryTest, ANamedVersionStaysUntilItsNameIsForgotten) {
  open(Duplicates::kLast);
  const std::uint64_t first = append(minutes("a", 0, 10));
  append(minutes("a", 20, 10));
  const std::uint64_t named = table::name_version(*engine_, "before", first).value();
  EXPECT_EQ(named, version());
  EXPECT_EQ(table::name_version(*engine_, "before", first).value(), named) << "nothing to do";
  ASSERT_TRUE(table::truncate(*engine_));
  EXPECT_GT(vacuum(1).files, 0U);
  ASSERT_TRUE(engine_->log().write_checkpoint(*engine_->state()));
  for (const OpenOptions& at : {OpenOptions{.at = first}, OpenOptions{.at = std::string("before")}}) {
    const auto old = open_at(at);
    ASSERT_TRUE(old) << old.error().message;
    EXPECT_EQ(table::testing::scan_rows(**old).value(), minutes("a", 0, 10));
  }
  EXPECT_EQ(open_at({.at = first + 1}).error().code, ErrorCode::kNotFound) << "it had no name";
  EXPECT_EQ(changes({.from = version(), .to = first}).value(), "+a0 +a1 +a2 +a3 +a4 +a5 +a6 +a7 +a8 +a9");
  EXPECT_EQ(vacuum(1).files, 0U);
  ASSERT_TRUE(table::forget_version_name(*engine_, "before"));
  EXPECT_EQ(open_at({.at = std::string("before")}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(open_at({.at = first}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(table::name_version(*engine_, "again", first).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(table::restore_version(*engine_, first).error().code, ErrorCode::kNotFound);
  EXPECT_GT(vacuum(1).files, 0U);
  EXPECT_EQ(table::forget_version_name(*engine_, "before").error().code, ErrorCode::kNotFound);
}

TEST_F(HistoryTest, ANameMovesAndIsNoNumberOrTime) {
  open(Duplicates::kLast);
  append(minutes("a", 0, 10));
  ASSERT_TRUE(table::name_version(*engine_, "x", 1));
  ASSERT_TRUE(table::name_version(*engine_, "x", 2));
  EXPECT_EQ(engine_->state()->version_names, (std::map<std::string, std::uint64_t>{{"x", 2}}));
  const std::uint64_t before = version();
  for (const std::string& name : {std::string(), std::string(101, 'x'), std::string("7"), std::string("-1"),
                                  std::string("1.5"), std::string("1e9"), std::string("2024-01-31"),
                                  std::string("2024-01-31T06:00:00Z"), std::string("a\nb"), std::string("a\xff")}) {
    const auto named = table::name_version(*engine_, name, 1);
    ASSERT_FALSE(named) << name;
    EXPECT_EQ(named.error().code, ErrorCode::kInvalidInput) << named.error().message;
  }
  EXPECT_EQ(table::name_version(*engine_, "y", 0).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(table::name_version(*engine_, "y", before + 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(version(), before);
  for (const std::string& name : {std::string(100, 'x'), std::string("2024-audit"), std::string("v1.2"),
                                  std::string("vor dem Import für März"), std::string("nan")}) {
    EXPECT_TRUE(table::name_version(*engine_, name, 1)) << name;
  }
}

TEST_F(HistoryTest, AComparisonReadsWhatDiffers) {
  for (const Duplicates policy : {Duplicates::kReject, Duplicates::kLast, Duplicates::kAll}) {
    fixture_.store = io::make_memory_store(fixture_.clock);
    open(policy);
    for (int day = 0; day < 20; ++day) append(minutes("a", day * 1'440, 100));
    const table::StatePtr before = engine_->state();
    append({{.time_us = 5 * kDayUs + 200 * kMinuteUs, .series = "b", .value = 1.0}});
    EXPECT_EQ(changes({.from = before->version}).value(), "+b7400");
    EXPECT_EQ(changes({.from = version(), .to = before->version}).value(), "-b7400");
    EXPECT_EQ(changes({.from = version(), .to = version()}).value(), "");
    lose_files(*before);
    EXPECT_FALSE(table::testing::scan_rows(*engine_));
    EXPECT_EQ(changes({.from = before->version}).value(), "+b7400") << "no segment of both is read";
  }
}

TEST_F(HistoryTest, WhatIsNotAskedForIsNotTold) {
  open(Duplicates::kAll);
  append(minutes("a", 0, 3));
  append(minutes("b", 0, 3));
  append(minutes("a", 1, 1));
  EXPECT_EQ(changes({.from = 1}).value(), "+a0 +a1 +a1 +a2 +b0 +b1 +b2");
  EXPECT_EQ(changes({.from = 1, .begin = testing::at(kMinuteUs), .end = testing::at(2 * kMinuteUs)}).value(),
            "+a1 +a1 +b1");
  EXPECT_EQ(changes({.from = 1, .where = {{.column = "series", .values = {"b"}}}}).value(), "+b0 +b1 +b2");
  const auto code = [&](const DiffRequest& request) {
    const auto found = changes(request);
    return found ? ErrorCode::kInternal : found.error().code;
  };
  EXPECT_EQ(code({.from = 0}), ErrorCode::kNotFound);
  EXPECT_EQ(code({.from = 1, .to = 99}), ErrorCode::kNotFound);
  EXPECT_EQ(code({.from = 1, .begin = testing::at(5), .end = testing::at(5)}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.from = 1, .begin = std::int64_t{5}}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.from = 1, .where = {{.column = "value", .values = {"b"}}}}), ErrorCode::kNotFound);
  DiffRequest cancelled{.from = 1};
  cancelled.cancel.cancel();
  EXPECT_EQ(code(cancelled), ErrorCode::kCancelled);
}

TEST_F(HistoryTest, AColumnOfThatNameIsLeftAlone) {
  open(Duplicates::kLast);
  append(minutes("a", 0, 1));
  const std::vector<ColumnInfo> columns = {{.name = "change", .type = "float64"}};
  ASSERT_TRUE(table::add_columns(*engine_, columns));
  const auto stream = version_diff(*engine_, {.from = 1});
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->schema->field_names(), (std::vector<std::string>{"_change", "ts", "series", "value", "change"}));
}

TEST_F(HistoryTest, ManyRowsOfOneTimeAreComparedAsOften) {
  open(Duplicates::kAll);
  std::vector<Row> rows(3'000, Row{.time_us = 0, .series = "a", .value = 1.0});
  append(rows);
  const std::uint64_t before = version();
  append({rows.begin(), rows.begin() + 2});
  append({{.time_us = 0, .series = "a", .value = 2.0}});
  ASSERT_TRUE(table::compact(*engine_));
  EXPECT_EQ(changes({.from = before}).value(), "+a0 +a0 +a0");
  EXPECT_EQ(changes({.from = version(), .to = before}).value(), "-a0 -a0 -a0");
}

TEST_F(HistoryTest, GoingBackMakesLevelsDueWhereRowsChanged) {
  open(Duplicates::kLast, {.intervals = {"1h", "1d"}});
  for (int day = 0; day < 5; ++day) append(minutes("a", day * 1'440, 1'440));
  ASSERT_TRUE(refresh_rollups(*engine_));
  const auto whole = days();
  const std::uint64_t before = version();
  ASSERT_EQ(table::remove_rows(*engine_,
                               {.from = testing::at(kDayUs + 7 * kMinuteUs), .to = testing::at(kDayUs + 9 * kMinuteUs)})
                .value(),
            2U);
  ASSERT_TRUE(refresh_rollups(*engine_));
  const std::uint64_t deleted = version();
  const auto less = days();
  EXPECT_NE(less, whole);
  ASSERT_TRUE(table::restore_version(*engine_, before));
  EXPECT_TRUE(engine_->state()->tombstones.empty());
  EXPECT_EQ(days(), whole) << "at once, as what is due is known";
  const auto report = refresh_rollups(*engine_);
  ASSERT_TRUE(report);
  EXPECT_LE(report->rows, 4U) << "an hour and a day";
  EXPECT_EQ(days(), whole);
  ASSERT_TRUE(table::restore_version(*engine_, deleted));
  EXPECT_EQ(days(), less);
  ASSERT_TRUE(refresh_rollups(*engine_));
  EXPECT_EQ(days(), less);
  EXPECT_EQ(days(0), less);
  const std::uint64_t there = version();
  EXPECT_EQ(table::restore_version(*engine_, deleted).value(), there) << "the rows are those already";
}

class ExpiredHistoryTest : public HistoryTest {
 protected:
  void SetUp() override {
    fixture_.clock.set({.seconds = 10 * 86'400});
    open(Duplicates::kLast, {.intervals = {"1h", "1d"}});
    for (int day = 0; day < 10; ++day) append(minutes("a", day * 1'440, 1'440));
    before_ = version();
    ASSERT_TRUE(table::set_retention(*engine_, {{.keep = {{"rows", "3d"}}}}));
    ASSERT_TRUE(expire(*engine_));
    expired_ = version();
    whole_ = days();
  }
  std::string refusal(std::uint64_t version) {
    const auto restored = table::restore_version(*engine_, version);
    if (restored) return "";
    EXPECT_EQ(restored.error().code, ErrorCode::kInvalidInput);
    return restored.error().message;
  }

  std::uint64_t before_ = 0;
  std::uint64_t expired_ = 0;
  std::vector<Cells> whole_;
};

TEST_F(ExpiredHistoryTest, ItDoesNotBringBackRowsOfWhichLevelsTellAlone) {
  EXPECT_NE(refusal(before_).find("clone version"), std::string::npos);
  EXPECT_EQ(version(), expired_);
  // What changed since can be undone.
  append(minutes("b", 9 * 1'440, 10));
  ASSERT_TRUE(table::remove_rows(*engine_, {.from = testing::at(9 * kDayUs), .to = testing::at(10 * kDayUs)}));
  ASSERT_TRUE(refresh_rollups(*engine_));
  EXPECT_EQ(refusal(expired_), "");
  EXPECT_EQ(days(), whole_);
  ASSERT_TRUE(refresh_rollups(*engine_));
  EXPECT_EQ(days(), whole_);
}

TEST_F(ExpiredHistoryTest, NorAfterLateRowsWereMergedOrLevelsCut) {
  append({{.time_us = kDayUs, .series = "a", .value = 1000.0}});
  const std::uint64_t late = version();
  EXPECT_EQ(refusal(expired_), "") << "nothing tells of it yet";
  EXPECT_EQ(refusal(late), "");
  ASSERT_TRUE(refresh_rollups(*engine_));
  EXPECT_NE(refusal(late), "");
  EXPECT_NE(refusal(expired_), "");
  const std::uint64_t merged = version();
  ASSERT_TRUE(table::remove_rows(*engine_, {.from = testing::at(0), .to = testing::at(kDayUs)}));
  EXPECT_NE(refusal(merged), "");
}

TEST_F(HistoryTest, WithoutLevelsRowsComeBackAndExpireAgain) {
  fixture_.clock.set({.seconds = 10 * 86'400});
  open(Duplicates::kLast);
  for (int day = 0; day < 10; ++day) append(minutes("a", day * 1'440, 1'440));
  const std::uint64_t before = version();
  ASSERT_TRUE(table::set_retention(*engine_, {{.keep = {{"rows", "3d"}}}}));
  ASSERT_TRUE(expire(*engine_));
  EXPECT_EQ(table::testing::scan_rows(*engine_)->size(), 3U * 1'440);
  ASSERT_TRUE(table::restore_version(*engine_, before));
  EXPECT_EQ(table::testing::scan_rows(*engine_)->size(), 14'400U);
  ASSERT_TRUE(expire(*engine_));
  EXPECT_EQ(table::testing::scan_rows(*engine_)->size(), 3U * 1'440);
}

TEST_F(ExpiredHistoryTest, TruncatingTakesWhatLevelsTellToo) {
  EXPECT_EQ(table::truncate(*engine_).value(), 3U * 1'440);
  EXPECT_EQ(days(), std::vector<Cells>());
  EXPECT_EQ(engine_->state()->retention.front().horizons.size(), 1U);
  EXPECT_TRUE(engine_->coverage(*engine_->state()).value()->empty());
  for (const log::Level& level : engine_->state()->levels) {
    EXPECT_TRUE(level.table->segments.empty());
    EXPECT_EQ(level.through + 1, version());
    EXPECT_EQ(level.pending, std::nullopt);
  }
  EXPECT_TRUE(engine_->state()->changed.empty());
  const auto idle = refresh_rollups(*engine_);
  ASSERT_TRUE(idle);
  EXPECT_EQ(idle->commits, 0U);
  EXPECT_NE(refusal(expired_), "") << "levels told of rows that had gone";
  const std::uint64_t bare = version();
  EXPECT_EQ(table::truncate(*engine_).value(), 0U);
  EXPECT_EQ(version(), bare) << "there is nothing to be done";
  append(minutes("a", 9 * 1'440, 10));
  ASSERT_TRUE(refresh_rollups(*engine_));
  EXPECT_EQ(days().size(), 1U);
}

TEST_F(HistoryTest, TagsAndColumnsThatCameSinceStay) {
  TableOptions options = Fixture::growing_options();
  engine_ = fixture_.create(options);
  const std::uint64_t first = append(minutes("a", 0, 5));
  append(minutes("b", 0, 5));
  ASSERT_TRUE(table::add_tags(*engine_, std::vector<std::string>{"zone"}));
  ASSERT_TRUE(table::truncate(*engine_));
  ASSERT_TRUE(table::restore_version(*engine_, first));
  EXPECT_EQ(table::testing::scan_rows(*engine_).value(), minutes("a", 0, 5));
  const auto coverage = engine_->coverage(*engine_->state());
  ASSERT_TRUE(coverage);
  ASSERT_EQ((*coverage)->size(), 1U);
  EXPECT_EQ((*coverage)->begin()->first.size(), 2U) << "the series lacks the new tag";
  EXPECT_EQ(table::verify(fixture_.environment(), false)->problems, std::vector<std::string>());
}

TEST_F(HistoryTest, TablesOfTheFirstVersionGoBackToo) {
  TableOptions options = Fixture::options();
  options.dialect = Dialect::kV1;
  options.tags = {};
  engine_ = fixture_.create(options);
  const auto rows_from = [](std::int64_t minute) {
    auto rows = table::testing::to_batch(minutes("", minute, 5));
    return *rows->RemoveColumn(1);
  };
  const auto append_batch = [&](const std::shared_ptr<arrow::RecordBatch>& batch) {
    const auto reader = *arrow::RecordBatchReader::Make({batch}, batch->schema());
    const auto appended = table::append(*engine_, *reader);
    ASSERT_TRUE(appended) << appended.error().message;
  };
  append_batch(rows_from(0));
  const std::uint64_t first = version();
  append_batch(rows_from(10));
  EXPECT_EQ(table::truncate(*engine_).value(), 10U);
  ASSERT_TRUE(table::name_version(*engine_, "first", first));
  ASSERT_TRUE(table::restore_version(*engine_, first));
  const auto stream = version_diff(*engine_, {.from = first - 1});
  ASSERT_TRUE(stream) << stream.error().message;
  std::int64_t rows = 0;
  while (const auto batch = stream->rows->next().value()) rows += batch->num_rows();
  EXPECT_EQ(rows, 5);
  EXPECT_EQ(table::verify(fixture_.environment(), false)->problems, std::vector<std::string>());
}

TEST_F(HistoryTest, WritersBesideItLoseNothingButWhatItReplaces) {
  open(Duplicates::kLast);
  const std::uint64_t first = append(minutes("a", 0, 10));
  auto other = open_at({}).value();
  std::thread writer([&] {
    for (int i = 1; i <= 40; ++i) ASSERT_TRUE(table::testing::append_rows(*other, minutes("b", i * 100, 10)));
  });
  for (int i = 0; i < 10; ++i) {
    const auto restored = table::restore_version(*engine_, first);
    ASSERT_TRUE(restored) << restored.error().message;
    const auto at = open_at({.at = *restored}).value();
    ASSERT_EQ(table::testing::scan_rows(*at).value(), minutes("a", 0, 10));
    if (i == 5) {
      ASSERT_TRUE(table::truncate(*engine_));
    }
  }
  writer.join();
  ASSERT_TRUE(engine_->refresh());
  ASSERT_TRUE(table::restore_version(*engine_, first));
  EXPECT_EQ(table::testing::scan_rows(*engine_).value(), minutes("a", 0, 10));
  EXPECT_EQ(table::verify(fixture_.environment(), false)->problems, std::vector<std::string>());
}

}  // namespace
}  // namespace marigram::query
