// Two ways to put integers into bytes, which Parquet has too: a fixed number of bits each, and ULEB128.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace marigram::codec {

using Bytes = std::span<const std::uint8_t>;

/// Eight bytes as a little-endian number.
inline std::uint64_t load_whole_word(const std::uint8_t* bytes) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

/// Those from `at` on, of which there are less than eight; what lies behind the end counts as zero.
[[gnu::noinline, gnu::cold]] std::uint64_t load_end(Bytes bytes, std::size_t at);

/// Up to eight bytes from `at` on; what lies behind the end counts as zero.
inline std::uint64_t load_word(Bytes bytes, std::size_t at) {
  if (bytes.size() >= sizeof(std::uint64_t) && at <= bytes.size() - sizeof(std::uint64_t)) {
    return load_whole_word(bytes.data() + at);
  }
  return load_end(bytes, at);
}

/// The values number `begin` to `begin + count - 1`, which must lie inside the bytes, of `width` bits each (1 to 64,
/// not more than T has), the first one in the lowest bits of the first byte. T: std::uint32_t, std::uint64_t.
template <typename T>
void unpack(Bytes bytes, unsigned width, std::size_t begin, std::size_t count, T* out);

/// The sum, modulo 2^64, of the first `count` values, as unpack() gives them.
std::uint64_t sum_packed(Bytes bytes, unsigned width, std::size_t count);

/// Takes a ULEB128 number off the front; unset if the bytes end before it, or if it exceeds 64 bits.
inline std::optional<std::uint64_t> take_uleb128(Bytes& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const std::uint64_t bits = bytes[i] & 0x7FU;
    if (i == 9 && bits > 1) return std::nullopt;
    value |= bits << (7 * i);
    if ((bytes[i] & 0x80U) != 0) continue;
    bytes = bytes.subspan(i + 1);
    return value;
  }
  return std::nullopt;
}

/// Small for numbers near zero of either sign: 0, -1, 1, -2 become 0, 1, 2, 3. Of numbers modulo 2^64.
inline std::uint64_t zigzag(std::uint64_t value) {
  return (value << 1U) ^ (0 - (value >> 63U));
}
inline std::uint64_t unzigzag(std::uint64_t coded) {
  return (coded >> 1U) ^ (0 - (coded & 1U));
}

/// As take_uleb128, of a number that was coded by zigzag().
inline std::optional<std::uint64_t> take_zigzag(Bytes& bytes) {
  const auto coded = take_uleb128(bytes);
  if (!coded) return std::nullopt;
  return unzigzag(*coded);
}

}  // namespace marigram::codec
