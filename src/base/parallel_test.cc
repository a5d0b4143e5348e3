// Loops on a pool: every part is done once, also where the pool's threads wait in loops themselves. Without these a
// join could lose or double part of its probes, or hang.
#include "base/parallel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

namespace marigram {
namespace {

TEST(ParallelTest, DoesEachPartOnce) {
  ThreadPool pool(4);
  for (const std::size_t count : {0, 1, 2, 3, 1'000}) {
    std::vector<std::atomic<int>> done(count);
    ASSERT_TRUE(for_each_part(pool, count, [&](std::size_t part) -> Status {
      ++done[part];
      return {};
    }));
    EXPECT_TRUE(std::ranges::all_of(done, [](const auto& times) { return times == 1; })) << count;
  }
}

TEST(ParallelTest, LoopsWithinLoopsEnd) {
  ThreadPool pool(2);
  std::atomic<int> done = 0;
  const auto inner = [&](std::size_t) -> Status {
    ++done;
    return {};
  };
  ASSERT_TRUE(for_each_part(pool, 50, [&](std::size_t) { return for_each_part(pool, 50, inner); }));
  EXPECT_EQ(done, 2'500);
}

TEST(ParallelTest, LeavesOutWhatHasNotBegunWhenOneFails) {
  ThreadPool pool(1);  // so the parts come one by one
  std::size_t done = 0;
  const Status status = for_each_part(pool, 10, [&](std::size_t part) -> Status {
    ++done;
    if (part >= 7) return fail(ErrorCode::kInternal, std::to_string(part));
    return {};
  });
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "7");
  EXPECT_EQ(done, 8);
}

TEST(ParallelTest, PassesExceptionsOn) {
  ThreadPool pool(2);
  const auto throws = [](std::size_t part) -> Status {
    if (part == 3) throw std::runtime_error("three");
    return {};
  };
  EXPECT_THROW((void)for_each_part(pool, 10, throws), std::runtime_error);
}

}  // namespace
}  // namespace marigram
