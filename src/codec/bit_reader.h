// Reading bits of varying number.
#pragma once

#include "codec/packed_bits.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace marigram::codec {

/// Reads forward. Behind the end everything is zero, and ended_before() says that it was read.
class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  /// The next `width` (0 to 64) bits, the first one lowest.
  std::uint64_t take(unsigned width) {
    if (width == 0) return 0;
    std::uint64_t value = load_word(bytes_, at_ / 8) >> (at_ % 8);
    if (width + at_ % 8 > 64) value |= load_word(bytes_, at_ / 8 + 8) << (64 - at_ % 8);
    at_ += width;
    return value & (~std::uint64_t{0} >> (64 - width));
  }
  bool take_bit() { return take(1) != 0; }

  /// The next bits without taking them, at least so many; above them may be anything.
  static constexpr unsigned kPeekBits = 57;
  std::uint64_t peek() const { return load_word(bytes_, at_ / 8) >> (at_ % 8); }
  void skip(unsigned bits) { at_ += bits; }

  /// Takes ones up to the first zero, which it takes too, but no more than `most` bits; returns the number of ones.
  unsigned take_ones(unsigned most) {
    unsigned ones = 0;
    while (ones < most && take_bit()) ++ones;
    return ones;
  }

  bool ended_before() const { return at_ > bytes_.size() * 8; }
  /// The whole bytes that were read from.
  std::size_t bytes_read() const { return std::min((at_ + 7) / 8, bytes_.size()); }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;  // in bits
};

}  // namespace marigram::codec
