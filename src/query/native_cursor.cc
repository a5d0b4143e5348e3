#include "query/native_cursor.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"
#include "segment/native_arrays.h"
#include "segment/native_file.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/type.h>

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

/// The fields that the aggregates are of, each once: by name, where its blocks are, if the segment has it.
using Fields = std::map<std::string, std::optional<std::size_t>>;

Fields fields_of(const NativeQuestion& question) {
  Fields fields;
  if (question.level != nullptr) {
    for (const std::string& name : question.level->columns.names()) {
      fields.emplace(name, question.segment.block_of(name));
    }
    return fields;
  }
  for (const AggregateOf& column : question.columns) {
    for (const std::string& field : {column.field, column.weight}) {
      if (!field.empty()) fields.emplace(field, question.segment.block_of(field));
    }
  }
  return fields;
}

/// Of each page.
std::uint64_t blocks_of_page(const Fields& fields) {
  return 1 + static_cast<std::uint64_t>(
                 std::ranges::count_if(fields, [](const auto& field) { return field.second.has_value(); }));
}

class NativeCursor final : public SeriesCursor {
 public:
  NativeCursor(std::shared_ptr<const NativeQuestion> question, std::size_t begin, std::size_t end)
      : question_(std::move(question)),
        file_(question_->segment.file()),
        fields_(fields_of(*question_)),
        next_(begin),
        end_(end) {
    if (question_->level != nullptr) statistics_.rollups.push_back({.interval = question_->level->interval});
    advance();
  }

  Result<const RowKey*> series() override { return key_ ? &*key_ : nullptr; }

  /// A page.
  Result<bool> feed(Aggregation& into) override {
    const std::size_t page = file_.page_of(row_);
    const std::uint64_t first = file_.page_begin(page);
    const std::uint64_t end = std::min(first + file_.page_rows(page), file_.structure().series_ends[next_ - 1]);
    MARIGRAM_TRY(feed_page(into, page, row_ - first, end - first));
    MARIGRAM_TRY(file_.check_whole());
    row_ = end;
    if (row_ < file_.structure().series_ends[next_ - 1]) return true;
    advance();
    return false;
  }

  QueryStatistics statistics() const override { return statistics_; }

 private:
  /// Goes to the next series that is asked for.
  void advance() {
    while (next_ < end_ && question_->wanted[next_] == 0) ++next_;
    key_.reset();
    if (next_ == end_) return;
    row_ = file_.series_begin(next_);
    const SeriesKey key = question_->segment.key(next_++);
    key_.emplace(key.begin(), key.end());
    for (auto& tag : *key_) {
      if (question_->grows && tag == TagValue("")) tag.reset();
    }
    if (question_->segment.hidden()) hidden_ = question_->segment.hidden()->of(key);
  }

  /// Rows [begin, end) of the page are of the series at hand.
  Status feed_page(Aggregation& into, std::size_t page, std::size_t begin, std::size_t end) {
    const segment::PageTimes time = file_.page_times(page);
    const auto least = static_cast<std::int64_t>(time.least);
    const auto largest = static_cast<std::int64_t>(time.largest);
    if (!question_->bounds.intersects(least, largest)) return {};
    const segment::IndexBounds& bounds = question_->bounds;
    const bool has_hidden = table::has_key_between(hidden_, {bounds.key(least), bounds.key(largest)});
    const bool is_whole =
        end - begin == file_.page_rows(page) && question_->bounds.contains(least, largest) && !has_hidden;
    if (is_whole && file_.has_statistics() && question_->level == nullptr) {
      MARIGRAM_ASSIGN(const bool is_answered, into.add(summary_of(page)));
      if (is_answered) {
        statistics_.blocks_answered += blocks_of_page(fields_);
        return {};
      }
    }
    MARIGRAM_TRY(load(page));
    const std::span own(rows_.times + begin, end - begin);
    const auto first = std::ranges::partition_point(own, [&](auto at) { return question_->bounds.is_before(at); });
    const auto behind = std::ranges::partition_point(own, [&](auto at) { return !question_->bounds.is_behind(at); });
    const std::size_t from = begin + static_cast<std::size_t>(first - own.begin());
    const std::size_t to = std::max(from, begin + static_cast<std::size_t>(behind - own.begin()));
    return has_hidden ? feed_visible(into, from, to) : add(into, from, to);
  }

  /// These rows of the page.
  Status add(Aggregation& into, std::size_t begin, std::size_t end) {
    if (question_->level == nullptr) return into.add(rows_, as_signed(begin), as_signed(end));
    statistics_.rollups.front().rows += end - begin;
    return LevelColumns::add(into, rows_, level_columns_, as_signed(begin), as_signed(end));
  }

  static std::int64_t as_signed(std::size_t row) { return static_cast<std::int64_t>(row); }

  /// Of these rows of the page those between the hidden ones.
  Status feed_visible(Aggregation& into, std::size_t begin, std::size_t end) {
    const auto key = [&](std::size_t row) { return question_->bounds.key(rows_.times[row]); };
    const auto first_from = [&](std::size_t from, auto is_before) {
      const auto rows = std::views::iota(from, end);
      return from + static_cast<std::size_t>(std::ranges::partition_point(rows, is_before) - rows.begin());
    };
    for (const auto& [first, last] : hidden_) {
      const std::size_t hidden = first_from(begin, [&](std::size_t row) { return key(row) < first; });
      if (hidden > begin) MARIGRAM_TRY(add(into, begin, hidden));
      begin = first_from(hidden, [&](std::size_t row) { return key(row) <= last; });
    }
    return add(into, begin, end);
  }

  /// What statistics say of a page whose rows are all of the series at hand.
  RowsSummary summary_of(std::size_t page) const {
    const segment::NativeStructure& structure = file_.structure();
    const auto of_field = [&](const std::string& field) -> BlockSummary {
      if (field.empty() || !fields_.at(field)) return {};
      const std::size_t column = *fields_.at(field);
      return {.kind = structure.block_columns()[column].kind, .statistics = &structure.blocks[column][page].statistics};
    };
    const auto& time = structure.blocks.front()[page].statistics;
    RowsSummary rows{.count = static_cast<std::int64_t>(file_.page_rows(page)),
                     .first_time = static_cast<std::int64_t>(time.first),
                     .last_time = static_cast<std::int64_t>(time.last)};
    for (const AggregateOf& column : question_->columns) rows.fields.push_back(of_field(column.field));
    return rows;
  }

  /// The page becomes rows_.
  Status load(std::size_t page) {
    if (page_ == page) return {};
    page_.reset();
    MARIGRAM_ASSIGN(times_, file_.view(0, page));
    views_.clear();
    std::map<std::string, std::shared_ptr<arrow::Array>> arrays;
    for (const auto& [field, column] : fields_) {
      MARIGRAM_ASSIGN(arrays[field], array_of(page, field, column));
    }
    page_ = page;
    const auto* const times = static_cast<const std::int64_t*>(times_.cells);
    if (question_->level != nullptr) {
      level_columns_.clear();
      for (const std::string& name : question_->level->columns.names()) level_columns_.push_back(arrays[name]);
      rows_ = question_->level->columns.rows_of(times, level_columns_);
      return {};
    }
    rows_ = {.times = times};
    for (const AggregateOf& column : question_->columns) {
      rows_.fields.push_back({.values = arrays[column.field], .weights = arrays[column.weight]});
    }
    statistics_.blocks_decoded += blocks_of_page(fields_);
    return {};
  }

  Result<std::shared_ptr<arrow::Array>> array_of(std::size_t page, const std::string& field,
                                                 std::optional<std::size_t> column) {
    const auto& type = question_->schema.GetFieldByName(field)->type();
    if (!column) {
      auto nulls =
          arrow::MakeArrayOfNull(type, static_cast<std::int64_t>(file_.page_rows(page)), segment::memory_pool());
      if (nulls.ok()) return *std::move(nulls);
      return std::unexpected(segment::from_arrow_status(nulls.status(), file_.doing(), false));
    }
    MARIGRAM_ASSIGN(segment::BlockView view, file_.view(*column, page));
    views_.push_back(std::make_unique<segment::BlockView>(std::move(view)));
    return segment::borrow_array(file_.structure().block_columns()[*column].kind, type, file_.page_rows(page),
                                 *views_.back(), file_.doing());
  }

  std::shared_ptr<const NativeQuestion> question_;
  const segment::NativeFile& file_;
  Fields fields_;
  std::size_t next_;  // behind the series at hand
  std::size_t end_;
  std::optional<RowKey> key_;  // of the series at hand; unset behind the last
  std::uint64_t row_ = 0;      // the first of that which has not been fed
  table::KeyRanges hidden_;    // of its times

  std::optional<std::size_t> page_;  // that was loaded last
  segment::BlockView times_;
  std::vector<std::unique_ptr<segment::BlockView>> views_;  // which the arrays borrow
  FieldRows rows_;
  Arrays level_columns_;  // of a level, in the order of its names
  QueryStatistics statistics_;
};

}  // namespace

std::uint64_t count_blocks(const NativeQuestion& question) {
  return blocks_of_page(fields_of(question)) * question.segment.file().structure().pages();
}

std::unique_ptr<SeriesCursor> native_cursor(std::shared_ptr<const NativeQuestion> question, std::size_t begin,
                                            std::size_t end) {
  return std::make_unique<NativeCursor>(std::move(question), begin, end);
}

}  // namespace marigram::query
