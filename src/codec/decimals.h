// Doubles that were written in decimals: integers over a power of ten.
//
// A block: the exponent of the power in bits 0-3 of a byte; bit 4 set, the quotients are rounded to single precision;
// bit 5 set, there are corrections; uleb number of exceptions; a block of the integers, anything for an exception; if
// there are corrections, a block of them: each is added to the quotient as an ordered integer (below); if there are
// exceptions, a block of their positions, and they, XOR (xor_doubles.h). Blocks are of integers (integers.h), base 0.
//
// The idea is ALP's (Afroozeh et al., SIGMOD 2024), with division, by which each number written in decimals is exact;
// sums of such numbers miss them by some units in the last place, which the corrections are.
#pragma once

#include "codec/integers.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace marigram::codec {

/// The integer that comes among all where the bits of a double come among doubles, zeros and NaN by their signs.
inline std::int64_t ordered_of(double value) {
  const auto bits = std::bit_cast<std::int64_t>(value);
  return bits ^ static_cast<std::int64_t>(static_cast<std::uint64_t>(bits >> 63U) >> 1U);
}
/// The bits of the double that it comes from.
inline std::uint64_t bits_of_ordered(std::uint64_t ordered) {
  return ordered ^ static_cast<std::uint64_t>(static_cast<std::int64_t>(ordered) >> 63U) >> 1U;
}

struct Decimals {
  unsigned exponent = 0;
  bool single = false;
  std::vector<std::int64_t> integers = {};
  std::vector<std::int64_t> corrections = {};  // of each value; none if all are 0
  std::vector<std::int64_t> positions = {};    // of exceptions, ascending
  std::vector<double> exceptions = {};

  /// Whether the integers and the exponent say all.
  bool is_pure() const { return !single && corrections.empty() && exceptions.empty(); }
};

/// The values over one power of ten, with as few exceptions and corrections as may be; unset if too many are none.
/// O(values).
std::optional<Decimals> decimals_of(std::span<const double> values);

void put_decimals(const Decimals& decimals, Method method, Buffer& out);

/// Takes a block of `values.size()` values off the front, as their bits. False if it is damaged.
bool take_decimals(Bytes& bytes, std::span<std::uint64_t> values);

}  // namespace marigram::codec
