// Threads that count together. Without the lock some of their steps would be lost.
#include "base/patient_lock.h"

#include <gtest/gtest.h>

#include <mutex>
#include <thread>
#include <vector>

namespace marigram {
namespace {

TEST(PatientLock, ShutsOthersOut) {
  constexpr int kThreads = 8;
  constexpr int kSteps = 20'000;
  std::mutex mutex;
  int steps = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        for (int step = 0; step < kSteps; ++step) {
          lock_patiently(mutex);
          const std::lock_guard lock(mutex, std::adopt_lock);
          ++steps;
        }
      });
    }
  }
  EXPECT_EQ(steps, kThreads * kSteps);
}

}  // namespace
}  // namespace marigram
