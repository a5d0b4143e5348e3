// Many threads on one log. Without this test a batch could get lost or torn between two writers, a thread could be told
// that its batch is on stable storage before it is, or a truncation could hit a file that is still being written.
#include "base/clock.h"
#include "base/manual_clock.h"
#include "io/posix_file_system.h"
#include "io/temporary_folder.h"
#include "wal/test_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace marigram::wal {
namespace {

template <typename Body>
void in_threads(int count, Body body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

std::string payload_of(int thread, int number) {
  return std::to_string(thread) + ":" + std::to_string(number) + ":" +
         std::string(static_cast<std::size_t>((thread * 37 + number * 101) % 700), static_cast<char>('a' + thread));
}

/// Every thread's batches are there in its order, and those up to `known[thread]` at least.
void expect_all(const std::vector<Entry>& entries, const std::vector<int>& known) {
  std::map<int, int> next;
  Lsn last = 0;
  for (const Entry& entry : entries) {
    EXPECT_GT(entry.lsn, last);
    last = entry.lsn;
    const int thread = std::stoi(entry.payload);
    EXPECT_EQ(entry.payload, payload_of(thread, next[thread]++));
  }
  for (std::size_t i = 0; i < known.size(); ++i) EXPECT_GE(next[static_cast<int>(i)], known[i]) << i;
}

TEST(ConcurrentWal, SyncedBatchesOfAllThreadsSurviveAPowerCut) {
  constexpr int kThreads = 8;
  constexpr int kBatches = 100;
  ManualClock clock;
  const auto disk = disk_with({}, clock);
  const OpenLog log = open_log(*disk, small_files(8'192)).value();
  in_threads(kThreads, [&](int me) {
    for (int i = 0; i < kBatches; ++i) {
      const auto lsn = log.wal->append(bytes_of(payload_of(me, i)), Durability::kSync);
      ASSERT_TRUE(lsn) << lsn.error().message;
      EXPECT_GT(log.wal->durable(), *lsn);
    }
  });
  expect_all(open_log(*disk->restart(), small_files(8'192)).value().entries, std::vector<int>(kThreads, kBatches));
}

/// Stands still where the disk asks for the time, amidst a write, while it is shut.
class GateClock final : public Clock {
 public:
  Instant now() const override {
    std::unique_lock lock(mutex_);
    ++waiting_;
    opened_.wait(lock, [this] { return open_; });
    --waiting_;
    return {.seconds = 1'700'000'000};
  }
  void sleep_for(std::chrono::nanoseconds) const override {}
  void set_open(bool open) {
    const std::scoped_lock lock(mutex_);
    open_ = open;
    opened_.notify_all();
  }
  bool holds_one() const {
    const std::scoped_lock lock(mutex_);
    return waiting_ > 0;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable opened_;
  mutable int waiting_ = 0;
  bool open_ = true;
};

TEST(ConcurrentWal, OneSyncServesAllThatWait) {
  constexpr int kThreads = 64;
  GateClock gate;
  const auto disk = disk_with({}, gate);
  const OpenLog log = open_log(*disk, small_files(1 << 20)).value();
  log.append("makes the file");
  const std::uint64_t before = disk->points();
  const Lsn begin = log.wal->position();
  gate.set_open(false);
  std::thread first([&] { log.append("first"); });
  while (!gate.holds_one()) std::this_thread::yield();
  std::vector<std::thread> others;
  for (int i = 1; i < kThreads; ++i) others.emplace_back([&] { log.append("other"); });
  // No lock is held amidst the write: all others queue their batches meanwhile.
  while (log.wal->position() < begin + kThreads * record_bytes(5)) std::this_thread::yield();
  gate.set_open(true);
  first.join();
  for (std::thread& thread : others) thread.join();
  EXPECT_EQ(disk->points(), before + 4);  // a write and a sync for the first, and for all others
  EXPECT_EQ(open_log(*disk->restart(), small_files(1 << 20)).value().entries.size(), 1u + kThreads);
}

TEST(ConcurrentWal, APowerCutAmidstLosesNothingAcknowledged) {
  constexpr int kThreads = 6;
  ManualClock clock;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto disk = disk_with({}, clock);
    const OpenLog log = open_log(*disk, small_files(4'096)).value();
    disk->arm(io::FaultStore::Mode::kPowerCut, 20 + seed * 7, seed);
    std::vector<int> synced(kThreads);
    in_threads(kThreads, [&](int me) {
      for (int i = 0;; ++i) {
        const bool sync = (i + me) % 3 == 0;
        const auto lsn = log.wal->append(bytes_of(payload_of(me, i)), sync ? Durability::kSync : Durability::kBuffered);
        if (!lsn) return;
        if (sync) synced[static_cast<std::size_t>(me)] = i + 1;
      }
    });
    const auto found = open_log(*disk->restart(), small_files(4'096));
    ASSERT_TRUE(found) << found.error().message;
    expect_all(found->entries, synced);
  }
}

TEST(ConcurrentWal, AppendsSyncsAndTruncationsAtOnceOnTheMachinesFiles) {
  constexpr int kWriters = 4;
  constexpr int kBatches = 2'000;
  const io::TemporaryFolder folder;
  const auto files = io::make_posix_file_system();
  WalOptions options = small_files(65'536);
  options.queue_bytes = 16'384;
  std::atomic<int> writing = kWriters;
  {
    const OpenLog log = open_log(*files, options, folder.path()).value();
    in_threads(kWriters + 2, [&](int me) {
      if (me < kWriters) {
        for (int i = 0; i < kBatches; ++i) {
          const auto lsn =
              log.wal->append(bytes_of(payload_of(me, i)), i % 200 == 0 ? Durability::kSync : Durability::kBuffered);
          ASSERT_TRUE(lsn) << lsn.error().message;
        }
        --writing;
      } else if (me == kWriters) {
        while (writing > 0) ASSERT_TRUE(log.wal->sync());
      } else {
        while (writing > 0) {
          const Lsn durable = log.wal->durable();
          ASSERT_TRUE(log.wal->truncate(durable));
          EXPECT_LE(durable, log.wal->position());
        }
      }
    });
    ASSERT_TRUE(log.wal->close());
    options.start = log.wal->durable();
  }
  EXPECT_TRUE(open_log(*files, options, folder.path()).value().entries.empty());
}

TEST(ConcurrentWal, AFailureReachesEveryThread) {
  ManualClock clock;
  const auto disk = disk_with({}, clock);
  const OpenLog log = open_log(*disk, small_files(65'536)).value();
  disk->arm(io::FaultStore::Mode::kFailOnce, 9, 1);
  std::atomic<int> failed = 0;
  in_threads(8, [&](int me) {
    for (int i = 0; i < 1'000; ++i) {
      const auto lsn = log.wal->append(bytes_of(payload_of(me, i % 5)), Durability::kSync);
      if (lsn) continue;
      EXPECT_EQ(lsn.error().code, ErrorCode::kIo);
      ++failed;
      return;
    }
  });
  EXPECT_EQ(failed, 8);
}

}  // namespace
}  // namespace marigram::wal
