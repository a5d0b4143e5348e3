// Threads that count together. Without the mutex some of their steps would be lost.
#include "base/adaptive_mutex.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

namespace marigram {
namespace {

TEST(AdaptiveMutex, ShutsOthersOut) {
  constexpr int kThreads = 8;
  constexpr int kSteps = 20'000;
  AdaptiveMutex mutex;
  int steps = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int step = 0; step < kSteps; ++step) {
          const std::lock_guard lock(mutex);
          ++steps;
        }
      });
    }
  }
  EXPECT_EQ(steps, kThreads * kSteps);
}

TEST(AdaptiveMutex, IsTriedWithoutWaiting) {
  AdaptiveMutex mutex;
  const std::lock_guard lock(mutex);
  bool taken = true;
  std::jthread([&] { taken = mutex.try_lock(); }).join();
  EXPECT_FALSE(taken);
}

}  // namespace
}  // namespace marigram
