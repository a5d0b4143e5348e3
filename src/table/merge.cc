#include "table/merge.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "table/row_order.h"

#include <arrow/api.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace marigram::table {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

std::vector<std::shared_ptr<arrow::Array>> tag_arrays(const arrow::RecordBatch& batch, const KeyColumns& keys) {
  std::vector<std::shared_ptr<arrow::Array>> tags;
  tags.reserve(keys.tags.size());
  for (const int tag : keys.tags) tags.push_back(batch.column(tag));
  return tags;
}

Error arrow_failure(const arrow::Status& status) {
  return segment::from_arrow_status(status, "cannot order scanned rows", false);
}

class SortSource : public BatchSource {
 public:
  SortSource(std::unique_ptr<BatchSource> source, KeyColumns keys, ScanOrder order, std::size_t batch_rows)
      : source_(std::move(source)),
        keys_(std::move(keys)),
        order_(order),
        batch_rows_(static_cast<std::int64_t>(batch_rows)) {}

  Result<BatchPtr> next() override {
    if (source_) MARIGRAM_TRY(load());
    if (!sorted_ || offset_ >= sorted_->num_rows()) return nullptr;
    BatchPtr batch = sorted_->Slice(offset_, batch_rows_);
    offset_ += batch->num_rows();
    return batch;
  }

 private:
  Status load() {
    std::vector<BatchPtr> batches;
    const auto source = std::exchange(source_, nullptr);
    while (true) {
      MARIGRAM_ASSIGN(BatchPtr batch, source->next());
      if (!batch) break;
      batches.push_back(std::move(batch));
    }
    if (batches.empty()) return {};
    auto whole = arrow::ConcatenateRecordBatches(batches);
    if (!whole.ok()) return std::unexpected(arrow_failure(whole.status()));
    sorted_ = *whole;
    const std::vector<std::uint64_t> times = index_keys(*sorted_->column(keys_.index));
    const SeriesRanks series = series_ranks(tag_arrays(*sorted_, keys_), sorted_->num_rows());
    const auto order = sorted_order(times, series, order_ == ScanOrder::kTime);
    if (order) {
      MARIGRAM_ASSIGN(sorted_, take_rows(sorted_, *order));
    }
    return {};
  }

  std::unique_ptr<BatchSource> source_;  // null once loaded
  KeyColumns keys_;
  ScanOrder order_;
  std::int64_t batch_rows_;
  BatchPtr sorted_;
  std::int64_t offset_ = 0;
};

/// Gives every series that a merge meets a number, and keeps the numbers' order. Comparing two rows is then comparing
/// two integers.
class SeriesOrder {
 public:
  /// Numbers of the rows' series.
  std::vector<std::uint32_t> number(const arrow::RecordBatch& batch, const KeyColumns& keys) {
    const auto tags = tag_arrays(batch, keys);
    SeriesRanks local = series_ranks(tags, batch.num_rows());
    std::vector<std::optional<std::uint32_t>> numbers(local.series);
    for (std::size_t row = 0; row < local.rank.size(); ++row) {
      auto& number = numbers[local.rank[row]];
      if (!number) number = intern(series_key(tags, static_cast<std::int64_t>(row)));
      local.rank[row] = *number;
    }
    return std::move(local.rank);
  }

  std::uint32_t rank(std::uint32_t number) const { return ranks_[number]; }

 private:
  std::uint32_t intern(SeriesKey key) {
    const auto [entry, added] = numbers_.try_emplace(std::move(key), static_cast<std::uint32_t>(numbers_.size()));
    if (added) {
      ranks_.resize(numbers_.size());
      std::uint32_t rank = 0;
      for (const auto& [series, number] : numbers_) ranks_[number] = rank++;
    }
    return entry->second;
  }

  std::map<SeriesKey, std::uint32_t> numbers_;
  std::vector<std::uint32_t> ranks_;  // by number
};

class MergeSource : public BatchSource {
 public:
  MergeSource(std::vector<std::unique_ptr<BatchSource>> sources, KeyColumns keys, ScanOrder order,
              std::size_t batch_rows)
      : keys_(std::move(keys)), order_(order), batch_rows_(static_cast<std::int64_t>(batch_rows)) {
    for (auto& source : sources) cursors_.emplace_back().source = std::move(source);
  }

  Result<BatchPtr> next() override {
    if (!merged_ || offset_ >= merged_->num_rows()) MARIGRAM_TRY(merge_window());
    if (!merged_) return nullptr;
    BatchPtr batch = merged_->Slice(offset_, batch_rows_);
    offset_ += batch->num_rows();
    return batch;
  }

 private:
  struct Cursor {
    std::unique_ptr<BatchSource> source;
    BatchPtr batch;
    std::vector<std::uint64_t> times;
    std::vector<std::uint32_t> series;
    std::size_t position = 0;

    bool exhausted() const { return position == times.size(); }
  };
  struct Key {
    std::uint64_t first;
    std::uint64_t second;
    auto operator<=>(const Key&) const = default;
  };

  Key key(const Cursor& cursor, std::size_t row) const {
    const std::uint64_t rank = ranks_.rank(cursor.series[row]);
    return order_ == ScanOrder::kTime ? Key{cursor.times[row], rank} : Key{rank, cursor.times[row]};
  }

  /// Fetches the next batch of every cursor that has used up its own; drops the cursors at their end.
  Status refill() {
    for (auto cursor = cursors_.begin(); cursor != cursors_.end();) {
      if (!cursor->exhausted()) {
        ++cursor;
        continue;
      }
      MARIGRAM_ASSIGN(cursor->batch, cursor->source->next());
      if (!cursor->batch) {
        cursor = cursors_.erase(cursor);
        continue;
      }
      cursor->times = index_keys(*cursor->batch->column(keys_.index));
      cursor->series = ranks_.number(*cursor->batch, keys_);
      cursor->position = 0;
      ++cursor;
    }
    return check_order();
  }

  Status check_order() const {
    for (const Cursor& cursor : cursors_) {
      if (cursor.position != 0) continue;
      for (std::size_t row = 1; row < cursor.times.size(); ++row) {
        if (key(cursor, row) < key(cursor, row - 1)) {
          return fail(
              ErrorCode::kCorruption,
              "cannot merge segments: one says that its rows are sorted, and they are not; run `marigram verify`");
        }
      }
    }
    return {};
  }

  /// Merges all rows up to the horizon: the smallest last key of the batches at hand, beyond which a batch to come may
  /// still have a say. At least one batch is used up.
  Status merge_window() {
    merged_ = nullptr;
    offset_ = 0;
    MARIGRAM_TRY(refill());
    if (cursors_.empty()) return {};
    std::optional<Key> horizon;
    for (const Cursor& cursor : cursors_) {
      const Key last = key(cursor, cursor.times.size() - 1);
      if (!horizon || last < *horizon) horizon = last;
    }
    std::vector<Run> runs;
    for (Cursor& cursor : cursors_) {
      std::size_t end = cursor.position;
      std::size_t beyond = cursor.times.size();
      while (end < beyond) {  // binary search: rows are in order
        const std::size_t middle = end + (beyond - end) / 2;
        if (key(cursor, middle) <= *horizon) {
          end = middle + 1;
        } else {
          beyond = middle;
        }
      }
      if (end > cursor.position) runs.push_back({&cursor, cursor.position, end});
      cursor.position = end;
    }
    return interleave(runs);
  }

  struct Run {
    const Cursor* cursor;
    std::size_t begin;
    std::size_t end;
  };

  Status interleave(const std::vector<Run>& runs) {
    std::vector<BatchPtr> slices;
    std::vector<std::pair<Key, std::uint32_t>> rows;
    for (const Run& run : runs) {
      slices.push_back(run.cursor->batch->Slice(static_cast<std::int64_t>(run.begin),
                                                static_cast<std::int64_t>(run.end - run.begin)));
      for (std::size_t row = run.begin; row < run.end; ++row) {
        rows.emplace_back(key(*run.cursor, row), static_cast<std::uint32_t>(rows.size()));
      }
    }
    if (slices.size() == 1) {
      merged_ = std::move(slices.front());
      return {};
    }
    auto whole = arrow::ConcatenateRecordBatches(slices);
    if (!whole.ok()) return std::unexpected(arrow_failure(whole.status()));
    merged_ = *whole;
    if (std::ranges::is_sorted(rows)) return {};
    std::ranges::sort(rows);  // the row number makes ties follow the sources' order
    std::vector<std::uint32_t> order;
    order.reserve(rows.size());
    for (const auto& [unused, row] : rows) order.push_back(row);
    MARIGRAM_ASSIGN(merged_, take_rows(merged_, order));
    return {};
  }

  KeyColumns keys_;
  ScanOrder order_;
  std::int64_t batch_rows_;
  std::vector<Cursor> cursors_;
  SeriesOrder ranks_;
  BatchPtr merged_;
  std::int64_t offset_ = 0;
};

}  // namespace

std::unique_ptr<BatchSource> sort_source(std::unique_ptr<BatchSource> source, KeyColumns keys, ScanOrder order,
                                         std::size_t batch_rows) {
  return std::make_unique<SortSource>(std::move(source), std::move(keys), order, batch_rows);
}

std::unique_ptr<BatchSource> merge_sources(std::vector<std::unique_ptr<BatchSource>> sources, KeyColumns keys,
                                           ScanOrder order, std::size_t batch_rows) {
  return std::make_unique<MergeSource>(std::move(sources), std::move(keys), order, batch_rows);
}

}  // namespace marigram::table
