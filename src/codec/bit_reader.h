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
  explicit BitReader(Bytes bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

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

  Bytes bytes() const { return bytes_; }
  std::size_t bits_read() const { return at_; }

  bool ended_before() const { return at_ > bytes_.size() * 8; }
  /// The whole bytes that were read from.
  std::size_t bytes_read() const { return std::min((at_ + 7) / 8, bytes_.size()); }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;  // in bits
};

/// Reads words, each begun by the time that the one before is used, so that nothing waits for it; as long as there are
/// whole ones.
class WordReader {
 public:
  static constexpr unsigned kBits = 56;  // of a word, after refill()

  explicit WordReader(const BitReader& bits) : bytes_(bits.bytes()) {
    const auto begun = static_cast<unsigned>(bits.bits_read() % 8);
    next_ = bits.bits_read() / 8 + 1;
    held_ = 8 - begun;
    if (next_ <= bytes_.size()) word_ = std::uint64_t{bytes_[next_ - 1]} >> begun;
  }

  /// False if there is no whole word.
  bool refill() {
    if (next_ + sizeof(word_) > bytes_.size()) return false;
    word_ |= load_whole_word(bytes_.data() + next_) << held_;
    next_ += (63 - held_) / 8;
    held_ |= kBits;
    return true;
  }

  std::uint64_t word() const { return word_; }
  /// At most kBits between two refills.
  void skip(unsigned bits) {
    word_ >>= bits;
    held_ -= bits;
  }

  BitReader rest() const { return BitReader(bytes_, 8 * next_ - held_); }

 private:
  Bytes bytes_;
  std::size_t next_;        // the first byte of which no bit is held
  std::uint64_t word_ = 0;  // above those held, more of what follows, or zeros
  unsigned held_;           // bits, below 64
};

}  // namespace marigram::codec
