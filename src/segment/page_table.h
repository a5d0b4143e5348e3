// Where the pages of a column chunk lie and which rows they hold, from the footer and Parquet's page index.
#pragma once

#include "segment/input_stream.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <parquet/type_fwd.h>
#include <parquet/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace marigram::segment {

/// A column chunk's footer entry, checked against the file's size and the row group. May throw as Parquet does.
struct ChunkLocation {
  ByteRange bytes;          // dictionary page, if any, and data pages
  std::int64_t values = 0;  // with nulls
  parquet::Compression::type codec = parquet::Compression::UNCOMPRESSED;
  bool all_dictionary = false;  // every data page holds dictionary indices
  bool all_delta = false;       // every data page holds DELTA_BINARY_PACKED integers
  bool without_nulls = false;   // as the statistics say
};
Result<ChunkLocation> locate_chunk(const SegmentFile& file, const parquet::RowGroupMetaData& group, int leaf);

struct Page {
  ByteRange bytes;
  RowRange rows;
};

/// Data pages in file order, whose rows make up the row group. Unset if the file has no page index for the chunk, or
/// one that contradicts itself. May throw as Parquet does.
Result<std::optional<std::vector<Page>>> read_page_table(const SegmentFile& file,
                                                         const parquet::RowGroupMetaData& group, int leaf);

}  // namespace marigram::segment
