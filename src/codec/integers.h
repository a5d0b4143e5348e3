// Blocks of integers: timestamps, counters, decimals, indices. Of several encodings the size decides (Method).
//
// A block is a tag, fields, and packed bits; how many values it holds is known from elsewhere (at least one). Numbers
// are little-endian modulo 2^64; `uleb` is unsigned LEB128, `zz` is uleb of a zigzag-coded number, bits fill bytes from
// the lowest on. Tag: bits 0-2 encoding, bit 3 "aligned", bits 4-7 width (15: in the byte behind the tag).
//
//   0 constant        zz start
//   1 packed          uleb step, start', values as (value - start) / step, `width` bits each
//   2 deltas          uleb step, start', zz least, differences of neighbours as difference / step - least, `width`
//                     bits each
//   3 double deltas   uleb step, start', zz first, differences of the differences / step, each as a code (below)
//   4 ticks           uleb step, start', a bit for each step behind the first value, up to the last: whether there is
//                     a value
//   5 sequence        uleb step, start', the values as (value - start) / step as a sequence (sequence.h)
//
// start' is zz (start - base), divided by step if the tag says "aligned"; start is the least value in (1) and (5), else
// the first. A code is of a zigzag-coded number z: 0 as the bit 0; from 1 as 1,0 and 2 bits; from 5 as 1,1,0 and 4
// bits; from 21 as 1,1,1,0 and 8 bits; from 277 as 1,1,1,1,0 and 20 bits; otherwise 1,1,1,1,1 and all 64 bits of z.
//
// Double deltas with codes are Gorilla's timestamps (Pelkonen et al., VLDB 2015, 4.1.1), with other code lengths and in
// units of the step; packed values are known as frame of reference (Goldstein et al., ICDE 1998).
#pragma once

#include "codec/bit_writer.h"
#include "codec/packed_bits.h"

#include <cstdint>
#include <span>

namespace marigram::codec {

/// Which of the encodings a block may have.
enum class Method : std::uint8_t {
  kQuick,        // the smallest of those that take some nanoseconds a value: for what is written as it comes
  kAuto,         // the smallest of all, or one that is decoded several times as fast and is at most a third larger;
                 // takes some ten times as long: for what stays
  kDelta,        // differences; where they do not fit, and of other methods too, packed values
  kDoubleDelta,  // differences of differences
  kGorilla,      // double deltas, and XOR of doubles
  kDictionary,   // each value once, and positions; of values that hardly repeat, as kQuick
};

/// Appends a block. `base`: any number near the values that the reader knows too, such as the begin of a partition; 0
/// if there is none. O(values).
void encode_integers(std::span<const std::int64_t> values, std::int64_t base, Buffer& out,
                     Method method = Method::kQuick);

/// Takes the block of `values.size()` values off the front, modulo 2^64. False if it is damaged: then the values are
/// unspecified. Never reads outside the bytes.
bool decode_integers(Bytes& bytes, std::int64_t base, std::span<std::uint64_t> values);
inline bool decode_integers(Bytes& bytes, std::int64_t base, std::span<std::int64_t> values) {
  // A signed integer may be accessed as the unsigned one of its size.
  return decode_integers(bytes, base, {reinterpret_cast<std::uint64_t*>(values.data()), values.size()});
}

/// The same, of base 0, as the bits of doubles: each value divided by ten to the power of `exponent` (quotients.h).
bool decode_quotients(Bytes& bytes, unsigned exponent, std::span<std::uint64_t> values);

/// Tags of blocks of integers are below this, in their lowest three bits; other kinds of blocks may use the rest.
inline constexpr std::uint8_t kIntegerTagsEnd = 6;

}  // namespace marigram::codec
