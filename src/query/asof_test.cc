// As-of joins against a model that looks at every row for every probe: all directions, ties, nulls, tolerances, units,
// partitions, deletions, rows that no segment has yet, both formats. Without these a probe could meet a row of another
// series or time, the wrong one of equal times, or miss one that lies some partitions away.
#include "query/asof.h"

#include "query/test_random_table.h"

#include <arrow/api.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace marigram::query {
namespace {

using table::testing::Fixture;
using table::testing::kMinuteUs;
using table::testing::Row;
using ::testing::HasSubstr;

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

struct Probe {
  std::optional<std::int64_t> time = {};  // in the unit of the probes
  std::string series = {};
};

BatchPtr to_batch(const std::vector<Probe>& probes, arrow::TimeUnit::type unit) {
  arrow::TimestampBuilder times(arrow::timestamp(unit), arrow::default_memory_pool());
  arrow::StringBuilder series;
  arrow::Int64Builder numbers;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    EXPECT_TRUE((probes[i].time ? times.Append(*probes[i].time) : times.AppendNull()).ok());
    EXPECT_TRUE(series.Append(probes[i].series).ok());
    EXPECT_TRUE(numbers.Append(static_cast<std::int64_t>(i)).ok());
  }
  const auto schema = arrow::schema({arrow::field("number", arrow::int64()), arrow::field("ts", arrow::timestamp(unit)),
                                     arrow::field("series", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, static_cast<std::int64_t>(probes.size()),
                                  {*numbers.Finish(), *times.Finish(), *series.Finish()});
}

/// What a probe met.
struct Answer {
  std::optional<double> value = {};
  std::optional<std::int64_t> time_us = {};

  friend bool operator==(const Answer&, const Answer&) = default;
};

void PrintTo(const Answer& answer, std::ostream* out) {
  *out << (answer.value ? std::to_string(*answer.value) : "null") << " at "
       << (answer.time_us ? std::to_string(*answer.time_us) : "null");
}

std::vector<Answer> to_answers(const AsofResult& result) {
  std::vector<Answer> answers;
  std::int64_t number = 0;
  for (const BatchPtr& batch : result.batches) {
    EXPECT_TRUE(batch->ValidateFull().ok());
    EXPECT_EQ(batch->schema()->field_names(),
              (std::vector<std::string>{"number", "ts", "series", "value", "matched_time"}));
    const auto& numbers = static_cast<const arrow::Int64Array&>(*batch->column(0));
    const auto& values = static_cast<const arrow::DoubleArray&>(*batch->column(3));
    const auto& times = static_cast<const arrow::TimestampArray&>(*batch->column(4));
    for (std::int64_t i = 0; i < batch->num_rows(); ++i) {
      EXPECT_EQ(numbers.Value(i), number++) << "in probe order";
      answers.push_back({values.IsNull(i) ? std::nullopt : std::optional(values.Value(i)),
                         times.IsNull(i) ? std::nullopt : std::optional(times.Value(i))});
    }
  }
  return answers;
}

__extension__ using Wide = __int128;

constexpr std::int64_t kNsPerUs = 1'000;

/// The row that a probe of that time meets, of rows in order of arrival; null: none.
const Row* meet(const std::vector<Row>& rows, const std::string& series, Wide probe_ns, AsofDirection direction,
                bool exact, const AsofRequest& request, bool ignore_nulls) {
  const Row* best = nullptr;
  Wide nearest = 0;
  const auto look = [&](bool backward) {
    const Row* found = nullptr;
    for (const Row& row : rows) {
      const Wide at = Wide{row.time_us} * kNsPerUs;
      if (row.series != series || (ignore_nulls && !row.value)) continue;
      if (at == probe_ns ? !exact : (at < probe_ns) != backward) continue;
      if (found == nullptr || (backward ? row.time_us >= found->time_us : row.time_us < found->time_us)) found = &row;
    }
    if (found == nullptr) return;
    const Wide apart = Wide{found->time_us} * kNsPerUs - probe_ns;
    const Wide distance = apart < 0 ? -apart : apart;
    if (request.tolerance && distance > Wide{*request.tolerance}) return;
    if (best == nullptr || distance < nearest) {
      best = found;
      nearest = distance;
    }
  };
  if (direction != AsofDirection::kForward) look(true);
  if (direction != AsofDirection::kBackward) look(false);
  return best;
}

class AsofRun {
 public:
  AsofRun(Duplicates policy, std::uint64_t seed) : table_(policy, seed) {}

  void step() { below(2) == 0 ? table_.change() : join(60); }
  /// Series of several pages, and more probes than are searched at a time.
  void long_step() {
    table_.append_long();
    table_.change();
    join(4'000);
  }

 private:
  std::int64_t below(std::int64_t n) { return table_.below(n); }

  void join(std::int64_t probes_max) {
    constexpr arrow::TimeUnit::type kUnits[] = {arrow::TimeUnit::SECOND, arrow::TimeUnit::MILLI, arrow::TimeUnit::MICRO,
                                                arrow::TimeUnit::NANO};
    constexpr std::int64_t kNs[] = {1'000'000'000, 1'000'000, 1'000, 1};
    const auto unit = static_cast<std::size_t>(below(4));
    AsofRequest request;
    request.direction = static_cast<AsofDirection>(below(3));
    request.allow_exact_matches = below(3) > 0;
    if (below(2) == 0)
      request.tolerance = static_cast<std::uint64_t>(below(below(2) == 0 ? 3'000 : 400'000'000'000'000));
    if (below(2) == 0) request.ignore_nulls = {"value"};
    if (below(4) == 0) request.where = {{.column = "series", .values = {"a", "c"}}};
    const auto moment = table_.look();
    if (!moment) return;
    const std::vector<Row>& rows = moment->rows;
    std::vector<Probe> probes;
    for (std::int64_t i = below(probes_max); i > 0; --i) probes.push_back(random_probe(rows, kNs[unit]));
    if (below(2) == 0) std::ranges::sort(probes, {}, &Probe::time);
    const BatchPtr batch = to_batch(probes, kUnits[unit]);
    const std::int64_t cut = below(batch->num_rows() + 1);
    const auto result =
        asof_join(moment->snapshot, batch->schema(), {batch->Slice(0, cut), batch->Slice(cut)}, request);
    ASSERT_TRUE(result) << result.error().message;
    expect_answers(to_answers(*result), probes, kNs[unit], rows, request);
  }

  Probe random_probe(const std::vector<Row>& rows, std::int64_t ns) {
    if (below(20) == 0) return {.time = std::nullopt, .series = "a"};
    if (below(30) == 0) return {.time = below(2) == 0 ? INT64_MIN : INT64_MAX, .series = table_.random_series()};
    const auto time = static_cast<std::int64_t>(Wide{table_.random_time(rows)} * kNsPerUs / ns) + below(3) - 1;
    return {.time = time, .series = table_.random_series()};
  }

  void expect_answers(const std::vector<Answer>& got, const std::vector<Probe>& probes, std::int64_t ns,
                      const std::vector<Row>& rows, const AsofRequest& request) const {
    ASSERT_EQ(got.size(), probes.size());
    for (std::size_t i = 0; i < probes.size(); ++i) {
      Answer expected;
      const bool wanted = request.where.empty() || probes[i].series == "a" || probes[i].series == "c";
      if (probes[i].time && wanted) {
        const auto find = [&](bool ignore_nulls) {
          return meet(rows, probes[i].series, Wide{*probes[i].time} * ns, request.direction,
                      request.allow_exact_matches, request, ignore_nulls);
        };
        if (const Row* row = find(!request.ignore_nulls.empty())) expected.value = row->value;
        if (const Row* row = find(false)) expected.time_us = row->time_us;
      }
      ASSERT_EQ(got[i], expected) << "probe " << i << " of " << probes[i].series << " at "
                                  << (probes[i].time ? std::to_string(*probes[i].time) : "null");
    }
  }

  testing::RandomTable table_;
};

class AsofModelTest : public ::testing::TestWithParam<std::tuple<Duplicates, std::uint64_t>> {};

TEST_P(AsofModelTest, EqualsTheNaiveModel) {
  const auto [policy, seed] = GetParam();
  AsofRun run(policy, seed);
  for (int step = 0; step < 120; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    run.step();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AsofModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 21)));

class LongAsofModelTest : public AsofModelTest {};

TEST_P(LongAsofModelTest, EqualsTheNaiveModel) {
  const auto [policy, seed] = GetParam();
  AsofRun run(policy, seed);
  for (int step = 0; step < 6; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    run.long_step();
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, LongAsofModelTest,
                         ::testing::Combine(::testing::Values(Duplicates::kLast, Duplicates::kAll),
                                            ::testing::Range<std::uint64_t>(1, 9)));

/// However far away the row is, no partition between is opened.
TEST(AsofTest, GoesStraightToThePartitionThatHasARow) {
  constexpr std::int64_t kDay = 1440;
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(table::testing::append_rows(*engine, table::testing::minutes("rare", 0, 3)));
  for (std::int64_t day = 1; day <= 40; ++day) {
    ASSERT_TRUE(table::testing::append_rows(*engine, table::testing::minutes("often", day * kDay, 3)));
  }
  const BatchPtr probes = to_batch({{.time = 40 * kDay * kMinuteUs + 1, .series = "rare"}}, arrow::TimeUnit::MICRO);
  const auto result = asof_join({*engine, engine->state()}, probes->schema(), {probes}, {});
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(to_answers(*result), (std::vector<Answer>{{.value = 2.0, .time_us = 2 * kMinuteUs}}));
  EXPECT_EQ(result->statistics.windows, 41U);
  EXPECT_EQ(result->statistics.windows_read, 1U);
  EXPECT_EQ(result->statistics.looked_back, 1U);
}

TEST(AsofTest, BadRequestsAreNamed) {
  Fixture fixture;
  const auto engine = fixture.create();
  ASSERT_TRUE(table::testing::append_rows(*engine, table::testing::minutes("a", 0, 3)));
  const BatchPtr probes = to_batch({{.time = 0, .series = "a"}}, arrow::TimeUnit::MICRO);
  const auto error_of = [&](const BatchPtr& batch, const AsofRequest& request) {
    const auto result = asof_join({*engine, engine->state()}, batch->schema(), {batch}, request);
    return result ? Error() : result.error();
  };
  EXPECT_EQ(error_of(probes, {.columns = {"volume"}}).code, ErrorCode::kNotFound);
  EXPECT_THAT(error_of(probes, {.ignore_nulls = {"volume"}}).message, HasSubstr("volume"));
  EXPECT_THAT(error_of(probes, {.matched_time = "number"}).message, HasSubstr("two columns number"));
  EXPECT_THAT(error_of(probes, {.columns = {"series"}}).message, HasSubstr("two columns series"));
  EXPECT_EQ(error_of(probes, {.columns = {"series"}, .suffix = "_of_row"}).message, "");
  EXPECT_EQ(error_of(probes, {.where = {{.column = "value", .values = {"1"}}}}).code, ErrorCode::kNotFound);
  const BatchPtr without = *probes->SelectColumns({0, 1});
  EXPECT_EQ(error_of(without, {}).code, ErrorCode::kSchemaMismatch);
  EXPECT_THAT(error_of(without, {}).message, HasSubstr("no column series"));
  const BatchPtr odd = *probes->SetColumn(1, arrow::field("ts", arrow::int64()), probes->column(0));
  EXPECT_THAT(error_of(odd, {}).message, HasSubstr("ts is of type int64"));
}

}  // namespace
}  // namespace marigram::query
