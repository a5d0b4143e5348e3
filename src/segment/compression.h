// What the option `compression` of a table says: how blocks of native segments are encoded, and what they are put
// through behind that.
#pragma once

#include "codec/bit_writer.h"
#include "codec/integers.h"
#include "codec/packed_bits.h"

#include <marigram/error.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace marigram::segment {

/// A compressor of bytes. The numbers stand in files.
enum class ByteCodec : std::uint8_t { kNone = 0, kLz4 = 1, kZstd = 2, kSnappy = 3 };

struct Compression {
  bool plain = false;  // blocks can be read in place, and take most room
  codec::Method method = codec::Method::kAuto;
  ByteCodec bytes = ByteCodec::kNone;
};

/// "none", "delta", "double_delta", "gorilla", "dictionary" or "auto", and behind a colon "zstd", "lz4" or "snappy" if
/// there is to be one. kInvalidInput names what there is; `doing` begins the message.
Result<Compression> parse_compression(std::string_view text, const std::string& doing);

/// The length of a block and its bytes, compressed; empty if that is not smaller.
codec::Buffer compress(ByteCodec codec, codec::Bytes block);

/// What compress() was given. False if it is damaged. Takes no more memory than a block that is compressed may have.
bool decompress(ByteCodec codec, codec::Bytes bytes, codec::Buffer& block);

}  // namespace marigram::segment
