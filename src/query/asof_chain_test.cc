// As-of joins over an append that is larger than a native segment: its rows lie in several, which follow one another by
// series, and the rows of one series in two. Without these a probe of that series could miss the rows of one of them,
// or take those of another series.
#include "query/asof.h"

#include "table/append.h"
#include "table/rewrite.h"
#include "table/test_rows.h"

#include <arrow/api.h>
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
using table::testing::Row;

constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kSeconds = 80'000;  // each of which every series has a row

std::string name_of(std::int64_t series) {
  return std::string(1, static_cast<char>('a' + series));
}

/// Null in every third row.
std::optional<double> value_of(std::int64_t series, std::int64_t second) {
  if (second % 3 == 0) return std::nullopt;
  return static_cast<double>(series * kSeconds + second);
}

class AsofChainTest : public ::testing::TestWithParam<AsofDirection> {
 protected:
  AsofChainTest() {
    TableOptions options = Fixture::options();
    options.segments = SegmentFormat::kNative;
    options.duplicates = Duplicates::kAll;
    engine_ = fixture_.create(options);
    std::vector<Row> rows;
    for (std::int64_t series = 0; series < 5; ++series) {
      for (std::int64_t second = 0; second < kSeconds; ++second) {
        rows.push_back({second * kSecondUs, name_of(series), value_of(series, second)});
      }
    }
    EXPECT_TRUE(table::testing::append_rows(*engine_, rows));
    EXPECT_EQ(engine_->state()->segments.size(), 2U);
  }

  /// Of all series and one that the table has not, from before the first row to behind the last.
  std::shared_ptr<arrow::RecordBatch> draw_probes() {
    arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
    arrow::StringBuilder series;
    constexpr std::int64_t kProbes = 20'000;
    for (std::int64_t i = 0; i < kProbes; ++i) {
      EXPECT_TRUE(times
                      .Append(static_cast<std::int64_t>(random_() % (kSeconds + 100)) * kSecondUs - 50 * kSecondUs +
                              static_cast<std::int64_t>(random_() % 3) - 1)
                      .ok());
      EXPECT_TRUE(series.Append(name_of(static_cast<std::int64_t>(random_() % 6))).ok());
    }
    const auto schema = arrow::schema(
        {arrow::field("ts", arrow::timestamp(arrow::TimeUnit::MICRO)), arrow::field("series", arrow::utf8())});
    return arrow::RecordBatch::Make(schema, kProbes, {*times.Finish(), *series.Finish()});
  }

  /// The second of the row that a probe meets, or one that there is not.
  static std::int64_t meet(AsofDirection direction, std::int64_t time_us, bool ignore_nulls) {
    const bool backward = direction == AsofDirection::kBackward;
    std::int64_t second = backward ? (time_us + kSecondUs * 1'000) / kSecondUs - 1'000
                                   : (time_us + kSecondUs * 1'000 - 1) / kSecondUs + 1 - 1'000;
    second = backward ? std::min(second, kSeconds - 1) : std::max<std::int64_t>(second, 0);
    if (ignore_nulls && second % 3 == 0) second += backward ? -1 : 1;
    return second;
  }

  Fixture fixture_;
  std::unique_ptr<table::Engine> engine_;
  std::mt19937_64 random_{5};
};

TEST_P(AsofChainTest, FindsTheRowsOfAllSegments) {
  const auto probes = draw_probes();
  const auto& times = static_cast<const arrow::TimestampArray&>(*probes->column(0));
  const auto& series = static_cast<const arrow::StringArray&>(*probes->column(1));
  for (const bool ignore_nulls : {false, true}) {
    AsofRequest request{.direction = GetParam()};
    if (ignore_nulls) request.ignore_nulls = {"value"};
    const auto result = asof_join({*engine_, engine_->state()}, probes->schema(), {probes}, request);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(result->statistics.windows_scanned, 0U) << "rows are searched where they lie";
    ASSERT_EQ(result->batches.front()->num_rows(), probes->num_rows());
    const auto& values = static_cast<const arrow::DoubleArray&>(*result->batches.front()->GetColumnByName("value"));
    for (std::int64_t i = 0; i < probes->num_rows(); ++i) {
      const std::int64_t number = series.GetView(i)[0] - 'a';
      const std::int64_t second = meet(GetParam(), times.Value(i), ignore_nulls);
      std::optional<double> wanted;
      if (number < 5 && second >= 0 && second < kSeconds) wanted = value_of(number, second);
      const auto got = values.IsNull(i) ? std::nullopt : std::optional(values.Value(i));
      ASSERT_EQ(got, wanted) << "probe of " << number << " at " << times.Value(i);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Directions, AsofChainTest,
                         ::testing::Values(AsofDirection::kBackward, AsofDirection::kForward));

/// They are as good as one.
TEST_P(AsofChainTest, StayAsTheyAre) {
  const auto report = table::compact(*engine_);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->before.segments, 0U);
}

}  // namespace
}  // namespace marigram::query
