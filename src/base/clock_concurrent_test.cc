// Writers in tests share one virtual clock. Without this test two sleepers could lose each other's step.
#include "base/manual_clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace marigram {
namespace {

TEST(ConcurrentManualClock, NoStepIsLost) {
  ManualClock clock(Instant{0, 0});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&clock] {
      Instant last = clock.now();
      for (int i = 0; i < 10'000; ++i) {
        clock.sleep_for(std::chrono::microseconds(150));
        const Instant now = clock.now();
        EXPECT_LT(last, now);
        last = now;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clock.now(), (Instant{6, 0}));
}

}  // namespace
}  // namespace marigram
