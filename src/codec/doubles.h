// Blocks of doubles, returned bit for bit: NaN payloads, -0.0 and infinities too. Of several encodings the smallest is
// taken.
//
// A block is a tag and what follows; how many values it holds is known from elsewhere (at least one). Lowest three bits
// of the tag:
//
//   0-5  the values are integers: this is a block of integers (integers.h), base 0
//   6    bit 3 not set, XOR (xor_doubles.h)
//        bit 3 set, ordered: a block of integers, base 0, with the bits of the values, those below the sign bit
//        inverted where it is set: so the integers come in the order of the values
//   7    bit 3 not set, dictionary: number of entries less two in one byte, a block of the entries (not a dictionary),
//        and an index for each value, in as many bits as the last index needs
//        bit 3 set, decimals: a block of integers, each to be divided by ten to the power of the tag's bits 4-7; these
//        0, decimals that need more to be said (decimals.h)
#pragma once

#include "codec/bit_writer.h"
#include "codec/integers.h"
#include "codec/packed_bits.h"

#include <cstdint>
#include <span>

namespace marigram::codec {

/// Appends a block. O(values).
void encode_doubles(std::span<const double> values, Buffer& out, Method method = Method::kQuick);

/// Takes the block of `values.size()` values off the front, as their bits. False if it is damaged: then the values are
/// unspecified. Never reads outside the bytes.
bool decode_doubles(Bytes& bytes, std::span<std::uint64_t> values);

}  // namespace marigram::codec
