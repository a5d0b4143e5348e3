// The pages of a flat column that hold wanted rows.
#pragma once

#include "segment/page_table.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <parquet/type_fwd.h>

#include <memory>

namespace parquet {
class PageReader;
}

namespace marigram::segment {

struct ColumnPages {
  ChunkLocation chunk;
  std::unique_ptr<parquet::PageReader> pages;  // the dictionary, where there is one, then those of `rows`
  RowRanges rows;                              // of the row group
};

/// Pages without any of the `wanted` rows are left out, where the file has a page index. The pages that come hold as
/// many values as that index says: rows of different columns would slip against each other otherwise. May throw as
/// Parquet does, and so may the pages' reader, which the file must outlive.
Result<ColumnPages> open_pages(const SegmentFile& file, int row_group, int leaf, const RowRanges& wanted);

/// Whether a flat column surely has no nulls. What its statistics say is worth only what the file's checksums make it
/// worth.
bool is_dense(const SegmentFile& file, int leaf, const ChunkLocation& chunk);

}  // namespace marigram::segment
