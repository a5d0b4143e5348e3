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

/// The value that begins with the bit. Reads a word, and a byte if the value goes on behind it.
template <unsigned kWidth, std::size_t kBit>
std::uint64_t quick_value(const std::uint8_t* in) {
  std::uint64_t word = load_whole_word(in + kBit / 8) >> (kBit % 8);
  if constexpr (kBit % 8 + kWidth > 64) word |= std::uint64_t{in[kBit / 8 + kWordBytes]} << (64 - kBit % 8);
  return word & (~std::uint64_t{0} >> (64 - kWidth));
}

template <unsigned kWidth, typename T, std::size_t... kIndex>
void unpack_group(const std::uint8_t* in, T* out, std::index_sequence<kIndex...> /*values*/) {
  ((out[kIndex] = static_cast<T>(quick_value<kWidth, kIndex * kWidth>(in))), ...);
}

template <unsigned kWidth, std::size_t... kIndex>
std::uint64_t sum_group(const std::uint8_t* in, std::index_sequence<kIndex...> /*values*/) {
  return (quick_value<kWidth, kIndex * kWidth>(in) + ...);
}

/// Groups of values whose width the compiler knows. Reads less than a word behind the last one.
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

std::uint64_t load_end(Bytes bytes, std::size_t at) {
  std::uint64_t word = 0;
  if (at < bytes.size()) std::memcpy(&word, bytes.data() + at, std::min(sizeof(word), bytes.size() - at));
  return word;
}

template <typename T>
void unpack(Bytes bytes, unsigned width, std::size_t begin, std::size_t count, T* out) {
  static constexpr auto kUnpacks = unpacks<T>(std::make_index_sequence<std::numeric_limits<T>::digits>());
  for (; count > 0 && begin % kGroup != 0; ++begin, --count) {
    *out++ = static_cast<T>(value_at(bytes, width, begin * width));
  }
  const auto unpack_some = kUnpacks[width - 1];
  bytes = bytes.subspan(begin / kGroup * width);
  const std::size_t groups = std::min(count / kGroup, quick_groups(bytes, width));
  unpack_some(bytes.data(), groups, out);
  count -= groups * kGroup;
  if (count == 0) return;
  // The rest from a copy with zeros behind it: bytes of less than two groups and a word, or one group.
  bytes = bytes.subspan(groups * width);
  out += groups * kGroup;
  std::array<std::uint8_t, 2 * 64 + 2 * kWordBytes> padded{};
  std::array<T, (kWordBytes + 2) * kGroup> values;  // NOLINT(cppcoreguidelines-pro-type-member-init): of one bit each
  const std::size_t rest = (count + kGroup - 1) / kGroup;
  std::memcpy(padded.data(), bytes.data(), std::min(bytes.size(), rest * width));
  unpack_some(padded.data(), rest, values.data());
  std::copy_n(values.begin(), count, out);
}

std::uint64_t sum_packed(Bytes bytes, unsigned width, std::size_t count) {
  static constexpr auto kSums = sums(std::make_index_sequence<64>());
  const std::size_t groups = std::min(count / kGroup, quick_groups(bytes, width));
  std::uint64_t sum = kSums[width - 1](bytes.data(), groups);
  for (std::size_t at = groups * kGroup; at < count; ++at) sum += value_at(bytes, width, at * width);
  return sum;
}

template void unpack(Bytes, unsigned, std::size_t, std::size_t, std::uint32_t*);
template void unpack(Bytes, unsigned, std::size_t, std::size_t, std::uint64_t*);

}  // namespace marigram::codec
