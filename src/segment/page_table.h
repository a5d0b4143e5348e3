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

/// A column chunk and its pages.
struct PageTable {
  ChunkLocation chunk;
  std::vector<Page> pages;  // data pages in file order, whose rows make up the row group; empty if the file has no page
                            // index for the chunk, or one that contradicts itself
};
/// Read once, then remembered by the file. May throw as Parquet does.
Result<std::shared_ptr<const PageTable>> page_table(const SegmentFile& file, int row_group, int leaf);

}  // namespace marigram::segment
