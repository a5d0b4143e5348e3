// The bytes of the write-ahead log: names and headers of its files, and records. docs/format/wal.md tells it in prose.
//
// The log is one endless row of bytes. A position in it is an LSN. It is cut into files, named by the LSN of their
// first byte; headers of files count, so an LSN names a file and an offset at once. All numbers are little-endian.
//
//   file    0  8  magic "MGRAMWAL"          record   0  4  bits 0..27: length of the payload; 28..31: kind
//           8  4  format version, 1                  4  4  crc32c over the payload, then bytes 0..3 and 8..23
//          12  4  zero                               8  8  LSN of this record
//          16  8  LSN of the file's first byte      16  8  LSN up to which the log was on stable storage by then
//          24  8  bytes of the file                 24     payload, then zeros up to a multiple of 8
//          32 16  the log's id
//          48 12  zero
//          60  4  crc32c over bytes 0..59
//
// Bytes 16..23 of a record tell damage from a torn end. What a power cut tears was never synced, so no later record can
// claim that it was. A bad record that a later sound one claims to be on stable storage has been damaged since.
//
// Pure functions over spans; nothing is trusted: whatever the bytes, the answer is a record or none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::wal {

/// A position in the log, in bytes. Records and files begin at multiples of 8.
using Lsn = std::uint64_t;

constexpr std::uint64_t kAlignment = 8;
constexpr std::uint64_t kSectorBytes = 512;  ///< the disk is trusted to write this much whole or not at all
constexpr std::uint64_t kFileHeaderBytes = 64;
constexpr std::uint64_t kRecordHeaderBytes = 24;
constexpr std::uint64_t kFileBytesMin = 1024;
constexpr std::uint64_t kFileBytesMax = std::uint64_t{1} << 30;
constexpr std::uint64_t kPayloadBytesMax = std::uint64_t{16} << 20;

using LogId = std::array<std::byte, 16>;

/// 32 lower-case hex digits.
std::string format_id(const LogId& id);
/// Nothing if `text` is not such.
std::optional<LogId> parse_id(std::string_view text);

struct FileHeader {
  Lsn first = 0;
  std::uint64_t file_bytes = 0;
  LogId id{};
  Lsn end() const { return first + file_bytes; }
  friend bool operator==(const FileHeader&, const FileHeader&) = default;
};

std::array<std::byte, kFileHeaderBytes> encode(const FileHeader& header);
/// The header at the beginning of `file`, or what is wrong with it.
std::expected<FileHeader, std::string> decode_file_header(std::span<const std::byte> file);

/// "00000000000000000064.wal".
std::string file_name(Lsn first);
/// Nothing if `name` is not one of a file of a log.
std::optional<Lsn> parse_file_name(std::string_view name);

enum class RecordKind : std::uint8_t {
  kBatch = 1,      ///< what a caller appended
  kEndOfFile = 2,  ///< the log goes on in the next file; no payload
  kMark = 3,       ///< tells how far the log was synced; no payload
};

struct RecordHeader {
  RecordKind kind = RecordKind::kBatch;
  Lsn lsn = 0;
  Lsn synced = 0;  ///< everything before it was on stable storage when the record was made
};

struct Record {
  RecordHeader header;
  std::span<const std::byte> payload;
};

/// Bytes that a record takes, its padding included.
constexpr std::uint64_t record_bytes(std::uint64_t payload_bytes) {
  return (kRecordHeaderBytes + payload_bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// The largest payload that a file of `file_bytes` holds.
constexpr std::uint64_t payload_bytes_max(std::uint64_t file_bytes) {
  const std::uint64_t room = file_bytes - kFileHeaderBytes - kRecordHeaderBytes;
  return room < kPayloadBytesMax ? room : kPayloadBytesMax;
}

/// The header of a record whose payload has that length (at most kPayloadBytesMax) and crc32c. O(1).
std::array<std::byte, kRecordHeaderBytes> encode(const RecordHeader& header, std::uint64_t payload_bytes,
                                                 std::uint32_t payload_crc);

/// The sound record at `offset` of `file`, the bytes of a file from its beginning whose first LSN is `first`. It is
/// sound if its LSN is that of its place, and lengths, padding and checksum agree. O(its length).
std::optional<Record> record_at(std::span<const std::byte> file, Lsn first, std::uint64_t offset);

/// The first sound record at or behind `offset`. O(bytes), as bytes that are not a record rarely look like its header.
std::optional<Record> next_record(std::span<const std::byte> file, Lsn first, std::uint64_t offset);

/// Whether there are only zeros where the header of a record would be, as behind the last record that was written.
bool is_blank(std::span<const std::byte> file, std::uint64_t offset);

/// What is left, at or behind `offset`, of records that bear the LSN of their place, sound or not.
struct Leftovers {
  std::vector<std::uint64_t> offsets;  ///< of their headers
  std::uint64_t end = 0;               ///< of the last byte that one of them claims; `offset` if there is none
};
Leftovers leftovers_from(std::span<const std::byte> file, Lsn first, std::uint64_t offset);

}  // namespace marigram::wal
