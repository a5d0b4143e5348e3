// A sequence of numbers modulo 2^64 in little room: itself or its differences in bins (bins.h).
//
// A byte says the form; a "least" is the least of what is binned, as a signed number, and subtracted from each:
//
//   0 numbers       the bins of all
//   1 differences   uleb lag, uleb the first number, zz least, bins of each further number less the one `lag` before,
//                   or less the first where there is none
//   2 second ones   uleb the first number, zz the second less the first, zz least, bins of each further difference of
//                   neighbours less the difference before
//   3 distinct      uleb how many different numbers there are, bins of these, ascending, each less the one before (the
//                   first less 0), and a sequence, not in this form, of the position of each number among them
//
// uleb is unsigned LEB128, zz that of a zigzag-coded number.
#pragma once

#include "codec/bit_writer.h"
#include "codec/packed_bits.h"

#include <cstdint>
#include <span>

namespace marigram::codec {

/// Appends the sequence of one number or more in the form that takes least, to judge by some of it. O(numbers).
void put_sequence(std::span<const std::uint64_t> numbers, Buffer& out);

/// Appends it in form 3. False, and nothing, if the numbers hardly repeat.
bool put_distinct(std::span<const std::uint64_t> numbers, Buffer& out);

/// Takes a sequence of `numbers.size()` numbers off the front. False if it is damaged: then the numbers are
/// unspecified. Never reads outside the bytes.
bool take_sequence(Bytes& bytes, std::span<std::uint64_t> numbers);

}  // namespace marigram::codec
