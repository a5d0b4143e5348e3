#include "base/clock.h"

#include <thread>

namespace marigram {
namespace {

class SystemClock final : public Clock {
 public:
  Instant now() const override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return Instant::from_units(std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count(),
                               TimeUnit::kNano);
  }

  void sleep_for(std::chrono::nanoseconds duration) const override { std::this_thread::sleep_for(duration); }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace marigram
