#include "segment/row_stream.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/column_cast.h"
#include "segment/column_source.h"
#include "segment/input_stream.h"
#include "segment/prune.h"
#include "segment/read_plan.h"
#include "segment/reader.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"
#include "segment/selection.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

class Stream : public RowStream {
 public:
  Stream(std::shared_ptr<const SegmentFile> file, std::unique_ptr<const ReadPlan> plan, std::size_t batch_rows)
      : file_(std::move(file)),
        plan_(std::move(plan)),
        batch_rows_(static_cast<std::int64_t>(std::min<std::size_t>(batch_rows, 1 << 24))),
        group_end_(file_->metadata()->num_row_groups()) {
    statistics_.row_groups = static_cast<std::uint64_t>(group_end_);
    if (plan_->none) next_group_ = group_end_;
  }

  Result<BatchPtr> next() override {
    if (failure_) return std::unexpected(*failure_);
    auto batch = guarded(file_->doing(), true, [&] { return find_batch(); });
    if (!batch) failure_ = batch.error();
    return batch;
  }

  const ReadStatistics& statistics() const override { return statistics_; }

 private:
  Result<BatchPtr> find_batch() {
    while (true) {
      if (rows_done_ == rows_total_) {
        MARIGRAM_ASSIGN(const bool found, open_next_group());
        if (!found) return nullptr;
      }
      const std::int64_t end = std::min(rows_total_, rows_done_ + batch_rows_);
      const RowRanges rows = clip(group_.rows, rows_done_, end);
      rows_done_ = end;
      MARIGRAM_ASSIGN(BatchPtr batch, read_rows(rows));
      if (batch) return batch;
    }
  }

  /// Moves to the next row group with rows that may match; false at the end.
  Result<bool> open_next_group() {
    while (next_group_ < group_end_) {
      const int group = next_group_++;
      MARIGRAM_ASSIGN(group_, prune(*file_, *file_->metadata()->RowGroup(group), plan_->conditions));
      if (group_.rows.empty()) continue;
      rows_done_ = 0;
      rows_total_ = count_rows(group_.rows);
      sources_.clear();
      sources_.resize(plan_->columns.size());
      current_group_ = group;
      statistics_.row_groups_read += 1;
      statistics_.pages += group_.pages;
      statistics_.pages_read += group_.pages_kept;
      return true;
    }
    return false;
  }

  /// Null if none of the rows matches.
  Result<BatchPtr> read_rows(const RowRanges& rows) {
    const std::int64_t count = count_rows(rows);
    statistics_.rows_decoded += static_cast<std::uint64_t>(count);
    std::vector<ArrayPtr> decoded(plan_->columns.size());
    std::optional<Selection> selection;
    if (!group_.all_within || !plan_->filters.empty()) {
      MARIGRAM_ASSIGN(selection, select(rows, decoded));
      if (selection->count() == 0) return nullptr;
    }
    const std::int64_t kept = selection ? selection->count() : count;
    const RowRanges wanted = selection ? clip(rows, selection->first(), selection->end()) : rows;
    std::vector<ArrayPtr> made(plan_->columns.size());
    arrow::ArrayVector columns;
    for (const std::size_t position : plan_->output) {
      if (!made[position]) {
        MARIGRAM_ASSIGN(made[position], read_column(position, decoded[position], wanted, selection, kept));
      }
      columns.push_back(made[position]);
    }
    statistics_.rows_returned += static_cast<std::uint64_t>(kept);
    return arrow::RecordBatch::Make(plan_->output_schema, kept, std::move(columns));
  }

  /// Decodes the columns that decide, and decides.
  Result<Selection> select(const RowRanges& rows, std::vector<ArrayPtr>& decoded) {
    Selection selection(count_rows(rows));
    if (!group_.all_within) {
      const std::size_t position = plan_->index_column;
      MARIGRAM_ASSIGN(const ArrayPtr raw, read_raw(position, rows));
      MARIGRAM_ASSIGN(decoded[position], become(raw, plan_->columns[position].type, file_->doing()));
      selection.keep_within(*decoded[position], plan_->bounds);
    }
    for (std::size_t i = 0; i < plan_->filters.size(); ++i) {
      const std::size_t position = plan_->filter_columns[i];
      if (!decoded[position]) {
        MARIGRAM_ASSIGN(decoded[position], read_raw(position, rows));
        if (decoded[position]->type_id() != arrow::Type::DICTIONARY) {
          MARIGRAM_ASSIGN(decoded[position], become(decoded[position], plan_->columns[position].type, file_->doing()));
        }
      }
      plan_->filters[i].apply(*decoded[position], selection.bytes());
    }
    selection.seal();
    return selection;
  }

  /// A column of the batch: `decoded` values of all rows if they were needed to decide, else those of `wanted` rows are
  /// read now.
  Result<ArrayPtr> read_column(std::size_t position, const ArrayPtr& decoded, const RowRanges& wanted,
                               const std::optional<Selection>& selection, std::int64_t kept) {
    const PlannedColumn& column = plan_->columns[position];
    if (column.field < 0) {
      auto nulls = arrow::MakeArrayOfNull(column.type, kept);
      if (!nulls.ok()) return std::unexpected(from_arrow_status(nulls.status(), file_->doing(), true));
      return *std::move(nulls);
    }
    ArrayPtr values = decoded;
    if (!values) {
      MARIGRAM_ASSIGN(values, read_raw(position, wanted));
    } else if (selection) {
      values = values->Slice(selection->first(), selection->end() - selection->first());
    }
    if (selection) {
      MARIGRAM_ASSIGN(values, selection->apply(values, file_->doing()));
    }
    MARIGRAM_ASSIGN(values, become(values, column.type, file_->doing()));
    if (!column.nullable && values->null_count() > 0) {
      return fail(
          ErrorCode::kCorruption,
          fmt::format("{}: column {} holds null values, and the table's is not nullable", file_->doing(), column.name));
    }
    return values;
  }

  Result<ArrayPtr> read_raw(std::size_t position, const RowRanges& rows) {
    auto& source = sources_[position];
    const PlannedColumn& column = plan_->columns[position];
    if (!source && column.leaf >= 0) {
      MARIGRAM_ASSIGN(source, open_flat_column(*file_, current_group_, column.leaf, group_.rows));
    } else if (!source) {
      if (!arrow_reader_) MARIGRAM_TRY(open_arrow_reader());
      MARIGRAM_ASSIGN(source, open_whole_column(*file_, *arrow_reader_, current_group_, column.field));
    }
    return source->read(rows);
  }

  Status open_arrow_reader() {
    auto reader = parquet::arrow::FileReader::Make(
        arrow::default_memory_pool(),
        parquet::ParquetFileReader::Open(make_input_file(file_), file_->reader_properties(), file_->metadata()),
        parquet::default_arrow_reader_properties());
    if (!reader.ok()) return std::unexpected(from_arrow_status(reader.status(), file_->doing(), true));
    arrow_reader_ = *std::move(reader);
    return {};
  }

  std::shared_ptr<const SegmentFile> file_;
  std::unique_ptr<const ReadPlan> plan_;
  std::int64_t batch_rows_;
  int next_group_ = 0;
  int group_end_;
  int current_group_ = 0;
  PruneResult group_;           // of the current row group
  std::int64_t rows_done_ = 0;  // of group_.rows
  std::int64_t rows_total_ = 0;
  std::vector<std::unique_ptr<ColumnSource>> sources_;        // of the current row group; null until needed
  std::unique_ptr<parquet::arrow::FileReader> arrow_reader_;  // null until a column that is not flat is needed
  ReadStatistics statistics_;
  std::optional<Error> failure_;
};

}  // namespace

std::unique_ptr<RowStream> make_row_stream(std::shared_ptr<const SegmentFile> file,
                                           std::unique_ptr<const ReadPlan> plan, std::size_t batch_rows) {
  return std::make_unique<Stream>(std::move(file), std::move(plan), batch_rows);
}

}  // namespace marigram::segment
