// CRC-32C checksums of a segment file: one for each block of bytes before the footer, and one for the footer.
//
// Parquet's own page checksums leave page headers, page indexes and the footer unprotected, and are slow to verify. So
// our files carry a table of checksums inside the footer, in an extension field (number 32767, which Parquet reserves
// for extensions and every Thrift reader skips), just before the footer's final stop byte:
//
//   08 FE FF 03 | length (ULEB128) | payload | 00
//
//   payload, little-endian:
//     u32 x n   CRC-32C of block i, n = ceil(covered / block_bytes); the last block may be shorter
//     u64       covered: bytes from the start of the file to the footer
//     u32       block_bytes
//     u32       CRC-32C of all bytes of the footer before this field
//     8 bytes   "MARIGCRC"
//
// docs/format/segments.md says the same.
#pragma once

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::segment {

struct FileChecksums {
  std::uint64_t covered = 0;
  std::uint32_t block_bytes = 0;
  std::vector<std::uint32_t> blocks;
};

/// Computes the blocks' checksums while a file is written.
class BlockChecksummer {
 public:
  void add(std::span<const std::byte> bytes);
  /// Of all bytes so far.
  FileChecksums finish() const;

 private:
  FileChecksums sums_;          // whole blocks
  std::uint32_t open_crc_ = 0;  // of the block begun
  std::size_t open_bytes_ = 0;
};

/// `footer` (Thrift's FileMetaData with its stop byte, not empty) with the checksums in it.
std::string add_checksums(std::string_view footer, const FileChecksums& sums);

/// The checksums in a footer that starts at byte `offset` of its file; unset if it has none. `doing` begins messages.
/// kCorruption if the footer does not match its own checksum or the table does not fit the file.
Result<std::optional<FileChecksums>> read_checksums(std::string_view footer, std::uint64_t offset,
                                                    const std::string& doing);

}  // namespace marigram::segment
