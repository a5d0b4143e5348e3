// A native segment but for its blocks: which columns, series and pages it has, where each block lies and what it holds
// (docs/format/segment.md).
#pragma once

#include "segment/compression.h"
#include "segment/native_block.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace marigram::segment {

inline constexpr std::size_t kPlainAlignment = 64;            // of plain blocks in the file
inline constexpr std::uint32_t kPageRowsMax = 8'192;          // of a page
inline constexpr std::uint32_t kNativeSeriesMax = 1U << 24U;  // of a segment

enum class NativeRole : std::uint8_t { kTag = 0, kTime = 1, kField = 2 };

struct NativeColumn {
  std::string name = {};
  std::string type = {};  // as model::format_type() spells it
  NativeRole role = NativeRole::kField;
  ValueKind kind = ValueKind::kFloat64;
  bool nullable = false;

  friend bool operator==(const NativeColumn&, const NativeColumn&) = default;
};

enum class BlockForm : std::uint8_t { kPlain = 0, kPacked = 1, kSeriesTimes = 2 };

struct NativeBlock {
  std::uint64_t offset = 0;  // in the file; 0 if it has no bytes
  std::uint64_t bytes = 0;   // 0 if all rows are null
  std::uint32_t checksum = 0;
  BlockForm form = BlockForm::kPacked;
  ByteCodec codec = ByteCodec::kNone;
  BlockStatistics statistics = {};

  friend bool operator==(const NativeBlock&, const NativeBlock&) = default;
};

/// The values of one tag: distinct, ascending, and for each series the position of its own among them.
struct NativeTag {
  BlockValues values = {};
  std::vector<std::uint32_t> of_series = {};
};

struct NativeStructure {
  std::vector<NativeColumn> columns = {};             // tags, as series are ordered by them; the time; fields
  std::vector<NativeTag> tags = {};                   // one for each column that is one
  std::vector<std::uint64_t> series_ends = {};        // for each series, ascending by its tags: the row behind its last
  std::vector<std::uint64_t> page_ends = {};          // for each page, the row behind its last
  std::vector<std::vector<NativeBlock>> blocks = {};  // [of block_columns()][page]
  std::vector<std::uint8_t> presence = {};            // the bytes of a coverage sidecar

  std::uint64_t rows() const { return series_ends.empty() ? 0 : series_ends.back(); }
  std::size_t series() const { return series_ends.size(); }
  std::size_t pages() const { return page_ends.size(); }
  /// Those that are no tags: the time, and fields.
  std::span<const NativeColumn> block_columns() const { return std::span(columns).subspan(tags.size()); }
};

/// What stands behind the blocks of a file whose blocks end at `at`.
codec::Buffer native_end(const NativeStructure& structure, std::uint64_t at);

/// The structure of a whole file, all of it checked but for the bytes of blocks; texts point into the file. Never reads
/// outside it. kCorruption, beginning with `doing`, says what is wrong.
Result<NativeStructure> read_native_structure(std::span<const std::byte> file, const std::string& doing);

}  // namespace marigram::segment
