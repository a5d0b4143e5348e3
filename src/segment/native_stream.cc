#include "segment/native_stream.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/column_cast.h"
#include "segment/native_arrays.h"
#include "segment/native_plan.h"
#include "segment/row_range.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// Wanted rows of one page.
struct PagePart {
  std::size_t page = 0;
  RowRanges rows = {};  // counted in the page
};

template <typename T>
void append_rows(const std::vector<T>& from, const RowRanges& rows, std::vector<T>& to) {
  if (from.empty()) return;
  for (const RowRange& range : rows) to.insert(to.end(), from.begin() + range.begin, from.begin() + range.end);
}

class Stream : public RowStream {
 public:
  Stream(std::shared_ptr<const NativeFile> file, NativePlan plan, std::size_t batch_rows)
      : file_(std::move(file)),
        plan_(std::move(plan)),
        batch_rows_(static_cast<std::int64_t>(std::min<std::size_t>(batch_rows, 1 << 24))),
        last_(plan_.columns.size()) {
    statistics_.pages = file_->structure().pages();
    statistics_.row_groups = 1;
    if (plan_.none) next_page_ = file_->structure().pages();
    if (!plan_.none) announce();
  }

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    if (failure_) return std::unexpected(*failure_);
    auto batch = guarded(file_->doing(), true, [&] { return make_batch(); });
    if (const Status whole = file_->check_whole(); batch && !whole) batch = std::unexpected(whole.error());
    if (!batch) failure_ = batch.error();
    return batch;
  }

  const ReadStatistics& statistics() const override { return statistics_; }

 private:
  /// From the first series that is wanted to the last.
  void announce() const {
    const auto first = std::ranges::find(plan_.series, 1);
    if (first == plan_.series.end()) return;
    const auto behind = std::find(plan_.series.rbegin(), plan_.series.rend(), 1).base();
    const auto begin = file_->series_begin(static_cast<std::size_t>(first - plan_.series.begin()));
    const auto end = file_->series_begin(static_cast<std::size_t>(behind - plan_.series.begin()));
    file_->will_read(file_->page_of(begin), file_->page_of(end - 1));
  }

  struct Cached {
    std::optional<std::size_t> page;
    BlockView block;
  };

  Result<std::shared_ptr<arrow::RecordBatch>> make_batch() {
    std::vector<PagePart> parts;
    std::int64_t rows = 0;
    while (rows < batch_rows_) {
      if (rest_.rows.empty()) {
        MARIGRAM_ASSIGN(const bool found, find_page());
        if (!found) break;
      }
      const std::int64_t there = count_rows(rest_.rows);
      const std::int64_t take = std::min(there, batch_rows_ - rows);
      parts.push_back({.page = rest_.page, .rows = clip(rest_.rows, 0, take)});
      rest_.rows = clip(rest_.rows, take, there);
      rows += take;
    }
    if (rows == 0) return nullptr;
    arrow::ArrayVector arrays;
    for (std::size_t i = 0; i < plan_.columns.size(); ++i) {
      MARIGRAM_ASSIGN(ArrayPtr array, make_column(i, parts, rows));
      arrays.push_back(std::move(array));
    }
    statistics_.rows_returned += static_cast<std::uint64_t>(rows);
    return arrow::RecordBatch::Make(plan_.schema, rows, std::move(arrays));
  }

  // ---- which rows ----

  /// The next page with wanted rows becomes rest_; false at the end.
  Result<bool> find_page() {
    while (next_page_ < file_->structure().pages()) {
      const std::size_t page = next_page_++;
      RowRanges rows = rows_of_series(page);
      const PageTimes times = file_->page_times(page);
      const auto least = static_cast<std::int64_t>(times.least);
      const auto largest = static_cast<std::int64_t>(times.largest);
      if (rows.empty() || !plan_.bounds.intersects(least, largest)) continue;
      statistics_.row_groups_read = 1;
      statistics_.pages_read += 1;
      statistics_.rows_decoded += file_->page_rows(page);
      if (!plan_.bounds.contains(least, largest)) {
        MARIGRAM_ASSIGN(rows, rows_within(page, rows));
        if (rows.empty()) continue;
      }
      rest_ = {.page = page, .rows = std::move(rows)};
      return true;
    }
    return false;
  }

  /// The rows of wanted series: a range each, touching or not.
  RowRanges rows_of_series(std::size_t page) const {
    RowRanges rows;
    const std::uint64_t begin = file_->page_begin(page);
    const std::uint64_t end = begin + file_->page_rows(page);
    for (std::size_t series = file_->series_of(begin); series < plan_.series.size(); ++series) {
      const std::uint64_t first = std::max(begin, file_->series_begin(series));
      const std::uint64_t last = std::min(end, file_->structure().series_ends[series]);
      if (first >= end) break;
      if (plan_.series[series] == 0) continue;
      rows.push_back({static_cast<std::int64_t>(first - begin), static_cast<std::int64_t>(last - begin)});
    }
    return rows;
  }

  /// Of each range, in which times ascend, the rows within the bounds.
  Result<RowRanges> rows_within(std::size_t page, const RowRanges& rows) const {
    MARIGRAM_ASSIGN(const BlockValues times, file_->read(0, page));
    RowRanges within;
    for (const RowRange& range : rows) {
      const std::span<const std::uint64_t> cells =
          std::span(times.cells).subspan(static_cast<std::size_t>(range.begin), static_cast<std::size_t>(range.rows()));
      const auto is_before = [&](std::uint64_t cell) {
        return plan_.bounds.is_before(static_cast<std::int64_t>(cell));
      };
      const auto is_wanted = [&](std::uint64_t cell) {
        return !plan_.bounds.is_behind(static_cast<std::int64_t>(cell));
      };
      const auto first = std::ranges::partition_point(cells, is_before);
      const auto last = std::partition_point(first, cells.end(), is_wanted);
      if (first == last) continue;
      within.push_back({range.begin + (first - cells.begin()), range.begin + (last - cells.begin())});
    }
    return within;
  }

  // ---- their values ----

  Result<ArrayPtr> make_column(std::size_t i, const std::vector<PagePart>& parts, std::int64_t rows) {
    const NativeSource& column = plan_.columns[i];
    if (!column.tag && !column.block) return absent_column(column.type, column.text_tag, rows, file_->doing());
    const std::size_t tags = file_->structure().tags.size();
    const NativeColumn& stored = file_->structure().columns[column.tag ? *column.tag : tags + *column.block];
    MARIGRAM_ASSIGN(ArrayPtr array,
                    column.tag ? tags_of(stored.kind, column, parts, rows) : values_of(stored.kind, i, parts, rows));
    MARIGRAM_ASSIGN(array, become(array, column.type, file_->doing()));
    MARIGRAM_TRY(check_nulls(*array, column.nullable, stored.name, file_->doing()));
    return array;
  }

  Result<ArrayPtr> tags_of(ValueKind kind, const NativeSource& column, const std::vector<PagePart>& parts,
                           std::int64_t rows) const {
    const NativeTag& tag = file_->structure().tags[*column.tag];
    std::vector<TextRun> runs;
    BlockValues all;
    for (const PagePart& part : parts) {
      const std::uint64_t begin = file_->page_begin(part.page);
      for (const RowRange& range : part.rows) {
        std::uint64_t row = begin + static_cast<std::uint64_t>(range.begin);
        const std::uint64_t end = begin + static_cast<std::uint64_t>(range.end);
        for (std::size_t series = file_->series_of(row); row < end; ++series) {
          const std::uint64_t until = std::min(end, file_->structure().series_ends[series]);
          const std::uint32_t value = tag.of_series[series];
          if (kind == ValueKind::kText) {
            runs.push_back({.text = tag.values.texts[value], .rows = static_cast<std::int64_t>(until - row)});
          } else {
            all.cells.resize(all.cells.size() + (until - row), tag.values.cells[value]);
          }
          row = until;
        }
      }
    }
    if (kind == ValueKind::kText) return make_texts(column.stored, runs, file_->doing());
    return make_array(kind, column.stored, static_cast<std::size_t>(rows), all, file_->doing());
  }

  Result<ArrayPtr> values_of(ValueKind kind, std::size_t i, const std::vector<PagePart>& parts, std::int64_t rows) {
    const auto& type = plan_.columns[i].stored;
    if (kind == ValueKind::kBool || kind == ValueKind::kText) {
      MARIGRAM_ASSIGN(const BlockValues all, decoded_of(i, parts));
      return make_array(kind, type, static_cast<std::size_t>(rows), all, file_->doing());
    }
    MARIGRAM_ASSIGN(NumberArray numbers, NumberArray::make(kind, static_cast<std::size_t>(rows), file_->doing()));
    for (const PagePart& part : parts) {
      MARIGRAM_ASSIGN(const BlockView* block, block_of(i, part.page));
      numbers.append(*block, part.rows);
    }
    return numbers.finish(type, file_->doing());
  }

  /// A page that is cut between batches is decoded once.
  Result<const BlockView*> block_of(std::size_t i, std::size_t page) {
    Cached& cached = last_[i];
    if (cached.page == page) return &cached.block;
    cached.page.reset();
    MARIGRAM_ASSIGN(cached.block, file_->view(*plan_.columns[i].block, page));
    cached.page = page;
    return &cached.block;
  }

  Result<BlockValues> decoded_of(std::size_t i, const std::vector<PagePart>& parts) {
    BlockValues all;
    std::size_t rows = 0;
    for (const PagePart& part : parts) {
      MARIGRAM_ASSIGN(const BlockView* block, block_of(i, part.page));
      const BlockValues& values = block->decoded;
      append_rows(values.cells, part.rows, all.cells);
      append_rows(values.texts, part.rows, all.texts);
      all.held.insert(all.held.end(), values.held.begin(), values.held.end());
      const auto count = static_cast<std::size_t>(count_rows(part.rows));
      if (!values.valid.empty()) {
        all.valid.resize(rows, 1);
        append_rows(values.valid, part.rows, all.valid);
      } else if (!all.valid.empty()) {
        all.valid.resize(rows + count, 1);
      }
      rows += count;
    }
    return all;
  }

  std::shared_ptr<const NativeFile> file_;
  NativePlan plan_;
  std::int64_t batch_rows_;
  std::vector<Cached> last_;  // a block for each column
  std::size_t next_page_ = 0;
  PagePart rest_;  // what is left of the page before that
  ReadStatistics statistics_;
  std::optional<Error> failure_;
};

}  // namespace

Result<std::unique_ptr<RowStream>> read_native(std::shared_ptr<const NativeFile> file, const model::Schema& schema,
                                               const model::IndexSpec& index, ReadRequest request) {
  MARIGRAM_ASSIGN(NativePlan plan, NativePlan::make(*file, schema, index, request));
  return std::make_unique<Stream>(std::move(file), std::move(plan), request.batch_rows);
}

}  // namespace marigram::segment
