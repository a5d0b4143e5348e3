// Writing what packed_bits.h and bit_reader.h read.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace marigram::codec {

using Buffer = std::vector<std::uint8_t>;

inline void put_uleb128(std::uint64_t value, Buffer& out) {
  for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<std::uint8_t>(value | 0x80U));
  out.push_back(static_cast<std::uint8_t>(value));
}

/// Bytes that put_uleb128 writes.
inline std::size_t uleb128_bytes(std::uint64_t value) {
  std::size_t bytes = 1;
  for (; value >= 0x80; value >>= 7U) ++bytes;
  return bytes;
}

/// Appends bits, the first one in the lowest bit of the first byte. What is appended is complete after finish().
class BitWriter {
 public:
  explicit BitWriter(Buffer& out) : out_(out) {}

  /// The lowest `width` (0 to 64) bits of the value; the others must be zero.
  void put(std::uint64_t value, unsigned width) {
    word_ |= value << used_;
    if (used_ + width < 64) {
      used_ += width;
      return;
    }
    put_word(8);
    const unsigned written = 64 - used_;
    word_ = written == 64 ? 0 : value >> written;
    used_ = used_ + width - 64;
  }

  /// Pads the last byte with zeros.
  void finish() {
    put_word((used_ + 7) / 8);
    word_ = 0;
    used_ = 0;
  }

 private:
  void put_word(unsigned bytes) {
    static_assert(std::endian::native == std::endian::little);
    const auto word = std::bit_cast<std::array<std::uint8_t, sizeof(word_)>>(word_);
    out_.insert(out_.end(), word.begin(), word.begin() + bytes);
  }

  Buffer& out_;
  std::uint64_t word_ = 0;
  unsigned used_ = 0;  // bits of the word, below 64
};

}  // namespace marigram::codec
