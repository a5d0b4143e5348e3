// Flat columns, page by page, by Parquet's record reader. Faster than parquet::arrow on nullable columns (no spacing
// where the statistics promise that there are no nulls), and able to skip.
#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/column_pages.h"
#include "segment/column_source.h"
#include "segment/memory_pool.h"
#include "segment/parquet_schema.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"
#include "segment/utf8_text.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/buffer.h>
#include <arrow/chunked_array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_generate.h>
#include <fmt/format.h>
#include <parquet/column_reader.h>
#include <parquet/level_conversion.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using parquet::internal::RecordReader;

class FlatColumn : public ColumnSource {
 public:
  FlatColumn(const SegmentFile& file, int leaf, ColumnPages column)
      : file_(file),
        leaf_(*file.metadata()->schema()->Column(leaf)),
        type_(flat_type(leaf_)),
        dense_(is_dense(file, leaf, column.chunk)),
        is_bytes_(type_->id() == arrow::Type::STRING || type_->id() == arrow::Type::BINARY ||
                  type_->id() == arrow::Type::FIXED_SIZE_BINARY),
        reader_(RecordReader::Make(&leaf_, parquet::internal::LevelInfo::ComputeLevelInfo(&leaf_), memory_pool(), false,
                                   dense_, is_bytes_ ? type_ : nullptr)),
        loaded_(std::move(column.rows)) {
    reader_->SetPageReader(std::move(column.pages));
  }

  Result<ArrayPtr> read(const RowRanges& ranges) override {
    std::int64_t rows = 0;
    if (!is_bytes_) reader_->Reserve(count_rows(ranges));
    for (const RowRange& range : ranges) {
      const std::int64_t skip = rows_to_skip(range.begin);
      if (skip > 0 && reader_->SkipRecords(skip) != skip) return cut_short();
      if (reader_->ReadRecords(range.rows()) != range.rows()) return cut_short();
      loaded_.front().begin = range.end;
      rows += range.rows();
    }
    MARIGRAM_ASSIGN(ArrayPtr array, take_array(rows));
    reader_->Reset();
    if (array->length() != rows) return cut_short();
    return array;
  }

 private:
  /// Rows in the reader before row `row` of the row group; moves the front of loaded_ there.
  std::int64_t rows_to_skip(std::int64_t row) {
    std::int64_t skip = 0;
    while (!loaded_.empty() && loaded_.front().end <= row) {
      skip += loaded_.front().rows();
      loaded_.erase(loaded_.begin());
    }
    assert(!loaded_.empty() && loaded_.front().begin <= row);
    return skip + row - loaded_.front().begin;
  }

  std::unexpected<Error> cut_short() const {
    return fail(ErrorCode::kCorruption,
                fmt::format("{}: column {} has fewer values than rows", file_.doing(), leaf_.path()->ToDotString()));
  }

  Result<ArrayPtr> take_array(std::int64_t rows) {
    if (is_bytes_) return take_bytes();
    const bool has_nulls = !dense_ && reader_->null_count() > 0;
    if (reader_->values_written() != rows) return cut_short();
    const std::int64_t null_count = has_nulls ? reader_->null_count() : 0;
    std::shared_ptr<arrow::Buffer> valid;
    if (!dense_) valid = reader_->ReleaseIsValid();
    if (!has_nulls) valid = nullptr;
    std::shared_ptr<arrow::Buffer> values = reader_->ReleaseValues();
    if (type_->id() == arrow::Type::BOOL) {
      MARIGRAM_ASSIGN(values, pack_bits(*values, rows));
    }
    return arrow::MakeArray(arrow::ArrayData::Make(type_, rows, {std::move(valid), std::move(values)}, null_count));
  }

  /// Parquet's reader gives a byte for a bool.
  Result<std::shared_ptr<arrow::Buffer>> pack_bits(const arrow::Buffer& bytes, std::int64_t rows) const {
    MARIGRAM_ASSIGN(std::shared_ptr<arrow::Buffer> bits,
                    allocate_buffer(arrow::bit_util::BytesForBits(rows), file_.doing()));
    const std::uint8_t* next = bytes.data();
    arrow::internal::GenerateBitsUnrolled(bits->mutable_data(), 0, rows, [&] { return *next++ != 0; });
    return bits;
  }

  Result<ArrayPtr> take_bytes() {
    auto* reader = dynamic_cast<parquet::internal::BinaryRecordReader*>(reader_.get());
    MARIGRAM_ASSIGN(auto array, join(reader->GetBuilderChunks()));
    MARIGRAM_TRY(check_text(*array));
    return array;
  }

  /// Parquet's reader does not look whether text is UTF-8, and others rely on it.
  Status check_text(const arrow::Array& array) const {
    if (array.type_id() != arrow::Type::STRING || is_utf8(static_cast<const arrow::StringArray&>(array))) return {};
    return fail(ErrorCode::kCorruption,
                fmt::format("{}: column {} holds text that is not UTF-8", file_.doing(), leaf_.path()->ToDotString()));
  }

  Result<ArrayPtr> join(const std::vector<ArrayPtr>& chunks) const {
    if (chunks.size() == 1) return chunks.front();
    auto joined = chunks.empty() ? arrow::MakeArrayOfNull(type_, 0) : arrow::Concatenate(chunks);
    if (!joined.ok()) return std::unexpected(from_arrow_status(joined.status(), file_.doing(), true));
    return *std::move(joined);
  }

  const SegmentFile& file_;
  const parquet::ColumnDescriptor& leaf_;
  std::shared_ptr<arrow::DataType> type_;
  bool dense_;     // no nulls, or none to expect
  bool is_bytes_;  // strings and fixed-size binary have builders of their own
  std::shared_ptr<RecordReader> reader_;
  RowRanges loaded_;  // rows still in the reader
};

}  // namespace

Result<std::unique_ptr<ColumnSource>> open_flat_column(const SegmentFile& file, int row_group, int leaf,
                                                       const RowRanges& wanted) {
  MARIGRAM_ASSIGN(ColumnPages column, open_pages(file, row_group, leaf, wanted));
  if (!is_packed(file, leaf, column.chunk)) return std::make_unique<FlatColumn>(file, leaf, std::move(column));
  const auto otherwise = [&file, row_group, leaf, wanted]() -> Result<std::unique_ptr<ColumnSource>> {
    MARIGRAM_ASSIGN(ColumnPages pages, open_pages(file, row_group, leaf, wanted));
    return std::make_unique<FlatColumn>(file, leaf, std::move(pages));
  };
  return open_packed_column(file, leaf, std::move(column), otherwise);
}

}  // namespace marigram::segment
