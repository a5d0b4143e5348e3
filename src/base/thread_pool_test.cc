// All parallel work of the house runs on this pool. Without this test a task could be lost at shutdown, run twice, or
// race with its result.
#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace marigram {
namespace {

TEST(ConcurrentThreadPool, RunsEveryTaskOnceAndReturnsItsResult) {
  ThreadPool pool(3);
  EXPECT_EQ(pool.size(), 3u);
  std::vector<std::future<int>> results;
  for (int i = 0; i < 5'000; ++i) {
    results.push_back(pool.submit([i] { return i * 2; }));
  }
  for (int i = 0; i < 5'000; ++i) EXPECT_EQ(results[static_cast<std::size_t>(i)].get(), i * 2);
}

TEST(ConcurrentThreadPool, OneWorkerKeepsTheOrderOfSubmission) {
  ThreadPool pool(1);
  std::vector<int> order;  // touched by the one worker only
  for (int i = 0; i < 1'000; ++i) pool.submit([i, &order] { order.push_back(i); });
  pool.submit([] {}).get();
  ASSERT_EQ(order.size(), 1'000u);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
}

TEST(ConcurrentThreadPool, ZeroThreadsMeansOne) {
  ThreadPool pool(0);
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_EQ(pool.submit([] { return 7; }).get(), 7);
}

TEST(ConcurrentThreadPool, WorkersRunAtTheSameTime) {
  ThreadPool pool(4);
  std::latch all_here(4);  // opens only if four tasks run at once
  std::vector<std::future<void>> tasks;
  for (int i = 0; i < 4; ++i) tasks.push_back(pool.submit([&all_here] { all_here.arrive_and_wait(); }));
  for (auto& task : tasks) task.get();
}

TEST(ConcurrentThreadPool, DestructorRunsWhatIsQueued) {
  std::atomic<int> ran = 0;
  {
    std::latch hold(1);
    ThreadPool pool(1);
    pool.submit([&hold] { hold.wait(); });
    for (int i = 0; i < 500; ++i) pool.submit([&ran] { ++ran; });
    hold.count_down();
  }
  EXPECT_EQ(ran, 500);
}

TEST(ConcurrentThreadPool, ManyThreadsSubmitAndTasksMaySubmit) {
  std::atomic<int> ran = 0;
  {
    ThreadPool pool(2);
    std::vector<std::thread> submitters;
    for (int t = 0; t < 4; ++t) {
      submitters.emplace_back([&] {
        for (int i = 0; i < 500; ++i) {
          pool.submit([&] {
            ++ran;
            pool.submit([&ran] { ++ran; });
          });
        }
      });
    }
    for (std::thread& submitter : submitters) submitter.join();
  }
  EXPECT_EQ(ran, 4'000);
}

TEST(ConcurrentThreadPool, TakesMoveOnlyTasksAndExceptionsEndInTheFuture) {
  ThreadPool pool(2);
  auto owned = std::make_unique<int>(41);
  EXPECT_EQ(pool.submit([owned = std::move(owned)] { return *owned + 1; }).get(), 42);
  auto failed = pool.submit([]() -> int { throw std::runtime_error("no"); });
  EXPECT_THROW(failed.get(), std::runtime_error);
  EXPECT_EQ(pool.submit([] { return 1; }).get(), 1);  // the worker lives on
}

}  // namespace
}  // namespace marigram
