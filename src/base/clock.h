// The only door to wall-clock time and to sleeping, so that tests can run on virtual time.
#pragma once

#include <marigram/time.h>

#include <chrono>

namespace marigram {

class Clock {
 public:
  virtual ~Clock() = default;
  /// UTC now. Not monotonic.
  virtual Instant now() const = 0;
  virtual void sleep_for(std::chrono::nanoseconds duration) const = 0;
};

/// The machine's clock. Process-wide, thread-safe.
const Clock& system_clock();

}  // namespace marigram
