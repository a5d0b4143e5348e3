#include "codec/doubles.h"

#include "codec/bit_reader.h"
#include "codec/integers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace marigram::codec {
namespace {

constexpr std::uint8_t kXor = 6;
constexpr std::uint8_t kOther = 7;
constexpr std::uint8_t kDecimals = kOther | 1U << 3U;
constexpr std::uint8_t kPatched = kDecimals;  // without an exponent
constexpr std::size_t kEntriesMax = 16;
constexpr unsigned kLeadingMax = 31;
constexpr std::array kPowersOfTen{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};

std::uint64_t bits_of(double value) {
  return std::bit_cast<std::uint64_t>(value);
}

// ---- decimals ----

/// The integer which divided by the power of ten gives the value, if there is one.
std::optional<std::int64_t> scaled(double value, double power) {
  constexpr double kExactMax = 9007199254740992.0;  // up to it, every integer is a double
  const double product = value * power;
  if (!(std::abs(product) <= kExactMax)) return std::nullopt;  // NaN too
  const auto integer = static_cast<std::int64_t>(product < 0 ? product - 0.5 : product + 0.5);
  if (bits_of(static_cast<double>(integer) / power) != bits_of(value)) return std::nullopt;
  return integer;
}

struct Decimals {
  unsigned exponent = 0;
  std::vector<std::int64_t> integers;
};

/// All values as integers over one power of ten, the smallest.
std::optional<Decimals> decimals_of(std::span<const double> values) {
  Decimals decimals;
  decimals.integers.reserve(values.size());
  while (decimals.integers.size() < values.size()) {
    const double value = values[decimals.integers.size()];
    if (const auto integer = scaled(value, kPowersOfTen[decimals.exponent])) {
      decimals.integers.push_back(*integer);
      continue;
    }
    if (++decimals.exponent == kPowersOfTen.size()) return std::nullopt;
    decimals.integers.clear();
  }
  return decimals;
}

void put_decimals(const Decimals& decimals, Buffer& out) {
  if (decimals.exponent > 0) out.push_back(static_cast<std::uint8_t>(kDecimals | decimals.exponent << 4U));
  encode_integers(decimals.integers, 0, out);
}

bool take_decimals(Bytes& bytes, unsigned exponent, std::span<double> values) {
  std::vector<std::int64_t> integers(values.size());
  if (!decode_integers(bytes, 0, integers)) return false;
  const double power = kPowersOfTen[exponent];
  std::ranges::transform(integers, values.begin(),
                         [power](std::int64_t integer) { return static_cast<double>(integer) / power; });
  return true;
}

// ---- decimals with exceptions ----

/// Most values as integers over one power of ten; each of the others as the integer before it, and by itself.
struct Patched {
  unsigned exponent = 0;
  std::vector<std::int64_t> integers = {};
  std::vector<std::int64_t> positions = {};  // of the others, ascending
  std::vector<double> others = {};
};

/// The smallest exponent by which most of some of the values are integers, if there is one.
std::optional<unsigned> guess_exponent(std::span<const double> values) {
  constexpr std::size_t kSample = 32;
  const std::size_t step = std::max<std::size_t>(values.size() / kSample, 1);
  std::size_t fewest = values.size() / step / 4 + 1;  // others
  std::optional<unsigned> best;
  for (unsigned exponent = 0; exponent < kPowersOfTen.size(); ++exponent) {
    std::size_t others = 0;
    for (std::size_t i = 0; i < values.size() && others < fewest; i += step) {
      others += scaled(values[i], kPowersOfTen[exponent]) ? 0 : 1;
    }
    if (others >= fewest) continue;
    fewest = others;
    best = exponent;
  }
  return best;
}

std::optional<Patched> patched_of(std::span<const double> values) {
  const auto exponent = guess_exponent(values);
  if (!exponent) return std::nullopt;
  const std::size_t others_max = values.size() / 8;
  Patched patched{.exponent = *exponent};
  patched.integers.reserve(values.size());
  std::int64_t before = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (const auto integer = scaled(values[i], kPowersOfTen[*exponent])) {
      before = *integer;
    } else {
      if (patched.others.size() == others_max) return std::nullopt;
      patched.positions.push_back(static_cast<std::int64_t>(i));
      patched.others.push_back(values[i]);
    }
    patched.integers.push_back(before);
  }
  if (patched.others.empty()) return std::nullopt;  // decimals say the same in fewer bytes
  return patched;
}

// ---- XOR ----

/// Which bits of an XOR are written out.
struct Window {
  unsigned leading = 64;  // zeros
  unsigned length = 0;

  /// Of a number that is not 0.
  static Window of(std::uint64_t number) {
    const unsigned leading = std::min<unsigned>(static_cast<unsigned>(std::countl_zero(number)), kLeadingMax);
    return {leading, 64 - leading - static_cast<unsigned>(std::countr_zero(number))};
  }
  unsigned trailing() const { return 64 - leading - length; }
  /// Whether `other`, written in this window, takes no more bits than in its own with its description.
  bool serves(const Window& other) const {
    constexpr unsigned kDescriptionBits = 11;
    return other.leading >= leading && other.trailing() >= trailing() && length <= other.length + kDescriptionBits;
  }
};

/// Calls same(), again(number, window) or anew(number, window) for each value but the first.
template <typename Same, typename Again, typename Anew>
void for_each_xor(std::span<const double> values, Same same, Again again, Anew anew) {
  Window window;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const std::uint64_t number = bits_of(values[i]) ^ bits_of(values[i - 1]);
    if (number == 0) {
      same();
    } else if (const Window own = Window::of(number); window.length > 0 && window.serves(own)) {
      again(number, window);
    } else {
      window = own;
      anew(number, window);
    }
  }
}

std::size_t xor_bytes(std::span<const double> values) {
  std::size_t bits = 0;
  for_each_xor(
      values, [&] { bits += 1; }, [&](std::uint64_t, const Window& window) { bits += 2 + window.length; },
      [&](std::uint64_t, const Window& window) { bits += 2 + 11 + window.length; });
  return 1 + sizeof(double) + (bits + 7) / 8;
}

void put_xor(std::span<const double> values, Buffer& out) {
  out.push_back(kXor);
  BitWriter bits(out);
  bits.put(bits_of(values[0]), 64);
  for_each_xor(
      values, [&] { bits.put(0b0, 1); },
      [&](std::uint64_t number, const Window& window) {
        bits.put(0b01, 2);
        bits.put(number >> window.trailing(), window.length);
      },
      [&](std::uint64_t number, const Window& window) {
        bits.put(0b11 | window.leading << 2U | (window.length - 1) << 7U, 13);
        bits.put(number >> window.trailing(), window.length);
      });
  bits.finish();
}

bool take_xor(Bytes& bytes, std::span<double> values) {
  BitReader bits(bytes);
  std::uint64_t value = bits.take(64);
  values[0] = std::bit_cast<double>(value);
  Window window{.leading = 0, .length = 64};
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (bits.take_bit()) {
      if (bits.take_bit()) {
        window.leading = static_cast<unsigned>(bits.take(5));
        window.length = static_cast<unsigned>(bits.take(6)) + 1;
        if (window.leading + window.length > 64) return false;
      }
      value ^= bits.take(window.length) << window.trailing();
    }
    values[i] = std::bit_cast<double>(value);
  }
  bytes = bytes.subspan(bits.bytes_read());
  return !bits.ended_before();
}

/// As `Patched` has them; the block of the others is XOR.
void put_patched(const Patched& patched, Buffer& out) {
  out.push_back(kPatched);
  out.push_back(static_cast<std::uint8_t>(patched.exponent));
  put_uleb128(patched.others.size(), out);
  encode_integers(patched.integers, 0, out);
  encode_integers(patched.positions, 0, out);
  put_xor(patched.others, out);
}

bool take_patched(Bytes& bytes, std::span<double> values) {
  if (bytes.empty() || bytes.front() >= kPowersOfTen.size()) return false;
  const unsigned exponent = bytes.front();
  bytes = bytes.subspan(1);
  const auto count = take_uleb128(bytes);
  if (!count || *count == 0 || *count > values.size()) return false;
  std::vector<std::int64_t> positions(*count);
  std::vector<double> others(*count);
  if (!take_decimals(bytes, exponent, values) || !decode_integers(bytes, 0, positions)) return false;
  if (bytes.empty() || bytes.front() != kXor) return false;
  bytes = bytes.subspan(1);
  if (!take_xor(bytes, others)) return false;
  for (std::size_t i = 0; i < others.size(); ++i) {
    if (static_cast<std::uint64_t>(positions[i]) >= values.size()) return false;
    values[static_cast<std::size_t>(positions[i])] = others[i];
  }
  return true;
}

// ---- dictionary ----

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
    const auto found = std::ranges::find(entries, bits_of(value), bits_of);
    if (found == entries.end() && entries.size() == kEntriesMax) return std::nullopt;
    dictionary.indices.push_back(static_cast<std::uint8_t>(found - entries.begin()));
    if (found == entries.end()) entries.push_back(value);
  }
  if (dictionary.entries.size() == 1) return std::nullopt;
  return dictionary;
}

void put_plain(std::span<const double> values, const std::optional<Decimals>& decimals, Buffer& out) {
  Buffer block;
  if (decimals) {
    put_decimals(*decimals, block);
  } else if (const auto patched = patched_of(values)) {
    put_patched(*patched, block);
  }
  if (block.empty() || xor_bytes(values) < block.size()) {
    put_xor(values, out);
  } else {
    out.insert(out.end(), block.begin(), block.end());
  }
}

void put_dictionary(const Dictionary& dictionary, Buffer& out) {
  out.push_back(kOther);
  out.push_back(static_cast<std::uint8_t>(dictionary.entries.size() - 2));
  put_plain(dictionary.entries, decimals_of(dictionary.entries), out);
  BitWriter bits(out);
  for (const std::uint8_t index : dictionary.indices) bits.put(index, index_bits(dictionary.entries.size()));
  bits.finish();
}

bool take_plain(Bytes& bytes, std::span<double> values) {
  if (bytes.empty()) return false;
  const std::uint8_t tag = bytes.front();
  if ((tag & 7U) < kIntegerTagsEnd) return take_decimals(bytes, 0, values);
  bytes = bytes.subspan(1);
  if (tag == kXor) return take_xor(bytes, values);
  if (tag == kPatched) return take_patched(bytes, values);
  return (tag & 15U) == kDecimals && take_decimals(bytes, tag >> 4U, values);
}

bool take_dictionary(Bytes& bytes, std::span<double> values) {
  if (bytes.size() < 2) return false;
  const std::size_t count = bytes[1] + std::size_t{2};
  bytes = bytes.subspan(2);
  std::vector<double> entries(count);
  if (!take_plain(bytes, entries)) return false;
  BitReader bits(bytes);
  for (double& value : values) {
    const std::uint64_t index = bits.take(index_bits(count));
    if (index >= count) return false;
    value = entries[index];
  }
  bytes = bytes.subspan(bits.bytes_read());
  return !bits.ended_before();
}

}  // namespace

void encode_doubles(std::span<const double> values, Buffer& out) {
  const std::size_t begin = out.size();
  put_plain(values, decimals_of(values), out);
  if (out.size() - begin <= 2 + index_bits(2) * values.size() / 8) return;  // a dictionary would not be smaller
  const auto dictionary = dictionary_of(values);
  if (!dictionary) return;
  Buffer block;
  put_dictionary(*dictionary, block);
  if (block.size() >= out.size() - begin) return;
  out.resize(begin);
  out.insert(out.end(), block.begin(), block.end());
}

bool decode_doubles(Bytes& bytes, std::span<double> values) {
  return !bytes.empty() && bytes.front() == kOther ? take_dictionary(bytes, values) : take_plain(bytes, values);
}

}  // namespace marigram::codec
