// The values of one column of one row group.
#pragma once

#include "segment/column_pages.h"
#include "segment/index_bounds.h"
#include "segment/page_table.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

namespace arrow {
class Array;
}
namespace parquet::arrow {
class FileReader;
}

namespace marigram::segment {

/// Reads forward only. Not thread-safe. The file must outlive it. Methods may throw as Parquet does.
class ColumnSource {
 public:
  virtual ~ColumnSource() = default;
  /// The values of `ranges` of the row group's rows, one after the other. No range may start before the end of one
  /// asked for earlier. String columns may come as dictionaries with int32 indices.
  virtual Result<std::shared_ptr<arrow::Array>> read(const RowRanges& ranges) = 0;
};

/// A leaf whose flat_type() is not null. Only `wanted` rows will be asked for: pages without any are not read, where
/// the file has a page index.
Result<std::unique_ptr<ColumnSource>> open_flat_column(const SegmentFile& file, int row_group, int leaf,
                                                       const RowRanges& wanted);

/// Whether the pages of a flat leaf are ones that open_packed_column() can read.
bool is_packed(const SegmentFile& file, int leaf, const ChunkLocation& chunk);
using OpenColumn = std::function<Result<std::unique_ptr<ColumnSource>>()>;
/// `otherwise` opens the column, should a page be none of those, whatever the footer says.
Result<std::unique_ptr<ColumnSource>> open_packed_column(const SegmentFile& file, int leaf, ColumnPages column,
                                                         OpenColumn otherwise);

/// Those of `rows` whose value of a flat leaf (64-bit) lies within the bounds. Unset if its pages have to be decoded to
/// know, or if they make up more than `stretches_max` ranges.
Result<std::optional<RowRanges>> find_rows(const SegmentFile& file, int row_group, int leaf, const RowRanges& rows,
                                           const IndexBounds& bounds, std::size_t stretches_max);

/// Any top-level field, by Arrow's own reader, which decodes all of the row group at once. `reader` reads `file`.
Result<std::unique_ptr<ColumnSource>> open_whole_column(const SegmentFile& file, parquet::arrow::FileReader& reader,
                                                        int row_group, int field);

}  // namespace marigram::segment
