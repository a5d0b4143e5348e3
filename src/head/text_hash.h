// Hashes and comparison of short texts, for tables in memory: what looking up a series spends its time on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace marigram::head {

/// `T` from bytes that need not be aligned.
template <typename T>
std::uint64_t load_bytes(const char* bytes) {
  T value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

/// A hash of texts that are added one after the other; their borders count. After Wang Yi's wyhash
/// (https://github.com/wangyi-fudan/wyhash): eight bytes a multiplication. Differs between machines; never stored.
class TextHash {
 public:
  TextHash& add(std::string_view text) {
    const char* bytes = text.data();
    std::size_t left = text.size();
    for (; left > 8; left -= 8, bytes += 8) state_ = fold(state_ ^ load_bytes<std::uint64_t>(bytes), kA);
    std::uint64_t last = 0;
    if (left >= 4) {
      last = load_bytes<std::uint32_t>(bytes) << 32 | load_bytes<std::uint32_t>(bytes + left - 4);
    } else if (left > 0) {
      last = load_bytes<std::uint8_t>(bytes) << 16 | load_bytes<std::uint8_t>(bytes + left / 2) << 8 |
             load_bytes<std::uint8_t>(bytes + left - 1);
    }
    state_ = fold(state_ ^ last, kB ^ text.size());
    return *this;
  }

  /// Each bit of the texts changes half of its bits.
  std::uint64_t value() const { return fold(state_, kA); }

 private:
  // Odd, about half of the bits set: a multiplier of Steele and Vigna's, and 2^64 / golden ratio.
  static constexpr std::uint64_t kA = 0xD1342543DE82EF95;
  static constexpr std::uint64_t kB = 0x9E3779B97F4A7C15;

  /// Both halves of the product.
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  std::uint64_t state_ = kB;
};

inline std::uint64_t hash_text(std::string_view text) {
  return TextHash().add(text).value();
}

/// a == b, without a call for texts of up to 16 bytes.
inline bool same_text(std::string_view a, std::string_view b) {
  const std::size_t size = a.size();
  if (size != b.size()) return false;
  const auto same_ends = [&]<typename T>(T) {
    const std::size_t last = size - sizeof(T);
    return load_bytes<T>(a.data()) == load_bytes<T>(b.data()) &&
           load_bytes<T>(a.data() + last) == load_bytes<T>(b.data() + last);
  };
  if (size > 16) return std::memcmp(a.data(), b.data(), size) == 0;
  if (size >= 8) return same_ends(std::uint64_t{});
  if (size >= 4) return same_ends(std::uint32_t{});
  if (size >= 2) return same_ends(std::uint16_t{});
  return size == 0 || a.front() == b.front();
}

}  // namespace marigram::head
