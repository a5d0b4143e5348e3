#include "codec/doubles.h"

#include "base/processors.h"
#include "codec/decimals.h"
#include "codec/xor_doubles.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace marigram::codec {
namespace {

constexpr std::uint8_t kXor = 6;
constexpr std::uint8_t kOrdered = kXor | 1U << 3U;
constexpr std::uint8_t kDictionary = 7;
constexpr std::uint8_t kDecimals = kDictionary | 1U << 3U;  // in the upper bits the exponent; 0, not only integers
constexpr std::size_t kEntriesMax = 16;

void put_ordered(std::span<const double> values, Method method, Buffer& out) {
  std::vector<std::int64_t> integers(values.size());
  std::ranges::transform(values, integers.begin(), ordered_of);
  out.push_back(kOrdered);
  encode_integers(integers, 0, out, method);
}

MARIGRAM_LOOP void to_bits(std::uint64_t* ordered, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) ordered[i] = bits_of_ordered(ordered[i]);
}

bool take_ordered(Bytes& bytes, std::span<std::uint64_t> values) {
  if (!decode_integers(bytes, 0, values)) return false;
  compiled<to_bits>(values.data(), values.size());
  return true;
}

void put_tagged_decimals(const Decimals& decimals, Method method, Buffer& out) {
  if (!decimals.is_pure() || decimals.exponent > 0) {
    out.push_back(static_cast<std::uint8_t>(kDecimals | (decimals.is_pure() ? decimals.exponent << 4U : 0U)));
  }
  if (decimals.is_pure()) {
    encode_integers(decimals.integers, 0, out, method);
  } else {
    put_decimals(decimals, method, out);
  }
}

/// In the smallest way of the method, but a dictionary.
void put_plain(std::span<const double> values, Method method, Buffer& out) {
  if (method == Method::kGorilla) {
    out.push_back(kXor);
    return put_xor(values, out);
  }
  Buffer best;
  const auto decimals = decimals_of(values);
  if (decimals) put_tagged_decimals(*decimals, method, best);
  if (method != Method::kQuick && !(decimals && decimals->is_pure())) {
    Buffer block;
    put_ordered(values, method, block);
    if (best.empty() || block.size() < best.size()) best.swap(block);
  }
  const bool may_be_xor = method == Method::kQuick || method == Method::kAuto;
  if (may_be_xor && (best.empty() || 1 + xor_bytes(values, best.size()) < best.size())) {
    out.push_back(kXor);
    put_xor(values, out);
  } else {
    out.insert(out.end(), best.begin(), best.end());
  }
}

bool take_plain(Bytes& bytes, std::span<std::uint64_t> values) {
  if (bytes.empty()) return false;
  const std::uint8_t tag = bytes.front();
  if ((tag & 7U) < kIntegerTagsEnd) return decode_quotients(bytes, 0, values);
  bytes = bytes.subspan(1);
  if (tag == kXor) return take_xor(bytes, values);
  if (tag == kOrdered) return take_ordered(bytes, values);
  if (tag == kDecimals) return take_decimals(bytes, values);
  return (tag & 15U) == kDecimals && decode_quotients(bytes, tag >> 4U, values);
}

struct Dictionary {
  std::vector<double> entries;  // distinct, in order of appearance
  std::vector<std::uint8_t> indices;
};

unsigned index_bits(std::size_t entries) {
  return static_cast<unsigned>(std::bit_width(entries - 1));
}

/// Unset if there is but one value, or too many.
std::optional<Dictionary> dictionary_of(std::span<const double> values) {
  Dictionary dictionary;
  dictionary.indices.reserve(values.size());
  for (const double value : values) {
    auto& entries = dictionary.entries;
    const auto found =
        std::ranges::find(entries, std::bit_cast<std::uint64_t>(value), std::bit_cast<std::uint64_t, double>);
    if (found == entries.end() && entries.size() == kEntriesMax) return std::nullopt;
    dictionary.indices.push_back(static_cast<std::uint8_t>(found - entries.begin()));
    if (found == entries.end()) entries.push_back(value);
  }
  if (dictionary.entries.size() == 1) return std::nullopt;
  return dictionary;
}

void put_dictionary(const Dictionary& dictionary, Method method, Buffer& out) {
  out.push_back(kDictionary);
  out.push_back(static_cast<std::uint8_t>(dictionary.entries.size() - 2));
  put_plain(dictionary.entries, method, out);
  BitWriter bits(out);
  for (const std::uint8_t index : dictionary.indices) bits.put(index, index_bits(dictionary.entries.size()));
  bits.finish();
}

/// From indices, for each of which there is room. False if one is not below `count`.
bool look_up(const std::uint64_t* entries, std::uint64_t count, std::uint64_t* values, std::size_t size) {
  std::uint64_t outside = 0;
  for (std::size_t i = 0; i < size; ++i) {
    outside |= values[i] >= count ? 1U : 0U;
    values[i] = entries[values[i]];
  }
  return outside == 0;
}

bool take_dictionary(Bytes& bytes, std::span<std::uint64_t> values) {
  if (bytes.size() < 2) return false;
  const std::size_t count = bytes[1] + std::size_t{2};
  bytes = bytes.subspan(2);
  std::array<std::uint64_t, 512> entries{};
  if (!take_plain(bytes, std::span(entries).first(count))) return false;
  const unsigned width = index_bits(count);
  const std::size_t size = (values.size() * width + 7) / 8;
  if (bytes.size() < size) return false;
  unpack(bytes, width, 0, values.size(), values.data());
  bytes = bytes.subspan(size);
  return look_up(entries.data(), count, values.data(), values.size());
}

}  // namespace

void encode_doubles(std::span<const double> values, Buffer& out, Method method) {
  const bool may_be_dictionary = method == Method::kQuick || method == Method::kAuto || method == Method::kDictionary;
  const std::size_t begin = out.size();
  put_plain(values, method, out);
  const std::size_t bytes_min = 2 + index_bits(2) * values.size() / 8;
  if (!may_be_dictionary || out.size() - begin <= bytes_min) return;
  const auto dictionary = dictionary_of(values);
  if (!dictionary) return;
  Buffer block;
  put_dictionary(*dictionary, method, block);
  if (block.size() >= out.size() - begin) return;
  out.resize(begin);
  out.insert(out.end(), block.begin(), block.end());
}

bool decode_doubles(Bytes& bytes, std::span<std::uint64_t> values) {
  return !bytes.empty() && bytes.front() == kDictionary ? take_dictionary(bytes, values) : take_plain(bytes, values);
}

}  // namespace marigram::codec
