// Virtual time is what all tests of retries and ages stand on, and the machine's clock stamps commits. Without this
// test a carry lost between nanoseconds and seconds would make both wrong.
#include "base/clock.h"
#include "base/manual_clock.h"

#include <gtest/gtest.h>

#include <chrono>

namespace marigram {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(ManualClock, StandsStillAndMovesWhenTold) {
  ManualClock clock(Instant{10, 0});
  EXPECT_EQ(clock.now(), (Instant{10, 0}));
  EXPECT_EQ(clock.now(), (Instant{10, 0}));
  clock.advance(seconds(5));
  EXPECT_EQ(clock.now(), (Instant{15, 0}));
  clock.set(Instant{-3, 999'999'999});
  EXPECT_EQ(clock.now(), (Instant{-3, 999'999'999}));
}

TEST(ManualClock, CarriesNanosecondsIntoSeconds) {
  ManualClock clock(Instant{-1, 999'999'999});
  clock.sleep_for(nanoseconds(1));
  EXPECT_EQ(clock.now(), (Instant{0, 0}));
  clock.sleep_for(nanoseconds(2'999'999'999));
  EXPECT_EQ(clock.now(), (Instant{2, 999'999'999}));
  clock.sleep_for(nanoseconds(0));
  clock.sleep_for(nanoseconds(-5));
  EXPECT_EQ(clock.now(), (Instant{2, 999'999'999}));
}

TEST(SystemClock, TellsTheTimeOfTheSystem) {
  const auto nanos = [] {
    return std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  };
  const Instant before = Instant::from_units(nanos(), TimeUnit::kNano);
  const Instant now = system_clock().now();
  EXPECT_LE(before, now);
  EXPECT_LE(now, Instant::from_units(nanos(), TimeUnit::kNano));
  EXPECT_EQ(&system_clock(), &system_clock());
}

TEST(SystemClock, SleepsNoShorterThanAsked) {
  const auto begin = std::chrono::steady_clock::now();
  system_clock().sleep_for(std::chrono::milliseconds(2));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2));
}

}  // namespace
}  // namespace marigram
