#include "table/merge.h"

#include "base/try.h"
#include "table/row_gather.h"
#include "table/row_order.h"

#include <arrow/api.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <span>
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

class SortSource : public BatchSource {
 public:
  SortSource(std::unique_ptr<BatchSource> source, KeyColumns keys, ScanOrder order, std::size_t batch_rows)
      : source_(std::move(source)),
        keys_(std::move(keys)),
        by_time_(order == ScanOrder::kTime),
        batch_rows_(batch_rows) {}

  Result<BatchPtr> next() override {
    if (source_) MARIGRAM_TRY(load());
    if (!gather_) return next_unsorted();
    const auto rows =
        std::span<const std::uint32_t>(order_).subspan(offset_, std::min(batch_rows_, order_.size() - offset_));
    if (rows.empty()) return nullptr;
    offset_ += rows.size();
    return gather_->take(rows);
  }

 private:
  Status load() {
    const auto source = std::exchange(source_, nullptr);
    while (true) {
      MARIGRAM_ASSIGN(BatchPtr batch, source->next());
      if (!batch) break;
      batches_.push_back(std::move(batch));
    }
    if (batches_.empty()) return {};
    MARIGRAM_ASSIGN(auto order, find_order());
    if (!order) return {};
    order_ = std::move(*order);
    MARIGRAM_ASSIGN(gather_, RowGather::make(batches_));
    batches_.clear();
    return {};
  }

  Result<std::optional<std::vector<std::uint32_t>>> find_order() const {
    MARIGRAM_ASSIGN(const auto column, join_column(batches_, keys_.index));
    const std::vector<std::uint64_t> times = index_keys(*column);
    if (by_time_ && keys_.tags.empty()) return time_order(times);
    std::vector<std::shared_ptr<arrow::Array>> tags;
    for (const int tag : keys_.tags) {
      MARIGRAM_ASSIGN(auto values, join_column(batches_, tag));
      tags.push_back(std::move(values));
    }
    return sorted_order(times, series_ranks(tags, column->length()), by_time_);
  }

  /// The rows are in order as they are.
  Result<BatchPtr> next_unsorted() {
    if (offset_ == batches_.size()) return nullptr;
    return std::move(batches_[offset_++]);
  }

  std::unique_ptr<BatchSource> source_;  // null once loaded
  KeyColumns keys_;
  bool by_time_;
  std::size_t batch_rows_;
  std::vector<BatchPtr> batches_;
  std::vector<std::uint32_t> order_;
  std::optional<RowGather> gather_;
  std::size_t offset_ = 0;  // of the next row in order_; of the next batch if there is nothing to sort
};

/// Gives every series that a merge meets a number, and keeps the numbers' order. Comparing two rows is then comparing
/// two integers.
class SeriesOrder {
 public:
  /// Numbers of the rows' series.
  std::vector<std::uint32_t> number(const arrow::RecordBatch& batch, const KeyColumns& keys) {
    const auto tags = tag_arrays(batch, keys);
    SeriesRanks local = series_ranks(tags, batch.num_rows());
    constexpr std::uint32_t kUnknown = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint32_t> numbers(local.series, kUnknown);
    for (std::size_t row = 0; row < local.rank.size(); ++row) {
      std::uint32_t& number = numbers[local.rank[row]];
      if (number == kUnknown) number = intern(series_key(tags, static_cast<std::int64_t>(row)));
      local.rank[row] = number;
    }
    if (ranks_.size() != numbers_.size()) rank_again();
    return std::move(local.rank);
  }

  std::uint32_t rank(std::uint32_t number) const { return ranks_[number]; }

 private:
  std::uint32_t intern(SeriesKey key) {
    return numbers_.try_emplace(std::move(key), static_cast<std::uint32_t>(numbers_.size())).first->second;
  }

  void rank_again() {
    ranks_.resize(numbers_.size());
    std::uint32_t rank = 0;
    for (const auto& [series, number] : numbers_) ranks_[number] = rank++;
  }

  std::map<SeriesKey, std::uint32_t> numbers_;
  std::vector<std::uint32_t> ranks_;  // by number
};

/// Rows of a merge's output that are not given out yet: pieces of batches, in order.
class PendingRows {
 public:
  /// Where a batch stands among those that have pending rows.
  struct Place {
    std::uint64_t filling = 0;
    std::uint32_t number = 0;
  };

  std::size_t rows() const { return rows_; }

  /// Rows [begin, end) of a batch, after all that were added before. `place` is the batch's own.
  void add(const BatchPtr& batch, Place& place, std::size_t begin, std::size_t end) {
    if (place.filling != filling_) {
      place = {filling_, static_cast<std::uint32_t>(spans_.size())};
      spans_.push_back({batch, begin, end});
    }
    spans_[place.number].end = end;
    pieces_.push_back({place.number, begin, end});
    rows_ += end - begin;
  }

  /// All of them as one batch; none are pending then.
  Result<BatchPtr> take() {
    std::vector<BatchPtr> batches;
    batches.reserve(spans_.size());
    for (const Span& span : spans_) {
      batches.push_back(
          span.batch->Slice(static_cast<std::int64_t>(span.begin), static_cast<std::int64_t>(span.end - span.begin)));
    }
    std::vector<RowAt> order;
    order.reserve(rows_);
    for (const Piece& piece : pieces_) {
      const std::size_t offset = spans_[piece.number].begin;
      for (std::size_t row = piece.begin; row < piece.end; ++row) {
        order.push_back({piece.number, static_cast<std::uint32_t>(row - offset)});
      }
    }
    spans_.clear();
    pieces_.clear();
    rows_ = 0;
    ++filling_;
    if (batches.size() == 1) return batches.front();  // its rows ascend without a gap
    MARIGRAM_ASSIGN(const RowGather gather, RowGather::make(batches));
    return gather.take(order);
  }

 private:
  struct Span {  // of a batch, from its first pending row to its last
    BatchPtr batch;
    std::size_t begin;
    std::size_t end;
  };
  struct Piece {
    std::uint32_t number;
    std::size_t begin;
    std::size_t end;
  };

  std::vector<Span> spans_;
  std::vector<Piece> pieces_;
  std::size_t rows_ = 0;
  std::uint64_t filling_ = 1;
};

class MergeSource : public BatchSource {
 public:
  MergeSource(std::vector<std::unique_ptr<BatchSource>> sources, KeyColumns keys, ScanOrder order,
              std::size_t batch_rows)
      : keys_(std::move(keys)), order_(order), batch_rows_(batch_rows) {
    for (auto& source : sources) cursors_.emplace_back().source = std::move(source);
  }

  Result<BatchPtr> next() override {
    if (!started_) MARIGRAM_TRY(start());
    while (!heap_.empty()) {
      Cursor& cursor = cursors_[heap_.front()];
      const std::size_t begin = cursor.position;
      const std::size_t end = std::min(run_end(), begin + batch_rows_);
      const bool alone = end - begin >= kSliceRowsMin;
      if (pending_.rows() > 0 && (alone || pending_.rows() + (end - begin) > batch_rows_)) return pending_.take();
      BatchPtr slice;
      if (alone) {
        slice = cursor.batch->Slice(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(end - begin));
      } else {
        pending_.add(cursor.batch, cursor.place, begin, end);
      }
      MARIGRAM_TRY(advance(end));
      if (slice) return slice;
    }
    if (pending_.rows() > 0) return pending_.take();
    return nullptr;
  }

 private:
  // A run of one source at least this long is given out as it stands, without a copy.
  static constexpr std::size_t kSliceRowsMin = 1'024;

  struct Key {
    std::uint64_t first;
    std::uint64_t second;
    auto operator<=>(const Key&) const = default;
  };
  struct Cursor {
    std::unique_ptr<BatchSource> source;
    BatchPtr batch = nullptr;
    std::vector<std::uint64_t> times;
    std::vector<std::uint32_t> series;  // numbers
    std::size_t position = 0;
    PendingRows::Place place;
  };

  Key key(const Cursor& cursor, std::size_t row) const {
    const std::uint64_t rank = ranks_.rank(cursor.series[row]);
    return order_ == ScanOrder::kTime ? Key{cursor.times[row], rank} : Key{rank, cursor.times[row]};
  }

  /// Whether the first row left of cursor `a` comes after that of `b`.
  bool comes_after(std::size_t a, std::size_t b) const {
    const auto order = key(cursors_[a], cursors_[a].position) <=> key(cursors_[b], cursors_[b].position);
    return order != 0 ? order > 0 : a > b;
  }
  auto later() const {
    return [this](std::size_t a, std::size_t b) { return comes_after(a, b); };
  }

  Status start() {
    started_ = true;
    for (std::size_t i = 0; i < cursors_.size(); ++i) {
      MARIGRAM_ASSIGN(const bool more, load(cursors_[i]));
      if (more) heap_.push_back(i);
    }
    std::ranges::make_heap(heap_, later());
    return {};
  }

  /// Fetches the cursor's next batch; false at its end.
  Result<bool> load(Cursor& cursor) {
    std::optional<std::pair<std::uint64_t, std::uint32_t>> last;
    if (!cursor.times.empty()) last.emplace(cursor.times.back(), cursor.series.back());
    MARIGRAM_ASSIGN(cursor.batch, cursor.source->next());
    if (!cursor.batch) {
      cursor = Cursor{};
      return false;
    }
    cursor.times = index_keys(*cursor.batch->column(keys_.index));
    cursor.series = ranks_.number(*cursor.batch, keys_);
    cursor.position = 0;
    cursor.place = {};
    MARIGRAM_TRY(check_order(cursor, last));
    return true;
  }

  /// `last`: time and series of the row before the batch.
  Status check_order(const Cursor& cursor, const std::optional<std::pair<std::uint64_t, std::uint32_t>>& last) const {
    bool ascends = true;
    for (std::size_t row = 1; row < cursor.times.size(); ++row) ascends &= key(cursor, row - 1) <= key(cursor, row);
    if (last) {
      const std::uint64_t rank = ranks_.rank(last->second);
      ascends &= (order_ == ScanOrder::kTime ? Key{last->first, rank} : Key{rank, last->first}) <= key(cursor, 0);
    }
    if (ascends) return {};
    return fail(ErrorCode::kCorruption,
                "cannot merge segments: one says that its rows are sorted, and they are not; run `marigram verify`");
  }

  /// How far the foremost cursor may go before another one has a say.
  std::size_t run_end() const {
    const std::size_t foremost = heap_.front();
    const Cursor& cursor = cursors_[foremost];
    const std::size_t rows = cursor.times.size();
    if (heap_.size() == 1) return rows;
    const bool other_is_second = heap_.size() == 2 || comes_after(heap_[2], heap_[1]);
    const std::size_t other = other_is_second ? heap_[1] : heap_[2];
    const Key limit = key(cursors_[other], cursors_[other].position);
    const auto mine = [&](std::size_t row) {
      const auto order = key(cursor, row) <=> limit;
      return order != 0 ? order < 0 : foremost < other;
    };
    std::size_t low = cursor.position;  // is the cursor's own turn
    std::size_t step = 1;
    while (low + step < rows && mine(low + step)) {
      low += step;
      step *= 2;
    }
    std::size_t high = std::min(rows, low + step);  // is not, or is the end
    while (high - low > 1) {
      const std::size_t middle = low + (high - low) / 2;
      (mine(middle) ? low : high) = middle;
    }
    return high;
  }

  /// Moves the foremost cursor on and finds the next foremost.
  Status advance(std::size_t position) {
    std::ranges::pop_heap(heap_, later());
    Cursor& cursor = cursors_[heap_.back()];
    cursor.position = position;
    if (position == cursor.times.size()) {
      MARIGRAM_ASSIGN(const bool more, load(cursor));
      if (!more) {
        heap_.pop_back();
        return {};
      }
    }
    std::ranges::push_heap(heap_, later());
    return {};
  }

  KeyColumns keys_;
  ScanOrder order_;
  std::size_t batch_rows_;
  std::vector<Cursor> cursors_;
  std::vector<std::size_t> heap_;  // numbers of cursors with rows left, the foremost first
  bool started_ = false;
  SeriesOrder ranks_;
  PendingRows pending_;
};

class LastRows : public BatchSource {
 public:
  LastRows(std::unique_ptr<BatchSource> source, KeyColumns keys) : source_(std::move(source)), keys_(std::move(keys)) {}

  Result<BatchPtr> next() override {
    while (true) {
      MARIGRAM_ASSIGN(BatchPtr batch, source_->next());
      if (batch) {
        MARIGRAM_ASSIGN(batch, last_of_each(std::move(batch)));
      }
      BatchPtr before = std::exchange(held_, batch);
      if (before && batch && continues(*before, *batch)) before = before->Slice(0, before->num_rows() - 1);
      if (before && before->num_rows() > 0) return before;
      if (!batch) return nullptr;
    }
  }

 private:
  /// The rows of a batch that are not followed by one of the same key.
  Result<BatchPtr> last_of_each(BatchPtr batch) const {
    const std::vector<std::uint64_t> times = index_keys(*batch->column(keys_.index));
    if (std::ranges::adjacent_find(times) == times.end()) return batch;
    const SeriesRanks series = series_ranks(tag_arrays(*batch, keys_), batch->num_rows());
    std::vector<std::uint32_t> kept;
    kept.reserve(times.size());
    for (std::size_t row = 0; row < times.size(); ++row) {
      const bool replaced =
          row + 1 < times.size() && times[row] == times[row + 1] && series.rank[row] == series.rank[row + 1];
      if (!replaced) kept.push_back(static_cast<std::uint32_t>(row));
    }
    if (kept.size() == times.size()) return batch;
    MARIGRAM_ASSIGN(const RowGather gather, RowGather::make({batch}));
    return gather.take(kept);
  }

  /// Whether the last row of `before` is of the same key as the first one of `after`.
  bool continues(const arrow::RecordBatch& before, const arrow::RecordBatch& after) const {
    const std::int64_t last = before.num_rows() - 1;
    return index_keys(*before.column(keys_.index)->Slice(last)) ==
               index_keys(*after.column(keys_.index)->Slice(0, 1)) &&
           series_key(tag_arrays(before, keys_), last) == series_key(tag_arrays(after, keys_), 0);
  }

  std::unique_ptr<BatchSource> source_;
  KeyColumns keys_;
  BatchPtr held_;  // its last row may be replaced by the next batch
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

std::unique_ptr<BatchSource> last_rows(std::unique_ptr<BatchSource> source, KeyColumns keys) {
  return std::make_unique<LastRows>(std::move(source), std::move(keys));
}

}  // namespace marigram::table
