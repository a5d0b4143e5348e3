// The parts of a native segment's file: header, blocks, sections, directory, trailer (docs/format/segment.md).
#pragma once

#include "codec/bit_writer.h"
#include "codec/packed_bits.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace marigram::segment {

inline constexpr std::size_t kNativeHeaderBytes = 64;

/// `T`: bytes, owned or not.
template <typename T>
struct NativeSections {
  T schema = {};
  T series = {};
  T pages = {};
  T columns = {};
  T presence = {};
};

struct NativeParts {
  NativeSections<codec::Bytes> sections = {};
  std::uint64_t blocks_end = 0;  // blocks lie between the header and here
};

/// What stands before the blocks: kNativeHeaderBytes.
codec::Buffer native_header();
/// What stands behind the blocks of a file whose blocks end at `at`.
codec::Buffer native_end(const NativeSections<codec::Buffer>& sections, std::uint64_t at);

/// The parts of a whole file, found and checked against their checksums, but for the blocks. Never reads outside it.
/// kCorruption, beginning with `doing`, says what is wrong.
Result<NativeParts> read_native_parts(std::span<const std::byte> file, const std::string& doing);

}  // namespace marigram::segment
