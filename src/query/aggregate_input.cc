#include "query/aggregate_input.h"

#include "base/try.h"

#include <arrow/record_batch.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace marigram::query {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

class BatchCursor final : public SeriesCursor {
 public:
  BatchCursor(std::unique_ptr<table::BatchSource> rows, model::IndexSpec index,
              std::shared_ptr<const model::SeriesSet> wanted, std::optional<LevelRows> level)
      : rows_(std::move(rows)), index_(std::move(index)), wanted_(std::move(wanted)), level_(std::move(level)) {
    if (level_) statistics_.rollups.push_back({.interval = level_->interval, .rows = 0});
  }

  Result<const RowKey*> series() override {
    if (!is_begun_) MARIGRAM_TRY(advance());
    return series_ ? &*series_ : nullptr;
  }

  Result<bool> feed(Aggregation& into) override {
    const RowKey series = *series_;
    const std::int64_t end = key_run_end(columns_, row_, batch_->num_rows());
    if (!rows_of_batch_) {
      MARIGRAM_ASSIGN(rows_of_batch_, rows_of_batch(into));
    }
    if (level_) {
      MARIGRAM_TRY(LevelColumns::add(into, *rows_of_batch_, level_columns_, row_, end));
    } else {
      MARIGRAM_TRY(into.add(*rows_of_batch_, row_, end));
    }
    row_ = end;
    MARIGRAM_TRY(advance());
    return series_ == series;
  }

  QueryStatistics statistics() const override { return statistics_; }

 private:
  Result<FieldRows> rows_of_batch(const Aggregation& into) {
    if (!level_) return into.rows_of(*batch_);
    level_columns_.clear();
    for (const std::string& name : level_->columns.names()) level_columns_.push_back(batch_->GetColumnByName(name));
    const auto time = batch_->GetColumnByName(level_->time);
    return level_->columns.rows_of(time->data()->GetValues<std::int64_t>(1), level_columns_);
  }

  /// The series at hand becomes that of the first row that is left, of those that are wanted.
  Status advance() {
    is_begun_ = true;
    while (true) {
      while (!batch_ || row_ == batch_->num_rows()) {
        MARIGRAM_TRY(next_batch());
        if (!batch_) return {};
      }
      series_ = row_key(columns_, row_);
      if (!wanted_ || wanted_->has(to_series(*series_), index_)) return {};
      row_ = key_run_end(columns_, row_, batch_->num_rows());
    }
  }

  Status next_batch() {
    MARIGRAM_ASSIGN(batch_, rows_->next());
    series_.reset();
    row_ = 0;
    rows_of_batch_.reset();
    columns_.clear();
    if (!batch_) return {};
    for (const std::string& tag : index_.tags) columns_.push_back(batch_->GetColumnByName(tag));
    (level_ ? statistics_.rollups.front().rows : statistics_.rows_scanned) +=
        static_cast<std::uint64_t>(batch_->num_rows());
    return {};
  }

  std::unique_ptr<table::BatchSource> rows_;
  model::IndexSpec index_;
  std::shared_ptr<const model::SeriesSet> wanted_;  // null: all
  std::optional<LevelRows> level_;
  bool is_begun_ = false;
  BatchPtr batch_;                          // of which the rows before row_ have been added
  std::optional<FieldRows> rows_of_batch_;  // set when the first are added
  std::int64_t row_ = 0;
  Arrays columns_;                // of the batch, that name a series
  Arrays level_columns_;          // of a level, in the order of its names
  std::optional<RowKey> series_;  // of row_; unset at the end
  QueryStatistics statistics_;
};

}  // namespace

std::unique_ptr<SeriesCursor> batch_cursor(std::unique_ptr<table::BatchSource> rows, model::IndexSpec index,
                                           std::shared_ptr<const model::SeriesSet> series,
                                           std::optional<LevelRows> level) {
  return std::make_unique<BatchCursor>(std::move(rows), std::move(index), std::move(series), std::move(level));
}

AggregateInput::AggregateInput(std::vector<std::unique_ptr<SeriesCursor>> stretches, CancelToken cancel,
                               QueryStatistics* statistics)
    : stretches_(std::move(stretches)), cancel_(std::move(cancel)), statistics_(statistics) {}

Result<bool> AggregateInput::feed(Aggregation& into) {
  if (cancel_.cancelled()) return fail(ErrorCode::kCancelled, "aggregation cancelled");
  for (std::size_t i = 0; i < stretches_.size() && !is_begun_; ++i) MARIGRAM_TRY(wait(i));
  is_begun_ = true;
  if (!at_hand_) {
    if (waiting_.empty()) {
      tell();
      return false;
    }
    at_hand_ = waiting_.top().stretch;
    MARIGRAM_TRY(into.begin_series(*waiting_.top().series));
    waiting_.pop();
  }
  MARIGRAM_ASSIGN(const bool has_more, stretches_[*at_hand_]->feed(into));
  if (has_more) return true;
  MARIGRAM_TRY(wait(*at_hand_));
  at_hand_.reset();
  return true;
}

Status AggregateInput::wait(std::size_t stretch) {
  MARIGRAM_ASSIGN(const RowKey* const series, stretches_[stretch]->series());
  if (series != nullptr) waiting_.push({series, stretch});
  return {};
}

void AggregateInput::tell() {
  QueryStatistics* const to = std::exchange(statistics_, nullptr);
  if (to == nullptr) return;
  static std::mutex mutex;  // inputs of one query end on several threads
  const std::lock_guard lock(mutex);
  for (const auto& stretch : stretches_) {
    const QueryStatistics read = stretch->statistics();
    to->blocks_answered += read.blocks_answered;
    to->blocks_decoded += read.blocks_decoded;
    to->blocks_skipped -= std::min(to->blocks_skipped, read.blocks_answered + read.blocks_decoded);
    to->rows_scanned += read.rows_scanned;
    for (const RollupUse& use : read.rollups) {
      const auto known = std::ranges::find(to->rollups, use.interval, &RollupUse::interval);
      (known == to->rollups.end() ? to->rollups.emplace_back(use.interval) : *known).rows += use.rows;
    }
  }
}

}  // namespace marigram::query
