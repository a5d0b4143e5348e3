#include "codec/packed_bits.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

namespace marigram::codec {
namespace {

constexpr std::size_t kGroup = 8;  // values that begin and end with a byte
constexpr std::size_t kWordBytes = sizeof(std::uint64_t);
constexpr unsigned kQuickWidthMax = 57;  // with the bits before it in its first byte, a value fits into a word

/// The value that begins with the bit. Reads a word.
template <unsigned kWidth>
std::uint64_t quick_value(const std::uint8_t* in, std::size_t bit) {
  std::uint64_t word = 0;
  std::memcpy(&word, in + bit / 8, kWordBytes);
  return (word >> (bit % 8)) & (~std::uint64_t{0} >> (64 - kWidth));
}

template <unsigned kWidth, typename T, std::size_t... kIndex>
void unpack_group(const std::uint8_t* in, T* out, std::index_sequence<kIndex...> /*values*/) {
  ((out[kIndex] = static_cast<T>(quick_value<kWidth>(in, kIndex * kWidth))), ...);
}

template <unsigned kWidth, std::size_t... kIndex>
std::uint64_t sum_group(const std::uint8_t* in, std::index_sequence<kIndex...> /*values*/) {
  return (quick_value<kWidth>(in, kIndex * kWidth) + ...);
}

/// Groups of values whose width the compiler knows. Reads up to a word behind the last one.
template <unsigned kWidth, typename T>
void unpack_groups(const std::uint8_t* in, std::size_t groups, T* out) {
  for (std::size_t i = 0; i < groups; ++i, in += kWidth, out += kGroup) {
    unpack_group<kWidth>(in, out, std::make_index_sequence<kGroup>());
  }
}

template <unsigned kWidth>
std::uint64_t sum_groups(const std::uint8_t* in, std::size_t groups) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < groups; ++i, in += kWidth) {
    sum += sum_group<kWidth>(in, std::make_index_sequence<kGroup>());
  }
  return sum;
}

/// How many groups from the first one on can be read quickly.
std::size_t quick_groups(Bytes bytes, unsigned width) {
  return bytes.size() < kWordBytes ? 0 : (bytes.size() - kWordBytes) / width;
}

template <typename T>
using Unpack = void (*)(const std::uint8_t*, std::size_t, T*);

template <typename T, std::size_t... kWidth>
constexpr std::array<Unpack<T>, sizeof...(kWidth)> unpacks(std::index_sequence<kWidth...> /*widths less one*/) {
  return {unpack_groups<kWidth + 1, T>...};
}

using Sum = std::uint64_t (*)(const std::uint8_t*, std::size_t);

template <std::size_t... kWidth>
constexpr std::array<Sum, sizeof...(kWidth)> sums(std::index_sequence<kWidth...> /*widths less one*/) {
  return {sum_groups<kWidth + 1>...};
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
    const Bytes rest = bytes.subspan(begin / kGroup * width);
    const std::size_t groups = std::min((end - begin) / kGroup, quick_groups(rest, width));
    kUnpacks[width - 1](rest.data(), groups, out);
    begin += groups * kGroup;
    out += groups * kGroup;
  }
  for (; begin < end; ++begin) *out++ = next();
}

std::uint64_t sum_packed(Bytes bytes, unsigned width, std::size_t count) {
  static constexpr auto kSums = sums(std::make_index_sequence<kQuickWidthMax>());
  std::uint64_t sum = 0;
  std::size_t at = 0;
  if (width <= kQuickWidthMax) {
    const std::size_t groups = std::min(count / kGroup, quick_groups(bytes, width));
    sum = kSums[width - 1](bytes.data(), groups);
    at = groups * kGroup;
  }
  for (; at < count; ++at) sum += value_at(bytes, width, at * width);
  return sum;
}

template void unpack(Bytes, unsigned, std::size_t, std::size_t, std::uint32_t*);
template void unpack(Bytes, unsigned, std::size_t, std::size_t, std::uint64_t*);

}  // namespace marigram::codec
