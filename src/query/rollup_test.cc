// Aggregates of tables that keep rollups, against a model that looks at every row. Without these a level could say what
// rows said that were replaced, deleted or came late, or an interval could be counted by a level and by rows.
#include "query/rollup_refresh.h"

#include "query/test_aggregates.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::Fixture;
using table::testing::Row;
using testing::Cells;

class RollupModelTest : public ::testing::TestWithParam<std::tuple<Duplicates, std::uint64_t>> {};

TEST_P(RollupModelTest, EqualsTheNaiveModel) {
  const auto [policy, seed] = GetParam();
  testing::RandomTable table(policy, seed, true);
  std::uint64_t used = 0;
  for (int step = 0; step < 50; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    table.below(8) == 0 ? table.append_long() : table.change();
    const auto moment = table.look();
    if (!moment) continue;
    const testing::Question question = testing::random_question(table, moment->rows);
    QueryStatistics statistics;
    ASSERT_EQ(testing::answer(moment->snapshot, question, statistics), testing::expected(moment->rows, question));
    for (const RollupUse& use : statistics.rollups) used += use.rows;
  }
  RecordProperty("level_rows", std::to_string(used));
  EXPECT_EQ(table.problems(), std::vector<std::string>());
}

INSTANTIATE_TEST_SUITE_P(Seeds, RollupModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 13)));

/// Ten days of a row a minute of three series.
class RollupTest : public ::testing::Test {
 protected:
  static constexpr std::int64_t kHour = 60 * testing::kMinuteUs;
  static constexpr std::int64_t kDay = 24 * kHour;

  void open(const RollupOptions& rollups) {
    TableOptions options = Fixture::options();
    options.segments = SegmentFormat::kNative;
    options.duplicates = Duplicates::kLast;
    options.rollups = rollups;
    engine_ = fixture_.create(options);
    for (std::int64_t day = 0; day < 10; ++day) {
      for (const char* series : {"a", "b", "c"}) append(table::testing::minutes(series, day * 1440, 1440));
    }
  }
  void append(const std::vector<Row>& rows) {
    const auto appended = table::testing::append_rows(*engine_, rows);
    ASSERT_TRUE(appended) << appended.error().message;
  }
  RefreshReport refresh() {
    const auto report = refresh_rollups(*engine_);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(RefreshReport());
  }
  std::vector<Cells> read(const AggregationSpec& spec, QueryStatistics& statistics, std::size_t levels = SIZE_MAX) {
    auto stream = aggregate_snapshot({*engine_, engine_->state()}, {}, spec, &statistics, {.levels = levels});
    EXPECT_TRUE(stream) << stream.error().message;
    return testing::read_rows(*stream).value();
  }

  Fixture fixture_;
  std::unique_ptr<table::Engine> engine_;
};

TEST_F(RollupTest, TheCoarsestLevelThatCanAnswers) {
  open({.intervals = {"5m", "1h"}});
  EXPECT_EQ(refresh().rows, 3U * 10 * (288 + 24));
  AggregationSpec spec = testing::spec_of({"avg(value)", "max(value)", "count"});
  const auto used = [&](std::int64_t every) {
    spec.every = every;
    QueryStatistics statistics;
    QueryStatistics of_rows;
    EXPECT_EQ(read(spec, statistics), read(spec, of_rows, 0));
    EXPECT_TRUE(of_rows.rollups.empty());
    std::string text = fmt::format("{} blocks", statistics.blocks_answered + statistics.blocks_decoded);
    for (const RollupUse& use : statistics.rollups) text += fmt::format(", {} of {}", use.rows, use.interval);
    return text;
  };
  EXPECT_EQ(used(kDay), "0 blocks, 720 of 1h");
  EXPECT_EQ(used(0), "0 blocks, 720 of 1h");
  EXPECT_EQ(used(kHour / 2), "0 blocks, 8640 of 5m");
  EXPECT_EQ(used(kHour / 4 + testing::kMinuteUs), "60 blocks");
  spec.columns.push_back(model::parse_aggregate_of("median(value)").value());
  EXPECT_EQ(used(kDay), "60 blocks") << "no level knows it";
}

TEST_F(RollupTest, ALateRowCostsItsIntervals) {
  open({.intervals = {"5m", "1h"}});
  refresh();
  append({{.time_us = 3 * kDay + 1, .series = "b", .value = 1e6}});
  AggregationSpec spec = testing::spec_of({"max(value)", "count"});
  QueryStatistics before;
  const auto at_once = read(spec, before);
  EXPECT_EQ(at_once, (std::vector<Cells>{{1e6, std::int64_t{3 * 14'400 + 1}}}));
  EXPECT_EQ(before.rollups.size(), 2U) << "5m around the minute that is due";
  EXPECT_LE(before.rows_scanned, 20U);
  EXPECT_EQ(refresh().rows, 2U);
  QueryStatistics after;
  EXPECT_EQ(read(spec, after), at_once);
  EXPECT_EQ(after.rollups.size(), 1U);
  EXPECT_EQ(refresh().commits, 0U) << "nothing is due";
}

TEST_F(RollupTest, IntervalsWithoutRowsVanish) {
  open({.intervals = {"1h"}});
  refresh();
  ASSERT_TRUE(table::remove_rows(*engine_, {.from = testing::at(kDay), .to = testing::at(2 * kDay)}));
  refresh();
  AggregationSpec spec = testing::spec_of({"count"});
  spec.every = kDay;
  QueryStatistics statistics;
  const auto days = read(spec, statistics);
  EXPECT_EQ(days.size(), 9U);
  EXPECT_EQ(days, read(spec, statistics, 0));
}

TEST_F(RollupTest, LevelsOfACalendarAnswerItsBuckets) {
  open({.intervals = {"15m", "1d", "1mo"}, .timezone = "America/New_York"});
  refresh();
  for (const Interval& every : {Interval::of_days(1), Interval::of_months(1), Interval::of_years(1)}) {
    AggregationSpec spec = testing::spec_of({"avg(value)", "count", "first(value)"});
    spec.every = TimeBuckets::make(every, "America/New_York", {}, 1'000'000).value();
    QueryStatistics statistics;
    QueryStatistics of_rows;
    EXPECT_EQ(read(spec, statistics), read(spec, of_rows, 0));
    EXPECT_EQ(statistics.blocks_decoded, 0U);
    spec.every = TimeBuckets::make(every, "Europe/Berlin", {}, 1'000'000).value();
    EXPECT_EQ(read(spec, statistics), read(spec, of_rows, 0));
    EXPECT_EQ(statistics.rollups.front().interval, "15m") << "whose edges are edges there too";
  }
}

TEST_F(RollupTest, EstimatesOfPercentilesAreThoseOfTheRows) {
  open({.intervals = {"1h", "1d"}, .percentiles = {"value"}});
  refresh();
  AggregationSpec spec = testing::spec_of({"approx_median(value)", "approx_p99(value)"});
  for (const std::int64_t every : {std::int64_t{0}, kHour, kDay}) {
    spec.every = every;
    QueryStatistics statistics;
    const auto got = read(spec, statistics);
    EXPECT_EQ(statistics.blocks_decoded, 0U);
    EXPECT_EQ(got, read(spec, statistics, 0)) << "merged sketches are one of all values";
  }
  spec.every = 0;
  QueryStatistics statistics;
  const auto cells = read(spec, statistics).front();
  EXPECT_NEAR(std::get<double>(cells[0]), 719.5, 7.2);
  EXPECT_NEAR(std::get<double>(cells[1]), 1425, 14.3);
}

TEST_F(RollupTest, DeviationsAreThoseOfTheRows) {
  open({.intervals = {"1h", "1d"}});
  refresh();
  AggregationSpec spec = testing::spec_of({"stddev(value)"});
  QueryStatistics statistics;
  const auto got = std::get<double>(read(spec, statistics).front().front());
  const auto want = std::get<double>(read(spec, statistics, 0).front().front());
  EXPECT_NEAR(got, want, want * 1e-12);
}

}  // namespace
}  // namespace marigram::query
