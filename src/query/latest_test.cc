// The last and first rows of series against a model that looks at every row. Without these a series could be missing,
// come with a row of another time or with the wrong one of equal times, or cost a scan.
#include "query/latest.h"

#include "query/test_random_table.h"

#include <arrow/api.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::Fixture;
using table::testing::kMinuteUs;
using table::testing::Row;
using table::testing::to_rows;
using ::testing::HasSubstr;

Instant at(std::int64_t time_us) {
  return Instant::from_units(time_us, TimeUnit::kMicro);
}

/// By series; rows come in order of arrival.
std::vector<Row> expected(const std::vector<Row>& rows, const LatestRequest& request,
                          std::optional<std::int64_t> on_us) {
  const bool last = request.edge == SeriesEdge::kLast;
  const auto is_nearer = [&](const Row& row, const Row& than) {
    return last ? row.time_us >= than.time_us : row.time_us < than.time_us;
  };
  std::map<std::string, Row> found;
  std::map<std::string, Row> valued;
  for (const Row& row : rows) {
    if (!request.where.empty() && row.series != "a" && row.series != "c") continue;
    if (on_us && (last ? row.time_us > *on_us : row.time_us < *on_us)) continue;
    for (auto* const one : {&found, &valued}) {
      if (one == &valued && !row.value) continue;
      const auto [held, is_new] = one->try_emplace(row.series, row);
      if (!is_new && is_nearer(row, held->second)) held->second = row;
    }
  }
  std::vector<Row> edges;
  for (auto& [series, row] : found) {
    if (!request.ignore_nulls.empty()) row.value = valued.contains(series) ? valued[series].value : std::nullopt;
    edges.push_back(row);
  }
  return edges;
}

class LatestModelTest : public ::testing::TestWithParam<std::tuple<Duplicates, std::uint64_t>> {};

TEST_P(LatestModelTest, EqualsTheNaiveModel) {
  const auto [policy, seed] = GetParam();
  testing::RandomTable table(policy, seed);
  for (int step = 0; step < 60; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    table.change();
    const auto moment = table.look();
    if (!moment) continue;
    LatestRequest request;
    if (table.below(2) == 0) request.edge = SeriesEdge::kFirst;
    if (table.below(3) == 0) request.ignore_nulls = {"value"};
    if (table.below(4) == 0) request.where = {{.column = "series", .values = {"a", "c"}}};
    std::optional<std::int64_t> on_us;
    if (table.below(2) == 0) on_us = table.random_time(moment->rows);
    if (on_us) request.on = at(*on_us);
    const auto result = latest_rows(moment->snapshot, request);
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->batches.size(), 1U);
    const auto& batch = *result->batches.front();
    ASSERT_TRUE(batch.ValidateFull().ok());
    ASSERT_EQ(batch.schema()->field_names(), (std::vector<std::string>{"series", "ts", "value"}));
    ASSERT_EQ(to_rows(batch), expected(moment->rows, request, on_us));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LatestModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 11)));

/// A time between two units of the table leaves out the row that it rounds to.
TEST(LatestTest, TimesBetweenTheUnitsOfTheTableAreExact) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(table::testing::append_rows(
      *engine, {{.time_us = 0, .series = "a", .value = 1}, {.time_us = kMinuteUs, .series = "a", .value = 2}}));
  const auto value_of = [&](SeriesEdge edge, std::int64_t on_ns) {
    const auto result =
        latest_rows({*engine, engine->state()}, {.edge = edge, .on = Instant::from_units(on_ns, TimeUnit::kNano)});
    EXPECT_TRUE(result);
    const std::vector<Row> rows = to_rows(*result->batches.front());
    return rows.empty() ? std::nullopt : rows.front().value;
  };
  constexpr std::int64_t kMinuteNs = kMinuteUs * 1'000;
  EXPECT_EQ(value_of(SeriesEdge::kLast, kMinuteNs - 1), 1);
  EXPECT_EQ(value_of(SeriesEdge::kLast, -1), std::nullopt);
  EXPECT_EQ(value_of(SeriesEdge::kFirst, 1), 2);
  EXPECT_EQ(value_of(SeriesEdge::kFirst, kMinuteNs + 1), std::nullopt);
}

/// Each series' last row lies in another partition: of each as many are read as there are series, and no more.
TEST(LatestTest, ReadsOnlyWhereTheRowsAre) {
  constexpr std::int64_t kDay = 1440;
  Fixture fixture;
  const auto engine = fixture.create();
  for (std::int64_t day = 0; day <= 40; ++day) {
    const std::string series = day == 3 ? "early" : day == 17 ? "middle" : "often";
    ASSERT_TRUE(table::testing::append_rows(*engine, table::testing::minutes(series, day * kDay, 3)));
  }
  const auto result = latest_rows({*engine, engine->state()}, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(to_rows(*result->batches.front()), (std::vector<Row>{{(3 * kDay + 2) * kMinuteUs, "early", 2},
                                                                 {(17 * kDay + 2) * kMinuteUs, "middle", 2},
                                                                 {(40 * kDay + 2) * kMinuteUs, "often", 2}}));
  EXPECT_EQ(result->statistics.windows, 41U);
  EXPECT_EQ(result->statistics.windows_read + result->statistics.looked_back, 3U);
}

TEST(LatestTest, BadRequestsAreNamed) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(table::testing::append_rows(*engine, table::testing::minutes("a", 0, 3)));
  const auto error_of = [&](const LatestRequest& request) {
    const auto result = latest_rows({*engine, engine->state()}, request);
    return result ? Error() : result.error();
  };
  EXPECT_EQ(error_of({.columns = {"volume"}}).code, ErrorCode::kNotFound);
  EXPECT_THAT(error_of({.columns = {"series"}}).message, HasSubstr("series is no field"));
  EXPECT_THAT(error_of({.columns = {"ts"}}).message, HasSubstr("ts is no field"));
  EXPECT_THAT(error_of({.ignore_nulls = {"volume"}}).message, HasSubstr("volume"));
  EXPECT_EQ(error_of({.on = std::int64_t{5}}).code, ErrorCode::kInvalidInput);
  EXPECT_EQ(error_of({.where = {{.column = "value", .values = {"1"}}}}).code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace marigram::query
