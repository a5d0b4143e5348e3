// Numbers near few others in little more room than their entropy: a bin, entropy-coded, and an offset in it.
//
// A bin is a lowest number and a width in bits: it holds the numbers lowest + offset, offset < 2^width. Bits, from the
// lowest on: number of bins less one (8), log of the weights (4; 0 if there is but one bin); of each bin its width (7),
// its weight less one (log; not of an only one), and where it begins: 0 as the bit 0 for that it follows the one
// before, whose end is its lowest number + 2^width, otherwise 1, and zigzag (beginning - that end), as its length less
// one (6) and the bits; the first follows 0. Then the bin of each number (tans.h), and each number's offset in the
// width of its bin. All modulo 2^64.
//
// As pcodec does it (M. Loncaric, Pcodec: better compression for numerical sequences, 2025), for a block
// of some thousand numbers.
#pragma once

#include "codec/bit_writer.h"
#include "codec/packed_bits.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace marigram::codec {

struct Bin {
  std::uint64_t lowest = 0;
  unsigned width = 0;
  std::size_t count = 0;  // of the numbers it was made for
};

struct Bins {
  std::vector<Bin> bins = {};  // ascending; each of the numbers is in the last one that begins at or below it
  double bits = 0;             // what the numbers take, about, with the bins
};

/// Of ascending numbers, the position of the last one that is not above `number`, as the first one must not be. Without
/// a branch on what is found, which nobody could foresee. O(log count).
inline std::size_t last_not_above(const std::uint64_t* numbers, std::size_t count, std::uint64_t number) {
  std::size_t at = 0;
  for (; count > 1; count -= count / 2) {
    const std::size_t half = count / 2;
    at += numbers[at + half] <= number ? half : 0;
  }
  return at;
}

/// Ascending. O(numbers).
void radix_sort(std::vector<std::uint64_t>& numbers);

/// The bins in which the numbers, at least one, take least, of those that begin at so many quantiles, or at a number
/// that is as frequent. O(numbers + quantiles^2).
Bins choose_bins(std::vector<std::uint64_t> numbers, std::size_t quantiles = 64);

/// Appends the numbers, for which the bins were chosen. O(numbers * log bins).
void put_binned(std::span<const std::uint64_t> numbers, const Bins& bins, Buffer& out);

/// Takes `numbers.size()` numbers off the front. False if they are damaged. Never reads outside the bytes.
bool take_binned(Bytes& bytes, std::span<std::uint64_t> numbers);

}  // namespace marigram::codec
