// Doubles by the XOR of their bits with those before: Gorilla's (Pelkonen et al., VLDB 2015, 4.1.2).
//
// The first value's 64 bits; for each further one, by the XOR of its bits with those before: 0 as the bit 0; if its
// bits lie in the window of the last one written out, as 1,0 and the window's bits; otherwise as 1,1, the leading zeros
// in 5 bits (31: or more), the length less one in 6, and so many bits, the new window. Bits from the lowest on.
#pragma once

#include "codec/bit_writer.h"
#include "codec/packed_bits.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace marigram::codec {

/// What put_xor() appends, or any number from `enough` on if it is so many. O(values), of which there must be one.
std::size_t xor_bytes(std::span<const double> values, std::size_t enough);
void put_xor(std::span<const double> values, Buffer& out);

/// Takes `values.size()` values, at least one, off the front, as their bits. False if they are damaged.
bool take_xor(Bytes& bytes, std::span<std::uint64_t> values);

}  // namespace marigram::codec
