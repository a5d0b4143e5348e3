#include "codec/bins.h"

#include "base/processors.h"
#include "codec/bit_reader.h"
#include "codec/tans.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

namespace marigram::codec {
namespace {

constexpr unsigned kWidthBits = 7;
constexpr unsigned kLengthBits = 6;
constexpr double kBinBits = 1 + kWidthBits + 8;  // of a bin that follows the one before
constexpr double kHeadBits = 12 + 4 * 10;        // of all, with the first states

/// Numbers that are in one bin, whatever the bins.
struct Group {
  std::uint64_t least = 0;
  std::uint64_t largest = 0;
  std::size_t end = 0;  // position behind it
};

std::vector<Group> groups_of(std::span<const std::uint64_t> sorted, std::size_t quantiles) {
  const std::size_t enough = std::max<std::size_t>(sorted.size() / quantiles, 1);
  std::vector<Group> groups;
  groups.reserve(2 * quantiles + 2);
  std::size_t begin = 0;
  for (std::size_t run = 0; run < sorted.size();) {
    std::size_t end = run + 1;
    while (end < sorted.size() && sorted[end] == sorted[run]) ++end;
    if (end - run >= enough && run > begin) {
      groups.push_back({sorted[begin], sorted[run - 1], run});
      begin = run;
    }
    if (end - begin >= enough || end == sorted.size()) {
      groups.push_back({sorted[begin], sorted[run], end});
      begin = end;
    }
    run = end;
  }
  return groups;
}

/// Logarithms to the base 2.
class Logs {
 public:
  double of(std::size_t number) const {
    return number < kKnown ? static_cast<double>(known_[number]) : std::log2(static_cast<double>(number));
  }

 private:
  static constexpr std::size_t kKnown = 1U << 14U;
  static const std::vector<float>& known() {
    static const std::vector<float> known = [] {
      std::vector<float> logs(kKnown);
      for (std::size_t i = 1; i < kKnown; ++i) logs[i] = std::log2(static_cast<float>(i));
      return logs;
    }();
    return known;
  }
  const float* known_ = known().data();
};

unsigned width_of(std::uint64_t range) {
  return static_cast<unsigned>(std::bit_width(range));
}

std::uint64_t size_of(unsigned width) {
  return width < 64 ? std::uint64_t{1} << width : 0;
}

/// The bin in which each number is, and the weights.
struct Coded {
  unsigned log = 0;
  std::vector<std::uint16_t> weights = {};
};

Coded code_of(const Bins& bins, std::size_t numbers) {
  Coded coded;
  if (bins.bins.size() == 1) return coded;
  const auto enough = static_cast<unsigned>(std::bit_width(bins.bins.size())) + 1;
  const auto fine = static_cast<unsigned>(std::bit_width(numbers)) - std::min<unsigned>(3, std::bit_width(numbers));
  coded.log = std::clamp(std::max(std::min(fine, 10U), enough), kTansLogMin, kTansLogMax);
  std::vector<std::size_t> counts;
  counts.reserve(bins.bins.size());
  for (const Bin& bin : bins.bins) counts.push_back(bin.count);
  coded.weights = tans_weights(counts, coded.log);
  return coded;
}

MARIGRAM_LOOP void find_bins(const std::uint64_t* numbers, std::size_t count, const std::uint64_t* begins,
                             std::size_t bins, std::uint8_t* symbols) {
  for (std::size_t i = 0; i < count; ++i) {
    symbols[i] = static_cast<std::uint8_t>(last_not_above(begins, bins, numbers[i]));
  }
}

std::vector<std::uint8_t> bins_of_numbers(std::span<const std::uint64_t> numbers, const Bins& bins) {
  std::vector<std::uint64_t> begins;
  begins.reserve(bins.bins.size());
  for (const Bin& bin : bins.bins) begins.push_back(bin.lowest);
  std::vector<std::uint8_t> symbols(numbers.size());
  compiled<find_bins>(numbers.data(), numbers.size(), begins.data(), begins.size(), symbols.data());
  return symbols;
}

void put_begin(std::uint64_t begin, std::uint64_t end_before, BitWriter& bits) {
  const std::uint64_t gap = zigzag(begin - end_before);
  bits.put(gap == 0 ? 0 : 1, 1);
  if (gap == 0) return;
  bits.put(width_of(gap) - 1, kLengthBits);
  bits.put(gap, width_of(gap));
}

std::uint64_t take_begin(std::uint64_t end_before, BitReader& bits) {
  if (!bits.take_bit()) return end_before;
  const auto length = static_cast<unsigned>(bits.take(kLengthBits)) + 1;
  return end_before + unzigzag(bits.take(length));
}

/// What stands before the numbers.
struct Head {
  std::array<Bin, kTansSymbolsMax> bins = {};
  std::size_t count = 0;
  unsigned log = 0;
  std::vector<std::uint16_t> weights = {};
  unsigned width_max = 0;
};

std::optional<Head> take_head(BitReader& bits) {
  Head head;
  head.count = bits.take(8) + 1;
  head.log = static_cast<unsigned>(bits.take(4));
  if (head.count > 1 && (head.log < kTansLogMin || head.log > kTansLogMax)) return std::nullopt;
  std::uint64_t end = 0;
  std::size_t sum = 0;
  for (std::size_t i = 0; i < head.count; ++i) {
    Bin& bin = head.bins[i];
    bin.width = static_cast<unsigned>(bits.take(kWidthBits));
    if (bin.width > 64) return std::nullopt;
    head.width_max = std::max(head.width_max, bin.width);
    if (head.count > 1) {
      head.weights.push_back(static_cast<std::uint16_t>(bits.take(head.log) + 1));
      sum += head.weights.back();
    }
    bin.lowest = take_begin(end, bits);
    end = bin.lowest + size_of(bin.width);
  }
  if (head.count > 1 && sum != std::size_t{1} << head.log) return std::nullopt;
  return head;
}

/// Of each bin what is added to the offset, and the bits of that.
struct Origins {
  std::array<std::uint64_t, kTansSymbolsMax> lowest = {};
  std::array<std::uint8_t, kTansSymbolsMax> widths = {};
};

MARIGRAM_LOOP void look_up(const Origins* origins, const std::uint8_t* symbols, std::uint64_t* numbers,
                           std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) numbers[i] = origins->lowest[symbols[i]];
}

/// So many numbers at a time, whose offsets fit into a word; as many as can be read without looking for the end.
/// Returns how many.
template <unsigned kAtOnce>
MARIGRAM_LOOP std::size_t take_quickly(BitReader* in, const Origins* origins, const std::uint8_t* symbols,
                                       std::uint64_t* numbers, std::size_t count) {
  WordReader words(*in);
  std::size_t i = 0;
  for (; i + kAtOnce <= count && words.refill(); i += kAtOnce) {
    const std::uint64_t word = words.word();
    unsigned used = 0;
#pragma GCC unroll 4
    for (unsigned k = 0; k < kAtOnce; ++k) {
      const std::uint8_t symbol = symbols[i + k];
      const unsigned width = origins->widths[symbol];
      numbers[i + k] = origins->lowest[symbol] + (word >> (used & 63U) & ((std::uint64_t{1} << width) - 1));
      used += width;
    }
    words.skip(used & 63U);
  }
  *in = words.rest();
  return i;
}

/// The same, one by one, of offsets of any number of bits.
MARIGRAM_LOOP std::size_t take_long(BitReader* in, const Origins* origins, const std::uint8_t* symbols,
                                    std::uint64_t* numbers, std::size_t count) {
  const Bytes bytes = in->bytes();
  std::size_t at = in->bits_read();
  std::size_t i = 0;
  for (; i < count && at / 8 + 16 <= bytes.size(); ++i) {
    const std::uint8_t* const from = bytes.data() + at / 8;
    const std::uint64_t word = load_whole_word(from) >> at % 8 | load_whole_word(from + 8) << 1U << (63 - at % 8);
    const unsigned width = origins->widths[symbols[i]];
    const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
    numbers[i] = origins->lowest[symbols[i]] + (word & mask);
    at += width;
  }
  *in = BitReader(bytes, at);
  return i;
}

void take_numbers(const Head& head, std::span<const std::uint8_t> symbols, BitReader& bits,
                  std::span<std::uint64_t> numbers) {
  Origins origins;
  for (std::size_t i = 0; i < head.count; ++i) {
    origins.lowest[i] = head.bins[i].lowest;
    origins.widths[i] = static_cast<std::uint8_t>(head.bins[i].width);
  }
  std::uint64_t* const to = numbers.data();
  const std::size_t count = numbers.size();
  if (head.width_max == 0) return compiled<look_up>(&origins, symbols.data(), to, count);
  std::size_t quick = 0;
  if (4 * head.width_max <= WordReader::kBits) {
    quick = compiled<take_quickly<4>>(&bits, &origins, symbols.data(), to, count);
  } else if (2 * head.width_max <= WordReader::kBits) {
    quick = compiled<take_quickly<2>>(&bits, &origins, symbols.data(), to, count);
  } else {
    quick = compiled<take_long>(&bits, &origins, symbols.data(), to, count);
  }
  for (std::size_t i = quick; i < count; ++i) {
    numbers[i] = origins.lowest[symbols[i]] + bits.take(origins.widths[symbols[i]]);
  }
}

}  // namespace

void radix_sort(std::vector<std::uint64_t>& numbers) {
  // By the bits in which they differ, so many at a time, from the lowest on.
  const unsigned at_once = numbers.size() < 4'096 ? 8 : 11;
  const std::size_t digits = std::size_t{1} << at_once;
  std::uint64_t differing = 0;
  for (const std::uint64_t number : numbers) differing |= number ^ numbers.front();
  std::vector<std::uint64_t> sorted(numbers.size());
  std::array<std::uint32_t, (1U << 11U) + 1> begins;  // NOLINT(cppcoreguidelines-pro-type-member-init): below
  for (unsigned shift = 0; shift < 64; shift += at_once) {
    if ((differing >> shift & (digits - 1)) == 0) continue;
    std::fill_n(begins.begin(), digits + 1, 0);
    for (const std::uint64_t number : numbers) ++begins[(number >> shift & (digits - 1)) + 1];
    for (std::size_t digit = 1; digit < digits; ++digit) begins[digit] += begins[digit - 1];
    for (const std::uint64_t number : numbers) sorted[begins[number >> shift & (digits - 1)]++] = number;
    numbers.swap(sorted);
  }
}

Bins choose_bins(std::vector<std::uint64_t> numbers, std::size_t quantiles) {
  radix_sort(numbers);
  const std::vector<Group> groups = groups_of(numbers, quantiles);
  const Logs logs;
  struct Best {
    double bits = std::numeric_limits<double>::infinity();
    std::size_t begin = 0;  // group with which the last bin begins
  };
  // Dynamic programming: the least that the first groups take, by how many they are.
  std::vector<Best> best(groups.size() + 1);
  best[0].bits = kHeadBits;
  const double all = logs.of(numbers.size());
  for (std::size_t end = 1; end <= groups.size(); ++end) {
    const Group& last = groups[end - 1];
    Best least;
    for (std::size_t begin = end; begin-- > 0;) {
      const std::size_t count = last.end - (begin == 0 ? 0 : groups[begin - 1].end);
      const unsigned width = width_of(last.largest - groups[begin].least);
      const double offsets = static_cast<double>(count) * (width + all - logs.of(count));
      const double gap =
          width == 0 && begin > 0 && groups[begin].least == groups[begin - 1].largest + 1 ? 0 : kLengthBits + width;
      const double bits = best[begin].bits + kBinBits + gap + offsets;
      if (bits < least.bits) least = {bits, begin};
      // A bin that begins earlier is as wide or wider, and of more numbers, up to all: it takes no less than either.
      if (std::min(offsets, static_cast<double>(last.end) * width) >= least.bits) break;
    }
    best[end] = least;
  }
  Bins chosen{.bits = best.back().bits};
  for (std::size_t end = groups.size(); end > 0; end = best[end].begin) {
    const std::size_t begin = best[end].begin;
    chosen.bins.push_back({.lowest = groups[begin].least,
                           .width = width_of(groups[end - 1].largest - groups[begin].least),
                           .count = groups[end - 1].end - (begin == 0 ? 0 : groups[begin - 1].end)});
  }
  std::ranges::reverse(chosen.bins);
  return chosen;
}

void put_binned(std::span<const std::uint64_t> numbers, const Bins& bins, Buffer& out) {
  const Coded coded = code_of(bins, numbers.size());
  BitWriter bits(out);
  bits.put(bins.bins.size() - 1, 8);
  bits.put(coded.log, 4);
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < bins.bins.size(); ++i) {
    const Bin& bin = bins.bins[i];
    bits.put(bin.width, kWidthBits);
    if (!coded.weights.empty()) bits.put(coded.weights[i] - 1U, coded.log);
    put_begin(bin.lowest, end, bits);
    end = bin.lowest + size_of(bin.width);
  }
  const std::vector<std::uint8_t> symbols = bins_of_numbers(numbers, bins);
  if (!coded.weights.empty()) put_symbols(symbols, coded.weights, coded.log, bits);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const Bin& bin = bins.bins[symbols[i]];
    bits.put(numbers[i] - bin.lowest, bin.width);
  }
  bits.finish();
}

bool take_binned(Bytes& bytes, std::span<std::uint64_t> numbers) {
  BitReader bits(bytes);
  const auto head = take_head(bits);
  if (!head || bits.ended_before()) return false;
  std::vector<std::uint8_t> symbols(numbers.size());
  if (head->count > 1 && !take_symbols(bits, head->weights, head->log, symbols)) return false;
  take_numbers(*head, symbols, bits, numbers);
  bytes = bytes.subspan(bits.bytes_read());
  return !bits.ended_before();
}

}  // namespace marigram::codec
