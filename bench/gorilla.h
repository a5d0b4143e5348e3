// Gorilla as it was published (Pelkonen et al., VLDB 2015, 4.1), as a peer: times and values of a block, apart.
//
// It counts in seconds; here in whichever of seconds, milliseconds, microseconds and nanoseconds is the largest that
// divides all times, and the longest code has 64 bits instead of 32. Bits fill bytes from the lowest on.
#pragma once

#include "codec/bit_writer.h"
#include "codec/packed_bits.h"

#include <cstdint>
#include <span>

namespace marigram::bench::gorilla {

void encode(std::span<const std::int64_t> times, codec::Buffer& out);
void encode(std::span<const double> values, codec::Buffer& out);

/// Takes so many off the front.
void decode_times(codec::Bytes& bytes, std::span<std::uint64_t> times);
void decode_values(codec::Bytes& bytes, std::span<std::uint64_t> values);

}  // namespace marigram::bench::gorilla
