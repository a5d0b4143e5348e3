// The order of rows in segments and scans, against a stable sort. Without these, rows could be cut into the wrong
// partition or sorted by a part of their time only.
#include "table/row_order.h"

#include "table/test_rows.h"

#include <numeric>
#include <random>
#include <tuple>

namespace marigram::table::testing {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

std::vector<std::uint32_t> naive_order(const std::vector<std::uint64_t>& times, const SeriesRanks& series,
                                       bool by_time) {
  std::vector<std::uint32_t> order(times.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, [&](std::uint32_t a, std::uint32_t b) {
    if (by_time) return std::tie(times[a], series.rank[a]) < std::tie(times[b], series.rank[b]);
    return std::tie(series.rank[a], times[a]) < std::tie(series.rank[b], times[b]);
  });
  return order;
}

/// Times of any spread: a few values, regular steps, or all 64 bits, which leave no room for a row's number beside
/// them.
TEST(SortedOrder, EqualsAStableSort) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t step = std::uint64_t{1} << (random() % 64);
    const std::uint64_t spread = 1 + random() % (std::uint64_t{1} << (random() % 63));
    SeriesRanks series{.rank = {}, .series = static_cast<std::uint32_t>(1 + random() % 5)};
    std::vector<std::uint64_t> times;
    for (std::uint64_t i = random() % 300; i > 0; --i) {
      times.push_back(random() % spread * step);
      series.rank.push_back(static_cast<std::uint32_t>(random() % series.series));
    }
    for (const bool by_time : {false, true}) {
      const auto order = sorted_order(times, series, by_time);
      const auto naive = naive_order(times, series, by_time);
      if (order) {
        ASSERT_EQ(*order, naive) << "round " << round;
      } else {
        ASSERT_TRUE(std::ranges::is_sorted(naive)) << "round " << round;
      }
    }
  }
}

/// Runs of times, one a series: equal ones, those of which one differs, one is cut short, or has a time twice.
TEST(TimeOrder, EqualsAStableSort) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::uint64_t> run(1 + random() % 20);
    std::uint64_t time = random() % 1'000;
    for (auto& next : run) next = time += 1 + random() % 3 - (random() % 40 == 0 ? 1 : 0);
    std::vector<std::uint64_t> times;
    for (std::uint64_t series = 1 + random() % 10; series > 0; --series) {
      times.insert(times.end(), run.begin(), run.end());
      if (random() % 20 == 0) times[random() % times.size()] += 1;
      if (random() % 20 == 0) times.pop_back();
    }
    const auto order = time_order(times);
    const auto naive = naive_order(times, {.rank = std::vector<std::uint32_t>(times.size(), 0), .series = 1}, true);
    if (order) {
      ASSERT_EQ(*order, naive) << "round " << round;
    } else {
      ASSERT_TRUE(std::ranges::is_sorted(naive)) << "round " << round;
    }
  }
}

class OrderedRowsTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(OrderedRowsTest, EqualAStableSortByPartition) {
  std::mt19937_64 random(GetParam());
  constexpr std::int64_t kWidth = 1'000;
  const std::int64_t spread = static_cast<std::int64_t>(1 + random() % 5'000);
  std::vector<BatchPtr> batches;
  std::vector<Row> rows;
  for (std::uint64_t left = 1 + random() % 4; left > 0; --left) {
    std::vector<Row> some;
    for (std::uint64_t i = 1 + random() % 200; i > 0; --i) {
      some.push_back({static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(spread)) - spread / 2,
                      std::string(random() % 3, 'x'), static_cast<double>(rows.size() + i)});
    }
    if (random() % 4 == 0)
      std::ranges::sort(some, {}, [](const Row& row) { return std::tie(row.series, row.time_us); });
    batches.push_back(to_batch(some));
    std::ranges::copy(some, std::back_inserter(rows));
  }
  const auto partition = [](const Row& row) { return row.time_us / kWidth - (row.time_us % kWidth < 0 ? 1 : 0); };
  std::ranges::stable_sort(rows, [&](const Row& a, const Row& b) {
    return std::tuple(partition(a), a.series, a.time_us) < std::tuple(partition(b), b.series, b.time_us);
  });
  std::vector<std::int64_t> counts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 0 || partition(rows[i]) != partition(rows[i - 1])) counts.push_back(0);
    ++counts.back();
  }

  const model::IndexSpec index{.column = "ts", .tags = {"series"}, .kind = model::TimestampIndex{}};
  KeySpan span;
  for (const BatchPtr& batch : batches) span.add(*batch->column(0));
  EXPECT_EQ(span.partitions(kWidth),
            static_cast<std::uint64_t>(partition(rows.back()) - partition(rows.front()) + 1));  // sorted by partition
  const auto ordered = OrderedRows::make(batches, index, kWidth);
  ASSERT_TRUE(ordered);
  EXPECT_EQ(ordered->partitions(), counts);
  const auto begin = static_cast<std::int64_t>(random() % rows.size());
  const auto count = static_cast<std::int64_t>(rows.size()) - begin;
  const auto taken = ordered->rows(begin, count);
  const auto keys = ordered->keys(begin, count);
  ASSERT_TRUE(taken && keys);
  EXPECT_EQ((*keys)->num_columns(), 2);
  EXPECT_TRUE((*keys)->column(0)->Equals((*taken)->column(0)));
  EXPECT_TRUE((*keys)->column(1)->Equals((*taken)->column(1)));
  const auto& tags = static_cast<const arrow::DictionaryArray&>(*(*taken)->column(1));
  const auto& entries = static_cast<const arrow::StringArray&>(*tags.dictionary());
  const auto& times = static_cast<const arrow::TimestampArray&>(*(*taken)->column(0));
  const auto& values = static_cast<const arrow::DoubleArray&>(*(*taken)->column(2));
  for (std::int64_t i = 0; i < count; ++i) {
    const Row got{times.Value(i), entries.GetString(tags.GetValueIndex(i)), values.Value(i)};
    ASSERT_EQ(got, rows[static_cast<std::size_t>(begin + i)]);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, OrderedRowsTest, ::testing::Range<std::uint64_t>(0, 100));

}  // namespace
}  // namespace marigram::table::testing
