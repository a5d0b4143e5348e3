// Blocks of strings (any bytes): each distinct one once, in order of appearance.
//
// A block is uleb (number of distinct strings), a block of integers (integers.h, base 0) with their lengths, their
// bytes one after the other, and a block of integers with the number of each value's string; how many values it holds
// is known from elsewhere (at least one).
#pragma once

#include "codec/bit_writer.h"
#include "codec/integers.h"
#include "codec/packed_bits.h"

#include <span>
#include <string_view>

namespace marigram::codec {

/// Appends a block. O(bytes).
void encode_strings(std::span<const std::string_view> values, Buffer& out, Method method = Method::kQuick);

/// Takes the block of `values.size()` values off the front; the values point into the bytes. False if it is damaged:
/// then the values are unspecified. Never reads outside the bytes.
bool decode_strings(Bytes& bytes, std::span<std::string_view> values);

}  // namespace marigram::codec
