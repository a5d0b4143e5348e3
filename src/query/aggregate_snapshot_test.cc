// Aggregates of tables against a model that looks at every row: segments of both formats, rows that no segment has,
// deletions, ranges, groups and buckets. Without these a block could be answered by statistics that hold rows which are
// not asked for, be counted twice, or be read where its statistics are enough.
#include "query/aggregate_snapshot.h"

#include "query/test_aggregates.h"
#include "table/delete.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::Fixture;
using testing::at;
using testing::Cells;
using testing::expected;
using ::testing::HasSubstr;
using testing::kAggregates;
using testing::kMinuteUs;
using testing::Question;
using testing::Row;
using testing::spec_of;

class AggregateModelTest : public ::testing::TestWithParam<std::tuple<Duplicates, std::uint64_t>> {};

TEST_P(AggregateModelTest, EqualsTheNaiveModel) {
  const auto [policy, seed] = GetParam();
  testing::RandomTable table(policy, seed);
  std::uint64_t answered = 0;
  for (int step = 0; step < 40; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    table.below(5) == 0 ? table.append_long() : table.change();
    const auto moment = table.look();
    if (!moment) continue;
    const Question question = testing::random_question(table, moment->rows);
    QueryStatistics statistics;
    ASSERT_EQ(testing::answer(moment->snapshot, question, statistics), testing::expected(moment->rows, question));
    ASSERT_LE(statistics.segments_read, statistics.segments);
    answered += statistics.blocks_answered;
  }
  RecordProperty("blocks_answered", std::to_string(answered));
}

INSTANTIATE_TEST_SUITE_P(Seeds, AggregateModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 9)));

/// Ten days of a row a minute of three series, in native segments.
class AggregateStatistics : public ::testing::Test {
 protected:
  static constexpr std::int64_t kDays = 10;
  static constexpr std::int64_t kDay = 1440 * kMinuteUs;

  void SetUp() override {
    TableOptions options = Fixture::options();
    options.segments = SegmentFormat::kNative;
    engine_ = fixture_.create(options);
    for (std::int64_t day = 0; day < kDays; ++day) {
      for (const char* series : {"a", "b", "c"}) {
        for (const Row& row : table::testing::minutes(series, day * 1440, 1440)) rows_.push_back(row);
      }
      std::vector<Row> own(rows_.end() - 3 * 1440, rows_.end());
      ASSERT_TRUE(table::testing::append_rows(*engine_, own));
    }
  }

  QueryStatistics read(const ScanRequest& rows, const AggregationSpec& spec) {
    QueryStatistics statistics;
    auto stream = aggregate_snapshot({*engine_, engine_->state()}, rows, spec, &statistics);
    EXPECT_TRUE(stream);
    results_ = testing::read_rows(*stream).value();
    return statistics;
  }

  Fixture fixture_;
  std::unique_ptr<table::Engine> engine_;
  std::vector<Row> rows_;
  std::vector<Cells> results_;
};

TEST_F(AggregateStatistics, AnswerWholeBlocks) {
  AggregationSpec spec = spec_of({"sum(value)", "max(value)", "last(value)", "count"});
  const QueryStatistics all = read({}, spec);
  EXPECT_EQ(all.segments_read, 10U);
  EXPECT_EQ(all.blocks_answered, 60U);  // a day's page of a series: its time and its value
  EXPECT_EQ(all.blocks_decoded, 0U);
  EXPECT_EQ(all.blocks_skipped, 0U);
  EXPECT_EQ(results_, (std::vector<Cells>{{30 * 1439.0 * 720.0, 1439.0, 1439.0, std::int64_t{30 * 1440}}}));
  spec.every = kDay;
  EXPECT_EQ(read({}, spec).blocks_answered, 60U);
  EXPECT_EQ(results_.size(), 10U);
}

TEST_F(AggregateStatistics, AnswerTheBlocksOfAnOnlySegment) {
  TableOptions options = Fixture::options();
  options.segments = SegmentFormat::kNative;
  Fixture other;
  const auto engine = other.create(options);
  ASSERT_TRUE(table::testing::append_rows(*engine, table::testing::minutes("a", 0, 1440)));
  QueryStatistics statistics;
  auto stream = aggregate_snapshot({*engine, engine->state()}, {}, spec_of({"count"}), &statistics);
  ASSERT_TRUE(stream);
  EXPECT_EQ(testing::read_rows(*stream).value(), (std::vector<Cells>{{std::int64_t{1440}}}));
  EXPECT_EQ(statistics.blocks_answered, 1U);
  EXPECT_EQ(statistics.rows_scanned, 0U);
}

/// Segments of one day are read where they lie if each ends, by series and time, before the next begins.
TEST_F(AggregateStatistics, AnswerTheBlocksOfSegmentsThatFollowOneAnother) {
  using table::testing::minutes;
  const auto read_day = [&](const std::vector<std::vector<Row>>& appends) {
    TableOptions options = Fixture::options();
    options.segments = SegmentFormat::kNative;
    Fixture other;
    const auto engine = other.create(options);
    std::vector<Row> rows;
    for (const std::vector<Row>& append : appends) {
      EXPECT_TRUE(table::testing::append_rows(*engine, append));
      rows.insert(rows.end(), append.begin(), append.end());
    }
    AggregationSpec spec = spec_of(kAggregates);
    spec.by = {"series"};
    QueryStatistics statistics;
    auto stream = aggregate_snapshot({*engine, engine->state()}, {}, spec, &statistics);
    EXPECT_TRUE(stream);
    EXPECT_EQ(testing::read_rows(*stream).value(), expected(rows, {.by_series = true}));
    return statistics;
  };
  EXPECT_EQ(read_day({minutes("b", 0, 1200), minutes("a", 0, 1200)}).rows_scanned, 0U);
  std::vector<Row> a_and_b = minutes("a", 0, 1200);
  std::ranges::copy(minutes("b", 0, 400), std::back_inserter(a_and_b));
  std::vector<Row> b_and_c = minutes("b", 400, 800);
  std::ranges::copy(minutes("c", 0, 1200), std::back_inserter(b_and_c));
  EXPECT_EQ(read_day({b_and_c, a_and_b}).rows_scanned, 0U);
  b_and_c.push_back({.time_us = 0, .series = "a0", .value = 1});
  EXPECT_GT(read_day({b_and_c, a_and_b}).rows_scanned, 0U) << "a0 lies between a and b";
}

TEST_F(AggregateStatistics, ReadOnlyBlocksAtTheEdges) {
  ScanRequest rows{.from = at(kDay + kDay / 2), .to = at(5 * kDay), .where = {{.column = "series", .values = {"b"}}}};
  const QueryStatistics some = read(rows, spec_of({"avg(value)"}));
  EXPECT_EQ(some.segments, 10U);
  EXPECT_EQ(some.segments_read, 4U);
  EXPECT_EQ(some.blocks_decoded, 2U);
  EXPECT_EQ(some.blocks_answered, 6U);
  EXPECT_EQ(some.blocks_skipped, 16U);
  EXPECT_EQ(some.rows_scanned, 0U);
}

TEST_F(AggregateStatistics, GoAroundRowsThatAreHidden) {
  const std::int64_t from = 3 * kDay + 10 * kMinuteUs;
  const std::int64_t to = 4 * kDay + 20 * kMinuteUs;
  ASSERT_EQ(
      table::remove_rows(*engine_, {.from = at(from), .to = at(to), .where = {{.column = "series", .values = {"b"}}}}),
      1'450U);
  std::erase_if(rows_, [&](const Row& row) { return row.series == "b" && row.time_us >= from && row.time_us < to; });
  const AggregationSpec spec = spec_of({"count", "sum(value)"});
  const QueryStatistics all = read({}, spec);
  EXPECT_EQ(all.blocks_decoded, 4U) << "those at the ends";
  EXPECT_EQ(all.blocks_answered, 56U);
  EXPECT_EQ(all.rows_scanned, 0U);
  double sum = 0;
  for (const Row& row : rows_) sum += *row.value;
  EXPECT_EQ(results_, (std::vector<Cells>{{static_cast<std::int64_t>(rows_.size()), sum}}));
}

TEST_F(AggregateStatistics, AreNotEnoughForAllAggregates) {
  EXPECT_EQ(read({}, spec_of({"median(value)"})).blocks_decoded, 60U);
  AggregationSpec hourly = spec_of({"sum(value)"});
  hourly.every = 60 * kMinuteUs;
  EXPECT_EQ(read({}, hourly).blocks_decoded, 60U);
  EXPECT_EQ(results_.size(), 240U);
}

TEST_F(AggregateStatistics, BadRequestsAreNamed) {
  const auto error_of = [&](const ScanRequest& rows, const AggregationSpec& spec) {
    const auto stream = aggregate_snapshot({*engine_, engine_->state()}, rows, spec, nullptr);
    return stream ? Error() : stream.error();
  };
  EXPECT_EQ(error_of({}, spec_of({"sum(volume)"})).code, ErrorCode::kNotFound);
  EXPECT_THAT(error_of({}, spec_of({"sum(volume)"})).message, HasSubstr("volume"));
  EXPECT_THAT(error_of({}, spec_of({"vwap(value,series)"})).message, HasSubstr("two columns of numbers"));
  EXPECT_EQ(error_of({.from = at(5), .to = at(5)}, spec_of({"count"})).code, ErrorCode::kInvalidInput);
  EXPECT_EQ(error_of({.where = {{.column = "value", .values = {"1"}}}}, spec_of({"count"})).code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of({}, spec_of({"count(series)"})).message, "") << "of a tag, which is in no block";
}

}  // namespace
}  // namespace marigram::query
