// Deletes: what a tombstone hides, for how long, and what coverage says meanwhile. Without these a delete could take
// rows that come later, bring back what compaction has merged, or leave buckets covered that are empty. Random
// histories, other writers and failing storage are for duplicates_test.cc and rewrite_test.cc.
#include "table/delete.h"

#include "table/append.h"
#include "table/coverage_files.h"
#include "table/rewrite.h"
#include "table/test_rows.h"
#include "table/vacuum.h"
#include "table/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ranges>

namespace marigram::table::testing {
namespace {

TableOptions options_of(Duplicates policy, SegmentFormat format) {
  TableOptions options = Fixture::options();
  options.duplicates = policy;
  options.segments = format;
  return options;
}

Instant at(std::int64_t us) {
  return Instant::from_units(us, TimeUnit::kMicro);
}

RowSelection of_series(const std::string& name) {
  return {.where = {{.column = "series", .values = {name}}}};
}

/// A row a second, from `minute` on.
std::vector<Row> seconds(const std::string& series, std::int64_t minute, std::int64_t count, double value) {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < count; ++i) rows.push_back({minute * kMinuteUs + i * 1'000'000, series, value});
  return rows;
}

void expect_sound(const Environment& environment) {
  const auto report = verify(environment, false);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->problems.empty()) << fmt::format("{}", fmt::join(report->problems, "\n"));
}

std::uint64_t covered(const Engine& engine, const std::string& series) {
  const auto coverage = engine.coverage(*engine.state());
  EXPECT_TRUE(coverage);
  const auto found = (*coverage)->find(SeriesKey{series});
  return found == (*coverage)->end() ? 0 : found->second.size();
}

class DeleteTest : public ::testing::TestWithParam<SegmentFormat> {
 protected:
  std::unique_ptr<Engine> create(Duplicates policy) { return fixture_.create(options_of(policy, GetParam())); }

  Fixture fixture_;
};

TEST_P(DeleteTest, RowsGoAtOnceAndTheirSpaceByCompaction) {
  const auto engine = create(Duplicates::kLast);
  ASSERT_TRUE(append_rows(*engine, seconds("a", 0, 600, 1)));
  ASSERT_TRUE(append_rows(*engine, seconds("b", 0, 600, 1)));
  const auto before = engine->state();
  // From the middle of the third minute to that of the sixth.
  RowSelection choice = of_series("a");
  choice.from = at(2 * kMinuteUs + 30'000'000);
  choice.to = at(5 * kMinuteUs + 30'000'000);
  EXPECT_EQ(remove_rows(*engine, choice), 180U);
  EXPECT_EQ(engine->state()->segments.size(), 2U) << "nothing is written anew";
  EXPECT_EQ(engine->state()->tombstones.size(), 1U);
  EXPECT_TRUE(engine->state()->meta->requires_feature(log::kTombstonesFeature));
  EXPECT_EQ(covered(*engine, "a"), 8U) << "two minutes are empty, two of them half";
  EXPECT_EQ(covered(*engine, "b"), 10U);
  std::vector<Row> left = seconds("a", 0, 150, 1);
  std::ranges::copy(seconds("a", 0, 600, 1) | std::views::drop(330), std::back_inserter(left));
  std::ranges::copy(seconds("b", 0, 600, 1), std::back_inserter(left));
  EXPECT_EQ(scan_rows(*engine, {.order = ScanOrder::kSeries}), left);
  EXPECT_EQ(scan_rows(*engine, before, {}, {})->size(), 1'200U) << "earlier versions have them";
  EXPECT_EQ(remove_rows(*engine, choice), 0U);
  expect_sound(fixture_.environment());

  EXPECT_EQ(compact(*engine)->after.rows, 1'020U);
  EXPECT_TRUE(engine->state()->tombstones.empty());
  EXPECT_EQ(scan_rows(*engine, {.order = ScanOrder::kSeries}), left);
  EXPECT_EQ(covered(*engine, "a"), 8U);
  expect_sound(fixture_.environment());
}

TEST_P(DeleteTest, RowsThatComeLaterStay) {
  for (const Duplicates policy : {Duplicates::kLast, Duplicates::kAll}) {
    Fixture fixture;
    const auto engine = fixture.create(options_of(policy, GetParam()));
    ASSERT_TRUE(append_rows(*engine, seconds("a", 0, 90, 1)));
    ASSERT_TRUE(append_rows(*engine, seconds("b", 0, 90, 1)));
    EXPECT_EQ(remove_rows(*engine, of_series("a")), 90U);
    ASSERT_TRUE(append_rows(*engine, seconds("a", 1, 30, 2)));
    EXPECT_EQ(covered(*engine, "a"), 1U);
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(scan_rows(*engine, {.where = of_series("a").where}), seconds("a", 1, 30, 2));
      expect_sound(fixture.environment());
      ASSERT_TRUE(compact(*engine));
    }
  }
}

TEST_P(DeleteTest, WhatARowHadReplacedGoesWithIt) {
  const auto engine = create(Duplicates::kLast);
  ASSERT_TRUE(append_rows(*engine, seconds("a", 0, 5, 1)));
  ASSERT_TRUE(append_rows(*engine, seconds("a", 0, 3, 2)));
  ASSERT_TRUE(append_rows(*engine, seconds("b", 0, 3, 2)));
  RowSelection choice = of_series("a");
  choice.to = at(4'000'000);
  EXPECT_EQ(remove_rows(*engine, choice), 4U);
  EXPECT_EQ(scan_rows(*engine, {.where = choice.where}), (std::vector<Row>{{4'000'000, "a", 1.0}}));
  expect_sound(fixture_.environment());
}

TEST_P(DeleteTest, SegmentsThatLoseAllAreDropped) {
  const auto engine = create(Duplicates::kAll);
  ASSERT_TRUE(append_rows(*engine, seconds("a", 0, 5, 1)));
  ASSERT_TRUE(append_rows(*engine, seconds("b", 0, 5, 1)));
  EXPECT_EQ(remove_rows(*engine, {.to = at(kMinuteUs)}), 10U);
  EXPECT_TRUE(engine->state()->segments.empty());
  EXPECT_TRUE(engine->state()->tombstones.empty()) << "there is nothing to hide";
  EXPECT_EQ(remove_rows(*engine, {}), 0U);
  expect_sound(fixture_.environment());
}

TEST_P(DeleteTest, CoverageIsFoundWithoutItsSnapshot) {
  const auto engine = create(Duplicates::kLast);
  ASSERT_TRUE(append_rows(*engine, seconds("a", 0, 600, 1)));
  EXPECT_EQ(remove_rows(*engine, {.from = at(90'000'000), .to = at(400'000'000)}), 310U);
  ASSERT_TRUE(append_rows(*engine, seconds("a", 3, 10, 2)));
  EXPECT_EQ(remove_rows(*engine, {.from = at(185'000'000), .to = at(200'000'000)}), 5U);
  const auto snapshot = *engine->coverage(*engine->state());
  EXPECT_EQ(union_of_sidecars(*fixture_.store, *engine->state()), *snapshot);
  ASSERT_TRUE(fixture_.store->remove(engine->state()->coverage->path));
  const auto again = Engine::open(fixture_.environment(), {});
  EXPECT_EQ(**(*again)->coverage(*(*again)->state()), *snapshot);
}

TEST_P(DeleteTest, TablesThatRejectTakeTheBucketsAgain) {
  const auto engine = create(Duplicates::kReject);
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 9)));
  ASSERT_TRUE(append_rows(*engine, minutes("b", 0, 9)));
  RowSelection choice = of_series("a");
  choice.from = at(3 * kMinuteUs);
  choice.to = at(5 * kMinuteUs);
  EXPECT_EQ(remove_rows(*engine, choice), 2U);
  EXPECT_EQ(append_rows(*engine, minutes("a", 2, 1)).error().code, ErrorCode::kOverlap);
  ASSERT_TRUE(append_rows(*engine, minutes("a", 3, 2)));
  EXPECT_EQ(append_rows(*engine, minutes("a", 3, 1)).error().code, ErrorCode::kOverlap);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(scan_rows(*engine)->size(), 18U);
    expect_sound(fixture_.environment());
    ASSERT_TRUE(compact(*engine));
  }
}

TEST_P(DeleteTest, ConditionsOnFieldsChooseAmongVisibleRows) {
  for (const Duplicates policy : {Duplicates::kReject, Duplicates::kLast, Duplicates::kAll}) {
    Fixture fixture;
    const auto engine = fixture.create(options_of(policy, GetParam()));
    std::vector<Row> rows = minutes("a", -5, 10);  // values 0 to 9
    rows[7].value.reset();
    std::ranges::copy(minutes("b", -5, 10), std::back_inserter(rows));
    ASSERT_TRUE(append_rows(*engine, rows));
    if (policy == Duplicates::kLast) {
      ASSERT_TRUE(append_rows(*engine, {{-5 * kMinuteUs, "a", 6.0}, {kMinuteUs, "a", 1.0}}));
      rows[0].value = 6;
      rows[6].value = 1;
    }
    RowSelection choice = of_series("a");
    choice.to = at(4 * kMinuteUs);
    choice.fields = {{.field = "value", .comparison = Comparison::kGreaterOrEqual, .value = 5.0}};
    const auto goes = [&](const Row& row) {
      return row.series == "a" && row.time_us < 4 * kMinuteUs && row.value && *row.value >= 5;
    };
    const auto gone = static_cast<std::uint64_t>(std::ranges::count_if(rows, goes));
    EXPECT_EQ(remove_rows(*engine, choice), gone);
    EXPECT_EQ(engine->state()->tombstones.empty(),
              policy == Duplicates::kAll || !engine->state()->meta->requires_feature(log::kTombstonesFeature));
    std::erase_if(rows, goes);
    EXPECT_EQ(covered(*engine, "a"), 10 - gone);
    EXPECT_EQ(covered(*engine, "b"), 10U);
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(scan_rows(*engine), expected_rows(rows, {}));
      EXPECT_EQ(remove_rows(*engine, choice), 0U);
      expect_sound(fixture.environment());
      ASSERT_TRUE(compact(*engine));
    }
    EXPECT_TRUE(engine->state()->tombstones.empty());
  }
}

TEST_P(DeleteTest, OfRowsOfOneTimeOnlyThoseThatFulfilTheConditionsGo) {
  const auto engine = create(Duplicates::kAll);
  ASSERT_TRUE(append_rows(*engine, {{0, "a", 1.0}, {0, "a", -1.0}, {0, "a", 2.0}}));
  EXPECT_EQ(remove_rows(*engine, {.fields = {{.field = "value", .comparison = Comparison::kLess, .value = 0.0}}}), 1U);
  EXPECT_EQ(scan_rows(*engine), (std::vector<Row>{{0, "a", 1.0}, {0, "a", 2.0}}));
  expect_sound(fixture_.environment());
}

TEST_P(DeleteTest, BadConditionsAreRefusedByName) {
  const auto engine = create(Duplicates::kLast);
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 3)));
  const auto code = [&](const std::string& field, const Value& value) {
    return remove_rows(*engine, {.fields = {{.field = field, .value = value}}}).error().code;
  };
  EXPECT_EQ(code("none", 1.0), ErrorCode::kNotFound);
  EXPECT_EQ(code("series", "a"), ErrorCode::kNotFound);
  EXPECT_EQ(code("ts", std::int64_t{0}), ErrorCode::kNotFound);
  EXPECT_EQ(code("value", "1"), ErrorCode::kInvalidInput);
  EXPECT_EQ(code("value", {}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code("value", true), ErrorCode::kInvalidInput);
  EXPECT_EQ(scan_rows(*engine)->size(), 3U);
}

TEST_P(DeleteTest, VacuumKeepsTheFilesOfTombstones) {
  const auto engine = create(Duplicates::kLast);
  ASSERT_TRUE(append_rows(*engine, seconds("a", 0, 600, 1)));
  ASSERT_TRUE(remove_rows(*engine, {.from = at(90'000'000)}));
  fixture_.clock.advance(std::chrono::hours(24));
  ASSERT_TRUE(vacuum(*engine, 0, false));
  const auto again = Engine::open(fixture_.environment(), {});
  EXPECT_EQ(scan_rows(**again)->size(), 90U);
  expect_sound(fixture_.environment());
}

INSTANTIATE_TEST_SUITE_P(Formats, DeleteTest, ::testing::Values(SegmentFormat::kParquet, SegmentFormat::kNative),
                         [](const auto& of) { return of.param == SegmentFormat::kNative ? "Native" : "Parquet"; });

TEST(OpenDeleteTest, ATableThatOthersReadStaysOne) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 9)));
  EXPECT_EQ(remove_rows(*engine, {.from = at(3 * kMinuteUs)}), 6U);
  EXPECT_TRUE(engine->state()->meta->reader_features.empty());
  EXPECT_TRUE(engine->state()->tombstones.empty());
  EXPECT_EQ(scan_rows(*engine), minutes("a", 0, 3));
  expect_sound(fixture.environment());
}

TEST(OpenDeleteTest, IntegerIndexesAtTheirEnds) {
  for (const char* type : {"int64", "uint64"}) {
    Fixture fixture;
    TableOptions options{.time_column = "n", .index_type = type, .index_step = 10, .segments = SegmentFormat::kNative};
    const auto engine = Engine::create(fixture.environment(), options);
    ASSERT_TRUE(engine) << engine.error().message;
    const bool is_signed = type == std::string("int64");
    const auto value = [&](std::uint64_t key) -> IndexValue {
      if (is_signed) return static_cast<std::int64_t>(key ^ (std::uint64_t{1} << 63));
      return key;
    };
    const std::vector<std::uint64_t> keys = {0, 25, UINT64_MAX - 25, UINT64_MAX};
    arrow::Int64Builder signed_values;
    arrow::UInt64Builder unsigned_values;
    for (const std::uint64_t key : keys) {
      ASSERT_TRUE(signed_values.Append(static_cast<std::int64_t>(key ^ (std::uint64_t{1} << 63))).ok());
      ASSERT_TRUE(unsigned_values.Append(key).ok());
    }
    const auto column = is_signed ? *signed_values.Finish() : *unsigned_values.Finish();
    const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("n", column->type(), false)}), 4, {column});
    const auto rows = *arrow::RecordBatchReader::Make({batch});
    ASSERT_TRUE(append(**engine, *rows));
    EXPECT_EQ(remove_rows(**engine, {.to = value(25)}), 1U);
    EXPECT_EQ(remove_rows(**engine, {.from = value(UINT64_MAX - 24)}), 1U);
    EXPECT_EQ(remove_rows(**engine, {.from = value(26), .to = value(UINT64_MAX - 25)}), 0U);
    EXPECT_EQ((*engine)->coverage(*(*engine)->state()).value()->begin()->second.size(), 2U);
    expect_sound(fixture.environment());
    EXPECT_EQ(remove_rows(**engine, {}), 2U);
    EXPECT_TRUE((*engine)->state()->segments.empty());
  }
}

}  // namespace
}  // namespace marigram::table::testing
