#include "segment/row_stream.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/column_cast.h"
#include "segment/column_source.h"
#include "segment/column_threads.h"
#include "segment/input_stream.h"
#include "segment/memory_pool.h"
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

// Rows of a row group are judged at most this many at a time, which bounds memory in files of huge row groups.
constexpr std::int64_t kJudgedRowsMax = 1 << 20;
constexpr std::int64_t kParallelRowsMin = 1 << 14;  // to be decoded: below, a thread wakes up too late to help

/// Rows of one row group that are judged together, and then read.
struct Stretch {
  RowRanges rows;                      // that may match
  bool all_within = false;             // all of them are within the bounds of the index
  std::optional<Selection> selection;  // among them; unset: all match
  std::vector<ArrayPtr> decoded;  // values of all `rows` in the columns that had to be looked at; null for the others
  RowRanges wanted;               // the rows to read: those that match if `exact`, else all
  bool exact = true;
  std::int64_t done = 0;  // of the wanted rows
  std::int64_t total = 0;
  std::vector<std::unique_ptr<ColumnSource>> sources;  // null until needed
};

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
    if (const Status whole = file_->check_whole(); batch && !whole) batch = std::unexpected(whole.error());
    if (!batch) failure_ = batch.error();
    return batch;
  }

  const ReadStatistics& statistics() const override { return statistics_; }

 private:
  Result<BatchPtr> find_batch() {
    while (true) {
      if (stretch_.done == stretch_.total) {
        MARIGRAM_ASSIGN(const bool found, open_next_stretch());
        if (!found) return nullptr;
      }
      const std::int64_t begin = stretch_.done;
      stretch_.done = std::min(stretch_.total, begin + batch_rows_);
      MARIGRAM_ASSIGN(BatchPtr batch,
                      stretch_.exact ? read_exact(begin, stretch_.done) : read_masked(begin, stretch_.done));
      if (batch) return batch;
    }
  }

  /// Moves to the next stretch with a row that matches; false at the end.
  Result<bool> open_next_stretch() {
    while (true) {
      if (judged_ == count_rows(group_.rows)) {
        MARIGRAM_ASSIGN(const bool found, open_next_group());
        if (!found) return false;
      }
      const std::int64_t end = std::min(count_rows(group_.rows), judged_ + kJudgedRowsMax);
      stretch_ = Stretch{.rows = clip(group_.rows, judged_, end), .all_within = group_.all_within};
      judged_ = end;
      statistics_.rows_decoded += static_cast<std::uint64_t>(count_rows(stretch_.rows));
      MARIGRAM_TRY(judge());
      if (stretch_.total > 0) return true;
    }
  }

  /// Moves to the next row group with rows that may match; false at the end.
  Result<bool> open_next_group() {
    while (next_group_ < group_end_) {
      current_group_ = next_group_++;
      MARIGRAM_ASSIGN(group_, prune(*file_, current_group_, plan_->conditions));
      judged_ = 0;
      if (group_.rows.empty()) continue;
      statistics_.row_groups_read += 1;
      statistics_.pages += group_.pages;
      statistics_.pages_read += group_.pages_kept;
      return true;
    }
    return false;
  }

  /// Decides which rows of the stretch match, and so what is to be read.
  Status judge() {
    stretch_.decoded.resize(plan_->columns.size());
    stretch_.sources.resize(plan_->columns.size());
    if (!stretch_.all_within) MARIGRAM_TRY(narrow());
    stretch_.wanted = stretch_.rows;
    if (stretch_.rows.empty()) return {};
    if (!stretch_.all_within || !plan_->filters.empty()) {
      MARIGRAM_TRY(select());
      const auto& runs = stretch_.selection->runs();
      stretch_.exact = runs.has_value();
      if (runs) {
        stretch_.wanted.clear();
        for (const RowRange& run : *runs) {
          for (const RowRange& range : clip(stretch_.rows, run.begin, run.end)) append_range(stretch_.wanted, range);
        }
      }
    }
    stretch_.total = count_rows(stretch_.wanted);
    return {};
  }

  /// Leaves out the rows that are out of bounds, where the index column tells them without being decoded.
  Status narrow() {
    const bool comparable = !plan_->conditions.empty() && plan_->conditions.front().bounds != nullptr;
    if (!comparable) return {};
    MARIGRAM_ASSIGN(auto found, find_rows(*file_, current_group_, plan_->conditions.front().leaf, stretch_.rows,
                                          plan_->bounds, Selection::runs_max(count_rows(stretch_.rows))));
    if (!found) return {};
    stretch_.rows = *std::move(found);
    stretch_.all_within = true;
    return {};
  }

  Status select() {
    Selection selection(count_rows(stretch_.rows));
    auto& decoded = stretch_.decoded;
    if (!stretch_.all_within) {
      const std::size_t position = plan_->index_column;
      MARIGRAM_ASSIGN(decoded[position], decode(position));
      MARIGRAM_ASSIGN(decoded[position], become(decoded[position], plan_->columns[position].type, file_->doing()));
      selection.keep_within(*decoded[position], plan_->bounds);
    }
    for (std::size_t i = 0; i < plan_->filters.size(); ++i) {
      const std::size_t position = plan_->filter_columns[i];
      if (!decoded[position]) {
        MARIGRAM_ASSIGN(decoded[position], decode(position));
        if (decoded[position]->type_id() != arrow::Type::DICTIONARY) {
          MARIGRAM_ASSIGN(decoded[position], become(decoded[position], plan_->columns[position].type, file_->doing()));
        }
      }
      plan_->filters[i].apply(*decoded[position], selection.bytes());
    }
    selection.seal();
    stretch_.selection = std::move(selection);
    return {};
  }

  /// All rows of the stretch.
  Result<ArrayPtr> decode(std::size_t position) {
    MARIGRAM_ASSIGN(const auto source, open_source(position, stretch_.rows));
    return source->read(stretch_.rows);
  }

  /// Rows [begin, end) of the wanted ones, all of which match.
  Result<BatchPtr> read_exact(std::int64_t begin, std::int64_t end) {
    const RowRanges rows = clip(stretch_.wanted, begin, end);
    return make_batch(end - begin, [&](std::size_t position) -> Result<ArrayPtr> {
      ArrayPtr& decoded = stretch_.decoded[position];
      if (!decoded) return read_wanted(position, rows);
      if (begin == 0) {  // the first batch of the stretch: from now on it holds what matches alone
        const RowRange bounds = stretch_.selection->bounds();
        MARIGRAM_ASSIGN(decoded,
                        stretch_.selection->apply(decoded->Slice(bounds.begin, bounds.rows()), file_->doing()));
      }
      return decoded->Slice(begin, end - begin);
    });
  }

  /// Those of rows [begin, end) of the stretch that match; null if none does.
  Result<BatchPtr> read_masked(std::int64_t begin, std::int64_t end) {
    const Selection part = stretch_.selection->part(begin, end);
    if (part.count() == 0) return nullptr;
    const RowRange bounds{begin + part.bounds().begin, begin + part.bounds().end};
    const RowRanges rows = clip(stretch_.rows, bounds.begin, bounds.end);
    return make_batch(part.count(), [&](std::size_t position) -> Result<ArrayPtr> {
      const ArrayPtr& decoded = stretch_.decoded[position];
      if (decoded) return part.apply(decoded->Slice(bounds.begin, bounds.rows()), file_->doing());
      MARIGRAM_ASSIGN(const ArrayPtr values, read_wanted(position, rows));
      return part.apply(values, file_->doing());
    });
  }

  Result<ArrayPtr> read_wanted(std::size_t position, const RowRanges& rows) {
    auto& source = stretch_.sources[position];
    if (!source) {
      MARIGRAM_ASSIGN(source, open_source(position, stretch_.wanted));
    }
    return source->read(rows);
  }

  /// `read` gives the matching values of a column as the file has them; flat columns are read side by side.
  template <typename F>
  Result<BatchPtr> make_batch(std::int64_t rows, F read) {
    std::vector<std::size_t> flat;
    std::vector<Result<ArrayPtr>> made(plan_->columns.size(), ArrayPtr());
    std::vector<bool> known(plan_->columns.size());
    for (const std::size_t position : plan_->output) {
      if (known[position]) continue;
      known[position] = true;
      if (plan_->columns[position].leaf >= 0) {
        flat.push_back(position);
      } else {
        made[position] = make_column(position, rows, read);  // they share Arrow's reader
      }
    }
    const bool many = count_rows(stretch_.rows) >= kParallelRowsMin;
    const auto status = for_each_column(static_cast<int>(flat.size()), many, [&](int i) {
      const std::size_t position = flat[static_cast<std::size_t>(i)];
      made[position] = guarded(file_->doing(), true, [&] { return make_column(position, rows, read); });
      return arrow::Status::OK();
    });
    if (!status.ok()) return std::unexpected(from_arrow_status(status, file_->doing(), true));
    arrow::ArrayVector columns;
    for (const std::size_t position : plan_->output) {
      MARIGRAM_TRY(made[position]);
      columns.push_back(*made[position]);
    }
    statistics_.rows_returned += static_cast<std::uint64_t>(rows);
    return arrow::RecordBatch::Make(plan_->output_schema, rows, std::move(columns));
  }

  template <typename F>
  Result<ArrayPtr> make_column(std::size_t position, std::int64_t rows, F read) {
    const PlannedColumn& column = plan_->columns[position];
    if (column.field < 0) return absent_column(column.type, column.text_tag, rows, file_->doing());
    MARIGRAM_ASSIGN(const ArrayPtr values, read(position));
    return finish_column(column, values);
  }

  Result<ArrayPtr> finish_column(const PlannedColumn& column, const ArrayPtr& values) const {
    MARIGRAM_ASSIGN(ArrayPtr result, become(values, column.type, file_->doing()));
    MARIGRAM_TRY(check_nulls(*result, column.nullable, column.name, file_->doing()));
    return result;
  }

  Result<std::unique_ptr<ColumnSource>> open_source(std::size_t position, const RowRanges& rows) {
    const PlannedColumn& column = plan_->columns[position];
    if (column.leaf >= 0) return open_flat_column(*file_, current_group_, column.leaf, rows);
    if (!arrow_reader_) MARIGRAM_TRY(open_arrow_reader());
    return open_whole_column(*file_, *arrow_reader_, current_group_, column.field);
  }

  Status open_arrow_reader() {
    auto reader = parquet::arrow::FileReader::Make(
        memory_pool(),
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
  PruneResult group_;                                         // of the current row group
  std::int64_t judged_ = 0;                                   // of group_.rows
  std::unique_ptr<parquet::arrow::FileReader> arrow_reader_;  // null until a column that is not flat is needed
  Stretch stretch_;                                           // refers to arrow_reader_
  ReadStatistics statistics_;
  std::optional<Error> failure_;
};

}  // namespace

std::unique_ptr<RowStream> make_row_stream(std::shared_ptr<const SegmentFile> file,
                                           std::unique_ptr<const ReadPlan> plan, std::size_t batch_rows) {
  return std::make_unique<Stream>(std::move(file), std::move(plan), batch_rows);
}

}  // namespace marigram::segment
