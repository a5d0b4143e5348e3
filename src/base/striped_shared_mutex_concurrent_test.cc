// Readers and writers of one value. Without the writers' lock on every stripe a reader would see half of a change.
#include "base/striped_shared_mutex.h"

#include <gtest/gtest.h>

#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace marigram {
namespace {

TEST(StripedSharedMutex, ReadersSeeWholeChanges) {
  constexpr int kReaders = 40;  // more than there are stripes
  constexpr int kWriters = 2;
  constexpr int kChanges = 200;
  StripedSharedMutex mutex;
  int first = 0;
  int second = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&] {
      for (int change = 0; change < kChanges; ++change) {
        const std::lock_guard lock(mutex);
        ++first;
        ++second;
      }
    });
  }
  for (int i = 0; i < kReaders; ++i) {
    threads.emplace_back([&] {
      for (int seen = 0; seen < kWriters * kChanges;) {
        const std::shared_lock lock(mutex);
        ASSERT_EQ(first, second);
        ASSERT_GE(first, seen);
        seen = first;
      }
    });
  }
}

}  // namespace
}  // namespace marigram
