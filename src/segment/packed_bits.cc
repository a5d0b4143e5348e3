#include "segment/packed_bits.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

namespace marigram::segment {
namespace {

constexpr std::size_t kGroup = 8;  // values that begin and end with a byte
constexpr std::size_t kWordBytes = sizeof(std::uint64_t);
constexpr unsigned kQuickWidthMax = 57;  // with the bits before it in its first byte, a value fits into a word

template <unsigned kWidth, typename T, std::size_t... kIndex>
void unpack_group(const std::uint8_t* in, T* out, std::index_sequence<kIndex...> /*values*/) {
  const auto value = [in](std::size_t bit) {
    std::uint64_t word = 0;
    std::memcpy(&word, in + bit / 8, kWordBytes);
    return static_cast<T>((word >> (bit % 8)) & (~std::uint64_t{0} >> (64 - kWidth)));
  };
  ((out[kIndex] = value(kIndex * kWidth)), ...);
}

/// Groups of values whose width the compiler knows. Reads up to a word behind the last one.
template <unsigned kWidth, typename T>
void unpack_groups(const std::uint8_t* in, std::size_t groups, T* out) {
  for (std::size_t i = 0; i < groups; ++i, in += kWidth, out += kGroup) {
    unpack_group<kWidth>(in, out, std::make_index_sequence<kGroup>());
  }
}

template <typename T>
using Unpack = void (*)(const std::uint8_t*, std::size_t, T*);

template <typename T, std::size_t... kWidth>
constexpr std::array<Unpack<T>, sizeof...(kWidth)> unpacks(std::index_sequence<kWidth...> /*widths less one*/) {
  return {unpack_groups<kWidth + 1, T>...};
}

std::uint64_t value_at(Bytes bytes, unsigned width, std::size_t bit) {
  std::uint64_t value = load_word(bytes, bit / 8) >> (bit % 8);
  if (width + bit % 8 > 64) value |= load_word(bytes, bit / 8 + kWordBytes) << (64 - bit % 8);
  return value & (~std::uint64_t{0} >> (64 - width));
}

}  // namespace

template <typename T>
void unpack(Bytes bytes, unsigned width, std::size_t begin, std::size_t count, T* out) {
  constexpr unsigned kWidths = std::min<unsigned>(kQuickWidthMax, std::numeric_limits<T>::digits);
  static constexpr auto kUnpacks = unpacks<T>(std::make_index_sequence<kWidths>());
  const std::size_t end = begin + count;
  const auto next = [&] { return static_cast<T>(value_at(bytes, width, begin * width)); };
  for (; begin < end && begin % kGroup != 0; ++begin) *out++ = next();
  if (width <= kWidths) {
    const std::size_t first = begin / kGroup * width;
    const std::size_t readable = bytes.size() < first + kWordBytes ? 0 : (bytes.size() - first - kWordBytes) / width;
    const std::size_t groups = std::min((end - begin) / kGroup, readable);
    kUnpacks[width - 1](bytes.data() + first, groups, out);
    begin += groups * kGroup;
    out += groups * kGroup;
  }
  for (; begin < end; ++begin) *out++ = next();
}

template void unpack(Bytes, unsigned, std::size_t, std::size_t, std::uint32_t*);
template void unpack(Bytes, unsigned, std::size_t, std::size_t, std::uint64_t*);

}  // namespace marigram::segment
