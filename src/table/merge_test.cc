// Sorting and merging of sources, against a stable sort of all rows. Scans of small tables never see a run that is long
// enough to be given out as it stands; without these such a run could be cut, doubled or overtaken.
#include "table/merge.h"

#include "table/test_rows.h"

#include <random>

namespace marigram::table::testing {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

const KeyColumns kKeys{.index = 0, .tags = {1}};

bool before(const Row& a, const Row& b, ScanOrder order) {
  return order == ScanOrder::kTime ? std::tie(a.time_us, a.series) < std::tie(b.time_us, b.series)
                                   : std::tie(a.series, a.time_us) < std::tie(b.series, b.time_us);
}

std::unique_ptr<BatchSource> source_of(const std::vector<Row>& rows, std::mt19937_64& random, std::size_t batch_rows) {
  std::vector<BatchPtr> batches;
  for (std::size_t at = 0; at < rows.size();) {
    const std::size_t count = std::min(rows.size() - at, 1 + random() % batch_rows);
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(at);
    batches.push_back(to_batch({begin, begin + static_cast<std::ptrdiff_t>(count)}));
    at += count;
  }
  return std::make_unique<VectorSource>(std::move(batches));
}

std::vector<Row> drain(BatchSource& source, std::size_t batch_rows) {
  std::vector<Row> rows;
  while (true) {
    const auto batch = source.next();
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch || !*batch) return rows;
    EXPECT_TRUE((*batch)->ValidateFull().ok());
    EXPECT_GT((*batch)->num_rows(), 0);
    EXPECT_LE((*batch)->num_rows(), static_cast<std::int64_t>(batch_rows));
    std::ranges::move(to_rows(**batch), std::back_inserter(rows));
  }
}

/// Rows of a few series; in long runs (of one source or one series) or scattered, some of equal keys.
std::vector<Row> random_rows(std::mt19937_64& random, std::size_t source) {
  std::vector<Row> rows;
  const bool long_runs = random() % 2 == 0;
  const std::size_t count = random() % (long_runs ? 20'000 : 500);
  const auto start = static_cast<std::int64_t>(random() % (long_runs ? 30'000 : 300));
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back({start + static_cast<std::int64_t>(long_runs ? i / 2 : random() % 300),
                    std::string(1, static_cast<char>('a' + random() % (long_runs ? 2 : 5))),
                    random() % 50 == 0 ? std::nullopt : std::optional(static_cast<double>(source * 100'000 + i))});
  }
  return rows;
}

class MergeModelTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(MergeModelTest, EqualsAStableSort) {
  std::mt19937_64 random(GetParam());
  const ScanOrder order = random() % 2 == 0 ? ScanOrder::kTime : ScanOrder::kSeries;
  const auto earlier = [&](const Row& a, const Row& b) { return before(a, b, order); };
  const std::size_t batch_rows = 1 + random() % 9'000;
  std::vector<Row> all;
  std::vector<std::unique_ptr<BatchSource>> sorted;
  std::vector<std::unique_ptr<BatchSource>> unsorted;
  for (std::size_t i = 0; i < 1 + random() % 6; ++i) {
    std::vector<Row> rows = random_rows(random, i);
    unsorted.push_back(source_of(rows, random, 7'000));
    std::ranges::stable_sort(rows, earlier);
    sorted.push_back(source_of(rows, random, 7'000));
    std::ranges::copy(rows, std::back_inserter(all));
  }
  std::ranges::stable_sort(all, earlier);
  EXPECT_EQ(drain(*merge_sources(std::move(sorted), kKeys, order, batch_rows), batch_rows), all);
  const auto chained = sort_source(chain_sources(std::move(unsorted)), kKeys, order, batch_rows);
  EXPECT_EQ(drain(*chained, std::max<std::size_t>(batch_rows, 7'000)), all);
}

INSTANTIATE_TEST_SUITE_P(Seeds, MergeModelTest, ::testing::Range<std::uint64_t>(0, 60));

TEST(Merge, LongRunsAreNotCopied) {
  std::vector<Row> early;
  std::vector<Row> late;
  for (int i = 0; i < 5'000; ++i) {
    early.push_back({i, "a", 1.0});
    late.push_back({i, "b", 2.0});
  }
  const BatchPtr first = to_batch(early);
  std::vector<std::unique_ptr<BatchSource>> sources;
  sources.push_back(std::make_unique<VectorSource>(std::vector{to_batch(late)}));
  sources.push_back(std::make_unique<VectorSource>(std::vector{first}));
  const auto merged = merge_sources(std::move(sources), kKeys, ScanOrder::kSeries, 10'000);
  const auto batch = merged->next();
  ASSERT_TRUE(batch && *batch);
  EXPECT_EQ((*batch)->column(2)->data()->buffers[1], first->column(2)->data()->buffers[1]);
}

TEST(Merge, SourcesOutOfOrderAreCorruption) {
  const std::vector<Row> descending{{2, "a", 1.0}, {1, "a", 1.0}};
  const auto merged_of = [&](std::vector<BatchPtr> batches) {
    std::vector<std::unique_ptr<BatchSource>> sources;
    sources.push_back(std::make_unique<VectorSource>(std::move(batches)));
    sources.push_back(std::make_unique<VectorSource>(std::vector{to_batch({{0, "b", 1.0}})}));
    const auto merged = merge_sources(std::move(sources), kKeys, ScanOrder::kTime, 1);
    while (true) {
      const auto batch = merged->next();
      if (!batch) return batch.error().code;
      if (!*batch) return ErrorCode::kInternal;
    }
  };
  EXPECT_EQ(merged_of({to_batch(descending)}), ErrorCode::kCorruption);
  EXPECT_EQ(merged_of({to_batch({descending[0]}), to_batch({descending[1]})}), ErrorCode::kCorruption);
}

}  // namespace
}  // namespace marigram::table::testing
