// A clock that stands still until it is told: virtual time for tests.
#pragma once

#include "base/clock.h"

#include <marigram/time.h>

#include <chrono>
#include <cstdint>
#include <mutex>

namespace marigram {

/// Thread-safe. sleep_for does not wait: it moves the time on and returns, so that whoever polls comes to an end.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start = {.seconds = 1'700'000'000, .nanos = 0}) : now_(start) {}

  Instant now() const override {
    const std::scoped_lock lock(mutex_);
    return now_;
  }

  void sleep_for(std::chrono::nanoseconds duration) const override { advance(duration); }

  /// Backwards too: the machine's clock does that as well.
  void set(Instant now) {
    const std::scoped_lock lock(mutex_);
    now_ = now;
  }

  /// A negative duration does nothing, as with a real sleep.
  void advance(std::chrono::nanoseconds duration) const {
    if (duration.count() <= 0) return;
    constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
    const std::scoped_lock lock(mutex_);
    const std::int64_t nanos = now_.nanos + duration.count() % kNanosPerSecond;
    now_.seconds += duration.count() / kNanosPerSecond + nanos / kNanosPerSecond;
    now_.nanos = static_cast<std::uint32_t>(nanos % kNanosPerSecond);
  }

 private:
  mutable std::mutex mutex_;
  mutable Instant now_;  // guarded by mutex_
};

}  // namespace marigram
