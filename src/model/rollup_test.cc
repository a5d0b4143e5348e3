// Which levels of rollups fit together and what their columns are. Without this a level could be made of intervals that
// cut those of the next, or lack what an aggregate is made of.
#include "model/rollup.h"

#include "base/interval_text.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace marigram::model {
namespace {

RollupSpec spec_of(const std::vector<std::string>& intervals, const std::string& zone = {},
                   std::optional<Instant> origin = {}) {
  RollupSpec spec{.intervals = {}, .timezone = zone, .origin = origin};
  for (const std::string& text : intervals) spec.intervals.push_back(parse_interval(text, !zone.empty()).value());
  return spec;
}

TEST(Rollup, IntervalsAreMadeOfFinerOnes) {
  EXPECT_TRUE(check_rollups(spec_of({"1m", "5m", "1h", "1d"})));
  EXPECT_TRUE(check_rollups(spec_of({"1m", "1h", "1d", "1w"})));
  EXPECT_TRUE(check_rollups(spec_of({"1h", "1d", "1mo", "3mo", "1y"})));
  EXPECT_TRUE(check_rollups(spec_of({"15m", "1d", "1mo"}, "America/New_York")));
  EXPECT_TRUE(check_rollups(spec_of({"1h", "1d"}, "Australia/Lord_Howe", Instant{.seconds = 6 * 3'600})));
  EXPECT_TRUE(check_rollups(spec_of({})));
}

TEST(Rollup, OthersAreErrorsThatNameBoth) {
  const std::vector<std::vector<std::string>> wrong = {{"5m", "1m"}, {"7m", "1h"},  {"1m", "1m"}, {"2d", "1w"},
                                                       {"7d", "1w"}, {"1w", "1mo"}, {"5h", "1d"}, {"2mo", "3mo"}};
  for (const auto& intervals : wrong) {
    const auto checked = check_rollups(spec_of(intervals));
    ASSERT_FALSE(checked) << intervals[0] << " " << intervals[1];
    EXPECT_EQ(checked.error().code, ErrorCode::kInvalidInput);
    EXPECT_NE(checked.error().message.find(intervals[0] + " and " + intervals[1]), std::string::npos);
  }
  EXPECT_FALSE(check_rollups({.intervals = {Interval(1'500'000'000)}}));
  EXPECT_FALSE(check_rollups({.intervals = {Interval()}}));
  EXPECT_FALSE(check_rollups(spec_of({"1h"}, "Mars/Olympus")));
  // Midnights are no beginnings of hours that begin at half past.
  EXPECT_FALSE(check_rollups(spec_of({"1h", "1mo"}, "Etc/UTC", Instant{.seconds = 1'800})));
}

TEST(Rollup, ALevelHasTheKeysAndWhatIsKnownOfEachField) {
  TableMeta table;
  table.index = IndexSpec{.column = "ts", .tags = {"host"}, .kind = TimestampIndex{}};
  table.schema = Schema{.columns = {{.name = "ts", .type = {.id = TypeId::kTimestamp}, .nullable = false},
                                    {.name = "host", .type = {.id = TypeId::kUtf8}},
                                    {.name = "load", .type = {.id = TypeId::kFloat64}},
                                    {.name = "up", .type = {.id = TypeId::kBool}},
                                    {.name = "blob", .type = {.id = TypeId::kBinary}}}};
  const TableMeta level = level_meta(table, {.intervals = {Interval()}, .sketches = {"load"}}, Interval::of_months(1));
  EXPECT_EQ(level.index->tags, table.index->tags);
  std::vector<std::string> names;
  for (const Column& column : level.schema->columns) names.push_back(column.name);
  EXPECT_EQ(names, (std::vector<std::string>{"ts",
                                             "host",
                                             "count(*)",
                                             "buckets(*)",
                                             "first_time(*)",
                                             "last_time(*)",
                                             "count(load)",
                                             "min(load)",
                                             "max(load)",
                                             "first(load)",
                                             "first_time(load)",
                                             "last(load)",
                                             "last_time(load)",
                                             "sum(load)",
                                             "sum_rest(load)",
                                             "squares(load)",
                                             "sketch(load)",
                                             "count(up)",
                                             "min(up)",
                                             "max(up)",
                                             "first(up)",
                                             "first_time(up)",
                                             "last(up)",
                                             "last_time(up)",
                                             "sum(up)",
                                             "sum_rest(up)",
                                             "count(blob)"}));
  EXPECT_EQ(level.schema->find("sum(load)")->type.id, TypeId::kFloat64);
  EXPECT_EQ(level.schema->find("sum(up)")->type.id, TypeId::kInt64);
  EXPECT_EQ(level.schema->find("first_time(up)")->type.id, TypeId::kInt64);
  EXPECT_TRUE(validate_schema(*level.schema));
}

TEST(Rollup, PartitionsHoldSomeTenThousandIntervals) {
  EXPECT_EQ(level_partition(parse_interval("1s", false).value()), "1d");
  EXPECT_EQ(level_partition(parse_interval("1m", false).value()), "6d");
  EXPECT_EQ(level_partition(parse_interval("1h", false).value()), "416d");
  EXPECT_EQ(level_partition(parse_interval("1y", false).value()), "36500d");
}

}  // namespace
}  // namespace marigram::model
