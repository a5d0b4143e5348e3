// Columns that Arrow's own reader must put together: nested ones, decimals, int96.
#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/column_source.h"
#include "segment/page_table.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/chunked_array.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/metadata.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

void collect_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
  if (field.is_leaf()) leaves.push_back(field.column_index);
  for (const auto& child : field.children) collect_leaves(child, leaves);
}

class WholeColumn : public ColumnSource {
 public:
  WholeColumn(const SegmentFile& file, parquet::arrow::FileReader& reader, int row_group, int field)
      : file_(file), reader_(reader), row_group_(row_group), field_(field) {}

  Result<ArrayPtr> read(const RowRanges& ranges) override {
    if (!values_) MARIGRAM_TRY(load());
    arrow::ArrayVector parts;
    for (const RowRange& range : ranges) {
      const auto slice = values_->Slice(range.begin, range.rows());
      parts.insert(parts.end(), slice->chunks().begin(), slice->chunks().end());
    }
    if (parts.size() == 1) return parts.front();
    auto joined = parts.empty() ? arrow::MakeArrayOfNull(values_->type(), 0) : arrow::Concatenate(parts);
    if (!joined.ok()) return std::unexpected(from_arrow_status(joined.status(), file_.doing(), true));
    return *std::move(joined);
  }

 private:
  Status load() {
    std::vector<int> leaves;
    collect_leaves(reader_.manifest().schema_fields[static_cast<std::size_t>(field_)], leaves);
    const auto group = file_.metadata()->RowGroup(row_group_);
    for (const int leaf : leaves) {
      if (const auto chunk = locate_chunk(file_, *group, leaf); !chunk) return std::unexpected(chunk.error());
    }
    const auto table = reader_.ReadRowGroup(row_group_, leaves);
    if (!table.ok()) return std::unexpected(from_arrow_status(table.status(), file_.doing(), true));
    if ((*table)->num_columns() != 1 || (*table)->num_rows() != group->num_rows()) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("{}: column {} has {} rows in a row group of {}", file_.doing(),
                              reader_.manifest().schema_fields[static_cast<std::size_t>(field_)].field->name(),
                              (*table)->num_rows(), group->num_rows()));
    }
    values_ = (*table)->column(0);
    // Text is not checked by Parquet's reader, and offsets of nested columns are made from untrusted levels.
    const auto valid = values_->ValidateFull();
    if (!valid.ok()) return std::unexpected(from_arrow_status(valid, file_.doing(), true));
    return {};
  }

  const SegmentFile& file_;
  parquet::arrow::FileReader& reader_;
  int row_group_;
  int field_;
  std::shared_ptr<arrow::ChunkedArray> values_;  // null until first asked for
};

}  // namespace

Result<std::unique_ptr<ColumnSource>> open_whole_column(const SegmentFile& file, parquet::arrow::FileReader& reader,
                                                        int row_group, int field) {
  return std::make_unique<WholeColumn>(file, reader, row_group, field);
}

}  // namespace marigram::segment
