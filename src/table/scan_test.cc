// Scans against a naive model. Without these a scan could drop, double or misplace rows at the edges of ranges,
// segments, batches and merges.
#include "table/scan.h"

#include "table/test_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <utility>

namespace marigram::table::testing {
namespace {

/// Random rows that no earlier append covered, in random order.
std::vector<Row> random_rows(std::mt19937_64& random, std::set<std::pair<std::string, std::int64_t>>& taken) {
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  std::vector<Row> rows;
  const std::int64_t count = 1 + below(200);
  const std::int64_t start = below(6 * 1440) - 3 * 1440;  // minutes around 1970, six partitions
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string series(1, static_cast<char>('a' + below(4)));
    const std::int64_t minute = start + below(600);
    if (!taken.emplace(series, minute).second) continue;
    rows.push_back({minute * kMinuteUs + below(kMinuteUs), series,
                    below(10) == 0 ? std::nullopt : std::optional(static_cast<double>(below(1000)))});
  }
  std::ranges::shuffle(rows, random);
  return rows;
}

ScanRequest random_request(std::mt19937_64& random) {
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  ScanRequest request;
  request.order = std::array{ScanOrder::kTime, ScanOrder::kSeries, ScanOrder::kAny}[static_cast<std::size_t>(below(3))];
  request.batch_rows = static_cast<std::size_t>(1 + below(below(2) == 0 ? 7 : 70'000));
  if (below(4) == 0) request.limit = static_cast<std::uint64_t>(below(300));
  const std::int64_t from_ns = (below(7 * 86'400) - 3 * 86'400) * 1'000'000'000 + below(3) - 1;
  if (below(3) > 0) request.from = Instant::from_units(from_ns, TimeUnit::kNano);
  if (below(3) > 0) request.to = Instant::from_units(from_ns + 1 + below(86'400) * 2'000'000'000, TimeUnit::kNano);
  if (below(3) == 0)
    request.where = {{.column = "series", .values = {"a", std::string(1, static_cast<char>('a' + below(5)))}}};
  return request;
}

void expect_rows(std::vector<Row> got, const std::vector<Row>& model, ScanRequest request) {
  if (request.order == ScanOrder::kAny) {  // some of those that match, as many as the limit lets through
    const std::uint64_t limit = std::exchange(request.limit, ScanRequest{}.limit);
    request.order = ScanOrder::kTime;
    std::ranges::sort(got);
    const std::vector<Row> expected = expected_rows(model, request);
    ASSERT_EQ(got.size(), std::min<std::uint64_t>(limit, expected.size()));
    ASSERT_TRUE(std::ranges::includes(expected, got));
  } else {
    ASSERT_EQ(got, expected_rows(model, request));
  }
}

class ScanModelTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(ScanModelTest, EqualsTheNaiveModel) {
  std::mt19937_64 random(GetParam());
  Fixture fixture;
  const auto engine = fixture.create();
  std::vector<Row> model;
  std::set<std::pair<std::string, std::int64_t>> taken;
  for (int append = 0; append < 12; ++append) {
    const std::vector<Row> rows = random_rows(random, taken);
    if (rows.empty()) continue;
    const auto appended = append_rows(*engine, rows);
    ASSERT_TRUE(appended) << appended.error().message;
    model.insert(model.end(), rows.begin(), rows.end());
    for (int query = 0; query < 6; ++query) {
      const ScanRequest request = random_request(random);
      const auto got = scan_rows(*engine, request);
      ASSERT_TRUE(got) << got.error().message;
      SCOPED_TRACE(fmt::format("seed {} append {} query {}", GetParam(), append, query));
      ASSERT_NO_FATAL_FAILURE(expect_rows(*got, model, request));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ScanModelTest, ::testing::Range<std::uint64_t>(1, 41));

TEST(ScanTest, BoundsAreExactBelowTheColumnsUnit) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, {{1, "a", 1.0}}));
  const auto rows_between = [&](std::int64_t from_ns, std::int64_t to_ns) {
    return scan_rows(*engine, {.from = Instant::from_units(from_ns, TimeUnit::kNano),
                               .to = Instant::from_units(to_ns, TimeUnit::kNano)})
        ->size();
  };
  EXPECT_EQ(rows_between(1'000, 1'001), 1U);  // the row is at exactly 1,000 ns
  EXPECT_EQ(rows_between(1'001, 2'000), 0U);
  EXPECT_EQ(rows_between(999, 1'000), 0U);
  EXPECT_EQ(rows_between(999, 1'001), 1U);
}

TEST(ScanTest, BadRequestsAreRefusedByName) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 2)));
  const auto code = [&](const ScanRequest& request) { return scan_rows(*engine, request).error().code; };
  EXPECT_EQ(code({.columns = {"nope"}}), ErrorCode::kNotFound);
  EXPECT_EQ(code({.where = {{.column = "value", .values = {"1"}}}}), ErrorCode::kNotFound);
  EXPECT_EQ(code({.from = Instant{5}, .to = Instant{5}}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.from = std::int64_t{5}}), ErrorCode::kInvalidInput);
}

TEST(ScanTest, EmptyTableGivesNoRows) {
  Fixture fixture;
  const auto engine = fixture.create();
  auto stream = scan(*engine, {});
  ASSERT_TRUE(stream);
  EXPECT_EQ(*stream->rows->next(), nullptr);
}

TEST(ScanTest, MissingSegmentEndsTheStreamByName) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 2)));
  const std::string path = engine->state()->segments.begin()->second->path;
  ASSERT_TRUE(fixture.store->remove(path));
  const auto rows = scan_rows(*engine);
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::kNotFound);
  EXPECT_NE(rows.error().message.find(path), std::string::npos) << rows.error().message;
}

TEST(ScanTest, CancelledScanStops) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 2'000)));
  ScanRequest request{.batch_rows = 10};
  auto stream = scan(*engine, request);
  ASSERT_TRUE(stream);
  ASSERT_TRUE(stream->rows->next());
  request.cancel.cancel();
  EXPECT_EQ(stream->rows->next().error().code, ErrorCode::kCancelled);
}

TEST(ScanTest, ProjectionKeepsOrderWithoutTheKeyColumns) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(append_rows(*engine, {{2 * kMinuteUs, "a", 2.0}, {0, "b", 0.0}, {kMinuteUs, "a", 1.0}}));
  auto stream = scan(*engine, {.columns = {"value"}});
  ASSERT_TRUE(stream);
  const auto batch = *stream->rows->next();
  ASSERT_EQ(batch->num_columns(), 1);
  const auto& values = static_cast<const arrow::DoubleArray&>(*batch->column(0));
  EXPECT_EQ((std::vector<double>{values.Value(0), values.Value(1), values.Value(2)}), (std::vector<double>{0, 1, 2}));
}

}  // namespace
}  // namespace marigram::table::testing
