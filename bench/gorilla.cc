#include "gorilla.h"

#include "codec/bit_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace marigram::bench::gorilla {
namespace {

using codec::BitReader;
using codec::BitWriter;

constexpr std::array<std::int64_t, 4> kUnits{1'000'000'000, 1'000'000, 1'000, 1};  // the block begins with which
constexpr unsigned kUnitBits = 2;
constexpr std::array<unsigned, 5> kCodeBits{0, 7, 9, 12, 64};  // behind as many ones as the number, and a zero
constexpr unsigned kOnesMax = kCodeBits.size() - 1;

/// The code of a difference of differences: with 7 bits from -63 to 64, and so on.
unsigned code_of(std::int64_t difference) {
  if (difference == 0) return 0;
  for (unsigned code = 1; code < kOnesMax; ++code) {
    const std::int64_t half = std::int64_t{1} << (kCodeBits[code] - 1);
    if (difference > -half && difference <= half) return code;
  }
  return kOnesMax;
}

std::uint64_t mask(unsigned bits) {
  return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
}

}  // namespace

void encode(std::span<const std::int64_t> times, codec::Buffer& out) {
  std::size_t unit = 0;
  const auto divides = [&](std::int64_t time) { return time % kUnits[unit] == 0; };
  while (!std::ranges::all_of(times, divides)) ++unit;
  BitWriter bits(out);
  bits.put(unit, kUnitBits);
  std::int64_t before = times[0] / kUnits[unit];
  bits.put(static_cast<std::uint64_t>(before), 64);
  std::int64_t delta = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const std::int64_t time = times[i] / kUnits[unit];
    const std::int64_t difference = (time - before) - delta;
    delta = time - before;
    before = time;
    const unsigned code = code_of(difference);
    bits.put(mask(code), std::min(code + 1, kOnesMax));
    const std::int64_t least = code == kOnesMax ? 0 : 1 - static_cast<std::int64_t>(mask(kCodeBits[code]) / 2 + 1);
    if (code > 0) bits.put(static_cast<std::uint64_t>(difference - least) & mask(kCodeBits[code]), kCodeBits[code]);
  }
  bits.finish();
}

void decode_times(codec::Bytes& bytes, std::span<std::uint64_t> times) {
  BitReader bits(bytes);
  const auto unit = static_cast<std::uint64_t>(kUnits[bits.take(kUnitBits)]);
  std::uint64_t time = bits.take(64);
  times[0] = time * unit;
  std::uint64_t delta = 0;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const unsigned code = bits.take_ones(kOnesMax);
    if (code == kOnesMax) {
      delta += bits.take(64);
    } else if (code > 0) {
      delta += bits.take(kCodeBits[code]) - (mask(kCodeBits[code]) / 2);
    }
    time += delta;
    times[i] = time * unit;
  }
  bytes = bytes.subspan(bits.bytes_read());
}

void encode(std::span<const double> values, codec::Buffer& out) {
  BitWriter bits(out);
  auto before = std::bit_cast<std::uint64_t>(values[0]);
  bits.put(before, 64);
  unsigned leading = 64;
  unsigned length = 0;
  for (const double value : values.subspan(1)) {
    const std::uint64_t number = std::bit_cast<std::uint64_t>(value) ^ before;
    before ^= number;
    const auto own_leading = std::min(static_cast<unsigned>(std::countl_zero(number)), 31U);
    if (number == 0) {
      bits.put(0b0, 1);
      continue;
    }
    const auto trailing = static_cast<unsigned>(std::countr_zero(number));
    if (length > 0 && own_leading >= leading && trailing >= 64 - leading - length) {
      bits.put(0b01, 2);
    } else {
      leading = own_leading;
      length = 64 - leading - trailing;
      bits.put(0b11U | leading << 2U | (length - 1) << 7U, 13);
    }
    bits.put(number >> (64 - leading - length), length);
  }
  bits.finish();
}

void decode_values(codec::Bytes& bytes, std::span<std::uint64_t> values) {
  BitReader bits(bytes);
  std::uint64_t value = bits.take(64);
  values[0] = value;
  unsigned leading = 0;
  unsigned length = 64;
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (bits.take_bit()) {
      if (bits.take_bit()) {
        leading = static_cast<unsigned>(bits.take(5));
        length = static_cast<unsigned>(bits.take(6)) + 1;
      }
      value ^= bits.take(length) << (64 - leading - length);
    }
    values[i] = value;
  }
  bytes = bytes.subspan(bits.bytes_read());
}

}  // namespace marigram::bench::gorilla
