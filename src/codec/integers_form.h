// How blocks of integers (integers.h) are laid out: what their encoder and decoder share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace marigram::codec::integers {

enum Encoding : std::uint8_t { kConstant, kPacked, kDeltas, kDoubleDeltas, kTicks, kSequence };

inline constexpr std::uint8_t kAligned = 1U << 3U;
inline constexpr unsigned kWidthInTagMax = 14;

/// Of double deltas: behind as many ones as its number, and a zero but for the last one, so many bits of a number,
/// which are counted from the first one of the code.
struct Code {
  unsigned bits;
  std::uint64_t first;  // zigzag-coded number
};
inline constexpr std::array<Code, 5> kCodes{{{0, 0}, {2, 1}, {4, 5}, {8, 21}, {20, 277}}};

inline std::size_t bytes_of(std::size_t bits) {
  return (bits + 7) / 8;
}

}  // namespace marigram::codec::integers
