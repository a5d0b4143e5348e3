// The data pages of a flat column, taken apart.
#pragma once

#include "codec/packed_bits.h"
#include "segment/column_pages.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <parquet/types.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace arrow {
class Buffer;
}
namespace parquet {
class ColumnDescriptor;
class DataPage;
class Page;
}  // namespace parquet

namespace marigram::segment {

/// One page after the other. Not thread-safe; the file must outlive it. Methods may throw as Parquet does.
class ValuePages {
 public:
  ValuePages(const SegmentFile& file, int leaf, ColumnPages pages);

  struct Dictionary {
    std::shared_ptr<arrow::Buffer> bytes;
    std::int32_t entries = 0;
  };
  /// Before next(). There must be rows.
  Result<Dictionary> dictionary();

  /// Moves to the next page; false if it is in neither of the encodings, whatever the footer says, or too old.
  Result<bool> next(parquet::Encoding::type encoding, parquet::Encoding::type older_name);

  const RowRange& rows() const { return rows_; }   // of the page, in the row group; empty before the first one
  bool dense() const { return dense_; }            // every row has a value, and the levels say nothing
  codec::Bytes levels() const { return levels_; }  // hybrid, a bit a row: whether it has a value
  codec::Bytes values() const { return values_; }
  const SegmentFile& file() const { return file_; }

  /// kCorruption: "cannot read data/x.parquet: column price has no dictionary".
  std::unexpected<Error> damaged(std::string_view what) const;

 private:
  Status split(const parquet::DataPage& page);

  const SegmentFile& file_;
  const parquet::ColumnDescriptor& leaf_;
  bool dense_;
  ColumnPages pages_;
  std::shared_ptr<parquet::Page> page_;
  codec::Bytes levels_;
  codec::Bytes values_;
  RowRange rows_;
};

}  // namespace marigram::segment
