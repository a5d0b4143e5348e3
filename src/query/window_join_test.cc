// Window joins against a model that looks at every row for every probe. Without these a window could take a row beyond
// its ends, miss one that lies in another partition or in memory, or mix up probes.
#include "query/window_join.h"

#include "query/test_points.h"
#include "query/test_random_table.h"

#include <arrow/api.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::Fixture;
using table::testing::kMinuteUs;
using table::testing::Row;
using testing::Cells;
using ::testing::HasSubstr;

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
__extension__ using Wide = __int128;

struct Probe {
  std::optional<std::int64_t> time = {};
  std::string series = {};
};

BatchPtr to_batch(const std::vector<Probe>& probes, arrow::TimeUnit::type unit) {
  arrow::TimestampBuilder times(arrow::timestamp(unit), arrow::default_memory_pool());
  arrow::StringBuilder series;
  for (const Probe& probe : probes) {
    EXPECT_TRUE((probe.time ? times.Append(*probe.time) : times.AppendNull()).ok());
    EXPECT_TRUE(series.Append(probe.series).ok());
  }
  const auto schema =
      arrow::schema({arrow::field("ts", arrow::timestamp(unit)), arrow::field("series", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, static_cast<std::int64_t>(probes.size()),
                                  {*times.Finish(), *series.Finish()});
}

std::vector<AggregateOf> columns_of(const std::vector<std::string>& aggregates) {
  std::vector<AggregateOf> columns;
  for (const std::string& aggregate : aggregates) columns.push_back(model::parse_aggregate_of(aggregate).value());
  return columns;
}

const std::vector<std::string> kAggregates = {"count",        "count(value)", "sum(value)",
                                              "avg(value)",   "min(value)",   "max(value)",
                                              "first(value)", "last(value)",  "vwap(value,value)"};

/// The aggregates of the probe's window; rows come in order of arrival.
Cells naive(std::vector<Row> rows, const Probe& probe, std::int64_t unit_ns, const WindowJoinRequest& request) {
  std::erase_if(rows, [&](const Row& row) {
    if (!probe.time || row.series != probe.series) return true;
    if (!request.where.empty() && row.series != "a" && row.series != "c") return true;
    const Wide apart = Wide{row.time_us} * 1'000 - Wide{*probe.time} * unit_ns;
    return apart < -Wide{request.before} || apart > Wide{request.after};
  });
  std::ranges::stable_sort(rows, {}, &Row::time_us);
  std::vector<double> values;
  double sum = 0;
  double squares = 0;
  for (const Row& row : rows) {
    if (!row.value) continue;
    values.push_back(*row.value);
    sum += *row.value;
    squares += *row.value * *row.value;
  }
  Cells cells = {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(values.size())};
  if (values.empty()) {
    cells.resize(kAggregates.size());
    return cells;
  }
  cells.insert(cells.end(), {sum, sum / static_cast<double>(values.size()), *std::ranges::min_element(values),
                             *std::ranges::max_element(values), values.front(), values.back(), squares / sum});
  return cells;
}

std::vector<Cells> cells_of(const AsofResult& result, int first) {
  std::vector<Cells> rows;
  for (const BatchPtr& batch : result.batches) {
    EXPECT_TRUE(batch->ValidateFull().ok());
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      Cells& cells = rows.emplace_back();
      for (int column = first; column < batch->num_columns(); ++column) {
        cells.push_back(testing::cell(*batch->column(column), row));
      }
    }
  }
  return rows;
}

class WindowJoinModelTest : public ::testing::TestWithParam<std::tuple<Duplicates, std::uint64_t>> {};

TEST_P(WindowJoinModelTest, EqualsTheNaiveModel) {
  const auto [policy, seed] = GetParam();
  testing::RandomTable table(policy, seed);
  for (int step = 0; step < 60; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    table.change();
    const auto moment = table.look();
    if (!moment) continue;
    constexpr arrow::TimeUnit::type kUnits[] = {arrow::TimeUnit::SECOND, arrow::TimeUnit::MILLI, arrow::TimeUnit::MICRO,
                                                arrow::TimeUnit::NANO};
    constexpr std::int64_t kNs[] = {1'000'000'000, 1'000'000, 1'000, 1};
    constexpr std::int64_t kMinuteNs = kMinuteUs * 1'000;
    const auto unit = static_cast<std::size_t>(table.below(4));
    const std::int64_t width = table.below(2) == 0 ? 3'000 : 6'000 * kMinuteNs;
    WindowJoinRequest request{.before = static_cast<std::uint64_t>(table.below(width)),
                              .after = static_cast<std::uint64_t>(table.below(width))};
    if (table.below(3) == 0) request.after = 0;
    if (table.below(30) == 0) request.before = UINT64_MAX;
    if (table.below(4) == 0) request.where = {{.column = "series", .values = {"a", "c"}}};
    std::vector<Probe> probes;
    for (std::int64_t i = table.below(60); i > 0; --i) {
      const Wide time = Wide{table.random_time(moment->rows)} * 1'000 / kNs[unit];
      probes.push_back({.time = static_cast<std::int64_t>(time) + table.below(3) - 1, .series = table.random_series()});
      if (table.below(20) == 0) probes.back().time.reset();
      if (table.below(30) == 0) probes.back().time = table.below(2) == 0 ? INT64_MIN : INT64_MAX;
    }
    const BatchPtr batch = to_batch(probes, kUnits[unit]);
    const std::int64_t cut = table.below(batch->num_rows() + 1);
    const auto result = window_join(moment->snapshot, batch->schema(), {batch->Slice(0, cut), batch->Slice(cut)},
                                    request, columns_of(kAggregates));
    ASSERT_TRUE(result) << result.error().message;
    std::vector<Cells> expected;
    for (const Probe& probe : probes) expected.push_back(naive(moment->rows, probe, kNs[unit], request));
    ASSERT_EQ(cells_of(*result, 2), expected);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, WindowJoinModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 11)));

/// Windows that cover the rows many times over take blocks of them; one window alone looks at each row.
TEST(WideWindowsTest, GiveWhatEachGivesAlone) {
  constexpr std::int64_t kRows = 12'000;  // blocks of blocks
  constexpr std::int64_t kProbes = 300;
  Fixture fixture;
  TableOptions options = Fixture::options();
  options.partition = "10d";
  const auto engine = fixture.create(options);
  std::mt19937_64 random(9);
  std::vector<Row> rows;
  for (const char* series : {"a", "b"}) {
    for (std::int64_t minute = 0; minute < kRows; ++minute) {
      const auto value = static_cast<double>(random() % 1'000);  // so that sums are exact in any order
      rows.push_back({minute * kMinuteUs, series, random() % 9 == 0 ? std::nullopt : std::optional(value)});
    }
  }
  ASSERT_TRUE(table::testing::append_rows(*engine, rows));
  std::vector<Probe> probes;
  for (std::int64_t i = 0; i < kProbes; ++i) {
    probes.push_back({static_cast<std::int64_t>(random() % kRows) * kMinuteUs, i % 2 == 0 ? "a" : "b"});
  }
  std::vector<std::string> aggregates = kAggregates;
  aggregates.insert(aggregates.end(), {"p90(value)", "rate(value)", "delta(value)"});
  const WindowJoinRequest request{.before = 5'000 * kMinuteUs * 1'000, .after = 777 * kMinuteUs * 1'000};
  const BatchPtr batch = to_batch(probes, arrow::TimeUnit::MICRO);
  const auto join = [&](const BatchPtr& some) {
    const auto result =
        window_join({*engine, engine->state()}, batch->schema(), {some}, request, columns_of(aggregates));
    EXPECT_TRUE(result) << result.error().message;
    return cells_of(*result, 2);
  };
  const std::vector<Cells> together = join(batch);
  for (std::int64_t i = 0; i < kProbes; ++i) {
    ASSERT_EQ(together[static_cast<std::size_t>(i)], join(batch->Slice(i, 1)).front()) << "probe " << i;
  }
}

TEST(WindowJoinTest, BadRequestsAreNamed) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(table::testing::append_rows(*engine, table::testing::minutes("a", 0, 3)));
  const BatchPtr probes = to_batch({{.time = 0, .series = "a"}}, arrow::TimeUnit::MICRO);
  const auto error_of = [&](const BatchPtr& batch, const std::vector<AggregateOf>& columns) {
    const auto result = window_join({*engine, engine->state()}, batch->schema(), {batch}, {}, columns);
    return result ? Error() : result.error();
  };
  EXPECT_THAT(error_of(probes, {}).message, HasSubstr("no aggregate"));
  EXPECT_EQ(error_of(probes, columns_of({"sum(volume)"})).code, ErrorCode::kNotFound);
  EXPECT_THAT(error_of(probes, columns_of({"count", "count"})).message, HasSubstr("two columns count(*)"));
  EXPECT_EQ(error_of(probes, columns_of({"sum(series)"})).code, ErrorCode::kInvalidInput);
  EXPECT_EQ(error_of(*probes->SelectColumns({0}), columns_of({"count"})).code, ErrorCode::kSchemaMismatch);
}

}  // namespace
}  // namespace marigram::query
