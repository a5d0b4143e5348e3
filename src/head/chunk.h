// Compressed rows: up to 1,024 of one series, column by column.
//
// A chunk is a block of integers (codec/integers.h, base: the first time) with the times, and for each field: if the
// chunk has nulls, a byte that is 0: no row has a value; 1: every row has one; 2: some have one; but for the last
// field, uleb bytes of what follows; with 2, a bit a row, the first row's lowest, in whole bytes; but with 0, a block
// of the values that are there. A block is of doubles, strings, or else integers (base 0; uint64 modulo 2^64, a bool as
// 0 or 1). What ChunkInfo says, and the types, are known from elsewhere.
#pragma once

#include "codec/bit_writer.h"
#include "codec/packed_bits.h"
#include "head/memory_budget.h"
#include "head/rows.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace marigram::head {

inline constexpr std::size_t kChunkRowsMax = 1'024;

/// What is known of a chunk.
struct ChunkInfo {
  std::uint16_t rows = 0;
  bool has_nulls = false;  ///< in any of its fields
  std::int64_t min = 0;    ///< time of the first row
};

/// Appends a chunk of the rows [begin, end), at least one and at most kChunkRowsMax, in order of time. O(rows).
ChunkInfo encode_chunk(const Rows& rows, std::size_t begin, std::size_t end, codec::Buffer& out);

/// Appends the rows of a chunk, which may be followed by others, to `out`, whose columns are the fields number
/// `chosen`; strings point into the bytes. `fields` are the table's when the chunk was made. False if it is damaged:
/// then `out` is unspecified. Never reads outside the bytes.
bool decode_chunk(codec::Bytes bytes, const ChunkInfo& info, const Fields& fields,
                  std::span<const std::uint32_t> chosen, Rows& out);

/// Where a chunk lies and what it covers.
struct ChunkEntry {
  SeriesId series = 0;
  ChunkInfo info = {};
  std::int64_t max = 0;  ///< time of the last row
  std::uint64_t begin = 0;
};

/// Chunks of several series. Immutable once it is made.
struct ChunkRun {
  std::shared_ptr<const Fields> fields = {};  ///< of all chunks
  std::vector<ChunkEntry> entries = {};       ///< by (series, arrival): a later chunk has the later of equal times
  codec::Buffer bytes = {};
  MemoryCharge charge = {};

  /// Those of one series. O(log entries).
  std::span<const ChunkEntry> find(SeriesId id) const;
  codec::Bytes chunk(const ChunkEntry& entry) const { return codec::Bytes(bytes).subspan(entry.begin); }
  std::size_t rows() const;
};

using ChunkRunPtr = std::shared_ptr<const ChunkRun>;

/// Chunks of both, which have the same fields; those of `newer` arrived later. O(bytes).
ChunkRunPtr merge_chunks(const ChunkRun& older, const ChunkRun& newer, MemoryBudget& budget);

}  // namespace marigram::head
