// Loops compiled once more for processors that can do more than the program asks for; the best that the processor at
// hand can run is taken when it runs (docs/decisions/0009-loops-compiled-twice.md).
//
// A loop is a function marked MARIGRAM_LOOP, so that it is compiled with what calls it: compiled<loop>(arguments) calls
// it so. What it gives must not depend on the processor, to the last bit: no sum of doubles but in one order, and no
// product that is added to a double but by std::fma.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#define MARIGRAM_LOOP [[gnu::always_inline]] inline
#if defined(__x86_64__)
#define MARIGRAM_WIDE [[gnu::target("avx2,bmi,bmi2,fma,lzcnt,popcnt")]]
#else
#define MARIGRAM_WIDE
#endif

namespace marigram {

enum class Processor : std::uint8_t {
  kAny,   // what the whole program is compiled for
  kWide,  // x86-64-v3: four numbers of 64 bits at a time, fused multiply-add, shifts that keep the flags
};

namespace detail {
extern std::atomic<Processor> processor;  // kAny until the program has begun

template <auto kLoop, typename... Arguments>
auto on_any(Arguments... arguments) {
  return kLoop(arguments...);
}

template <auto kLoop, typename... Arguments>
MARIGRAM_WIDE auto on_wide(Arguments... arguments) {
  return kLoop(arguments...);
}
}  // namespace detail

/// The one that loops run for, at first the best that the processor at hand can be.
inline Processor processor() {
  return detail::processor.load(std::memory_order_relaxed);
}

/// From now on, for tests. False, and nothing, if the processor at hand cannot.
bool use_processor(Processor wanted);

/// Arguments are copied.
template <auto kLoop, typename... Arguments>
auto compiled(Arguments... arguments) {
  return processor() == Processor::kWide ? detail::on_wide<kLoop>(arguments...) : detail::on_any<kLoop>(arguments...);
}

}  // namespace marigram
