#include "base/processors.h"

namespace marigram {
namespace {

bool can_run(Processor wanted) {
#if defined(__x86_64__)
  if (wanted == Processor::kWide) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("fma") && __builtin_cpu_supports("lzcnt") && __builtin_cpu_supports("popcnt");
  }
#endif
  return wanted == Processor::kAny;
}

}  // namespace

std::atomic<Processor> detail::processor{can_run(Processor::kWide) ? Processor::kWide : Processor::kAny};

bool use_processor(Processor wanted) {
  if (!can_run(wanted)) return false;
  detail::processor.store(wanted, std::memory_order_relaxed);
  return true;
}

}  // namespace marigram
