// Writers, readers and flushes of one head at once. Without these tests a batch could be seen by half, or rows be lost
// where one thread tidies what another appends to.
#include "head/head.h"

#include "head/reader.h"
#include "head/test_rows.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <numeric>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace marigram::head {
namespace {

constexpr std::size_t kSeriesEach = 24;  // of a batch: in all shards

/// A row for each series, all of one time.
testing::Batch whole_batch(std::int64_t time) {
  testing::Batch batch;
  batch.fields.push_back({.name = "v"});
  for (SeriesId id = 0; id < kSeriesEach; ++id) {
    batch.series.push_back(id);
    batch.times.push_back(time);
    batch.fields[0].cells.push_back(static_cast<std::uint64_t>(time));
  }
  return batch;
}

struct Shared {
  MemoryBudget budget;
  Head head{EqualTimes::kKeep, budget};
  std::shared_ptr<const Fields> fields = std::make_shared<const Fields>(Fields{{.name = "v"}});
  std::mutex mutex;             // as a table has it: the views that were taken, and those of the head, at one moment
  std::vector<HeadView> taken;  // guarded by mutex

  void append(std::int64_t time) {
    testing::Batch batch = whole_batch(time);
    const Route route(batch.series);
    ShardSet untidy = 0;
    {
      const Head::Lock lock(head, route.shards());
      untidy = head.append(lock, fields, batch.rows(), route);
    }
    head.tidy(untidy);
  }
  std::vector<HeadView> views() {
    const Head::Lock lock(head, kAllShards);
    const std::lock_guard guard(mutex);
    auto all = taken;
    all.push_back(head.view(lock));
    return all;
  }
  void take() {
    const Head::Lock lock(head, kAllShards);
    const std::lock_guard guard(mutex);
    taken.push_back(head.take(lock));
  }
};

/// Each time is there in all series or in none; returns how many there are.
std::size_t expect_whole_batches(Shared& shared, bool all) {
  std::vector<SeriesId> each(kSeriesEach);
  std::iota(each.begin(), each.end(), SeriesId{0});
  const HeadReader reader(shared.views(), shared.fields, {0}, EqualTimes::kKeep,
                          all ? std::nullopt : std::optional(std::move(each)));
  std::vector<std::int64_t> first;
  for (SeriesId id = 0; id < kSeriesEach; ++id) {
    Rows rows = reader.no_rows();
    EXPECT_TRUE(reader.read(id, {}, rows));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows.columns[0].cells[i], static_cast<std::uint64_t>(rows.times[i]));
    }
    if (id == 0) first = rows.times;
    EXPECT_EQ(rows.times, first);
  }
  return first.size();
}

TEST(HeadConcurrent, BatchesAreSeenWhole) {
  constexpr int kWriters = 4;
  constexpr int kBatchesEach = 400;
  Shared shared;
  std::atomic<int> writing = kWriters;
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&shared, &writing, writer] {
      for (int i = 0; i < kBatchesEach; ++i) shared.append(i * kWriters + writer);
      --writing;
    });
  }
  threads.emplace_back([&] {
    while (writing > 0) {
      shared.take();
      std::this_thread::yield();
    }
  });
  for (int reader = 0; reader < 2; ++reader) {
    threads.emplace_back([&, reader] {
      std::size_t before = 0;
      while (writing > 0) {
        const std::size_t now = expect_whole_batches(shared, reader == 0);
        EXPECT_GE(now, before);
        before = now;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(expect_whole_batches(shared, true), std::size_t{kWriters * kBatchesEach});
}

}  // namespace
}  // namespace marigram::head
