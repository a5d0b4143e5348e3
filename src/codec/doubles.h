// Blocks of doubles, returned bit for bit: NaN payloads, -0.0 and infinities too. Of several encodings the smallest is
// taken.
//
// A block is a tag and what follows; how many values it holds is known from elsewhere (at least one). Lowest three bits
// of the tag:
//
//   0-5  the values are integers: this is a block of integers (integers.h), base 0
//   6    XOR: the first value's 64 bits; for each further one, by the XOR of its bits with those before: 0 as the bit
//   0; if its
//        bits lie in the window of the last one written out, as 1,0 and the window's bits; otherwise as 1,1, the
//        leading zeros in 5 bits (31: or more), the length less one in 6, and so many bits, the new window
//   7    bit 3 set, decimals: a block of integers, each to be divided by ten to the power of the tag's bits 4-7; these
//        0, decimals with exceptions: the exponent in one byte, uleb number of exceptions, such a block, in which an
//        exception is any integer, a block of integers with their positions, and a block of them, XOR
//        bit 3 not set, dictionary: number of entries less two in one byte, a block of the entries (not a dictionary),
//        and an index for each value, in as many bits as the last index needs
//
// XOR is Gorilla's (Pelkonen et al., VLDB 2015, 4.1.2), bits from the lowest on; decimals are the idea of ALP (Afroozeh
// et al., SIGMOD 2024), with division, by which each number written in decimals is exact.
#pragma once

#include "codec/bit_writer.h"
#include "codec/packed_bits.h"

#include <span>

namespace marigram::codec {

/// Appends a block. O(values).
void encode_doubles(std::span<const double> values, Buffer& out);

/// Takes the block of `values.size()` values off the front. False if it is damaged: then the values are unspecified.
/// Never reads outside the bytes.
bool decode_doubles(Bytes& bytes, std::span<double> values);

}  // namespace marigram::codec
