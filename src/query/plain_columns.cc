#include "query/plain_columns.h"

#include "base/civil_date.h"
#include "base/try.h"
#include "query/aggregate_states.h"
#include "query/visit_numbers.h"

#include <marigram/error.h>

#include <arrow/api.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

/// Rows, or values of any type.
class CountColumn final : public AggregateColumn {
 public:
  using AggregateColumn::add;
  using AggregateColumn::emit;

  CountColumn(std::string name, bool of_rows) : name_(std::move(name)), is_of_rows_(of_rows) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::int64(); }

  void clear(Slot slot) override {
    if (slot >= counts_.size()) counts_.resize(slot + std::size_t{1});
    counts_[slot] = 0;
  }

  void add(Slot slot, const FieldValues& values, const RowSlice& rows) override {
    if (values.rollup) return add_rollup(slot, *values.rollup, rows);
    counts_[slot] += rows.end - rows.begin;
    if (!values.values || values.values->null_count() == 0) return;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) counts_[slot] -= values.values->IsNull(row) ? 1 : 0;
  }

  bool is_enough(const RowsSummary& /*rows*/, const BlockSummary& /*block*/) const override { return true; }

  void add(Slot slot, const RowsSummary& rows, const BlockSummary& block) override {
    if (is_of_rows_) {
      counts_[slot] += rows.count;
    } else if (has_values(rows, block)) {
      counts_[slot] += rows.count - static_cast<std::int64_t>(block.statistics->nulls);
    }
  }

  void merge(Slot slot, AggregateColumn& other, Slot others) override {
    counts_[slot] += static_cast<CountColumn&>(other).counts_[others];
  }

  Status emit(Slot slot) override { return from_builder(builder_.Append(counts_[slot]), name_); }

  Result<std::shared_ptr<arrow::Array>> take() override { return finish(builder_, name_); }

 private:
  void add_rollup(Slot slot, const RollupValues& values, const RowSlice& rows) {
    const auto& counts = static_cast<const arrow::Int64Array&>(*values.of(model::RollupPart::kCount));
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      if (!counts.IsNull(row)) counts_[slot] += counts.Value(row);
    }
  }

  std::string name_;
  bool is_of_rows_;                   // not of values
  std::vector<std::int64_t> counts_;  // by slot
  arrow::Int64Builder builder_;
};

/// An average with weights, of any two columns of numbers.
class WeightedAvgColumn final : public AggregateColumn {
 public:
  using AggregateColumn::add;
  using AggregateColumn::emit;

  explicit WeightedAvgColumn(std::string name) : name_(std::move(name)) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::float64(); }

  void clear(Slot slot) override {
    if (slot >= states_.size()) states_.resize(slot + std::size_t{1});
    states_[slot] = {};
  }

  void add(Slot slot, const FieldValues& values, const RowSlice& rows) override {
    visit_numbers(*values.values, [&](const auto& value_of) {
      visit_numbers(*values.weights, [&](const auto& weight_of) {
        for (std::int64_t row = rows.begin; row < rows.end; ++row) {
          if (values.values->IsNull(row) || values.weights->IsNull(row)) continue;
          states_[slot].add(value_of(row), weight_of(row));
        }
      });
    });
  }

  /// Products are in no statistics.
  bool is_enough(const RowsSummary& rows, const BlockSummary& block) const override { return !has_values(rows, block); }
  void add(Slot /*slot*/, const RowsSummary& /*rows*/, const BlockSummary& /*block*/) override {}

  void merge(Slot slot, AggregateColumn& other, Slot others) override {
    states_[slot].merge(static_cast<WeightedAvgColumn&>(other).states_[others]);
  }

  Status emit(Slot slot) override {
    const auto result = states_[slot].result();
    return from_builder(result ? builder_.Append(*result) : builder_.AppendNull(), name_);
  }

  Result<std::shared_ptr<arrow::Array>> take() override { return finish(builder_, name_); }

 private:
  std::string name_;
  std::vector<WeightedAvgState> states_;  // by slot
  arrow::DoubleBuilder builder_;
};

/// What is known of times: the first, the last, and how many buckets of a width they lie in, where they ascend.
struct TimesState {
  std::int64_t first = std::numeric_limits<std::int64_t>::max();
  std::int64_t last = std::numeric_limits<std::int64_t>::min();
  std::int64_t buckets = 0;

  bool empty() const { return buckets == 0; }
};

/// One of these, of the times of rows.
class TimesColumn final : public AggregateColumn {
 public:
  using AggregateColumn::add;
  using AggregateColumn::emit;

  TimesColumn(std::string name, const model::Aggregate& wanted)
      : name_(std::move(name)), kind_(wanted.kind), width_(std::max<std::int64_t>(wanted.width, 1)) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::int64(); }

  void clear(Slot slot) override {
    if (slot >= states_.size()) states_.resize(slot + std::size_t{1});
    states_[slot] = {};
  }

  void add(Slot slot, const FieldValues& values, const RowSlice& rows) override {
    if (rows.begin == rows.end) return;
    if (values.rollup) return add_rollup(slot, *values.rollup, rows);
    TimesState own{.first = rows.times[rows.begin], .last = rows.times[rows.end - 1], .buckets = 1};
    if (kind_ == model::AggregateKind::kBuckets) own.buckets = count_buckets(rows);
    unite(states_[slot], own);
  }

  bool is_enough(const RowsSummary& rows, const BlockSummary& /*block*/) const override {
    return kind_ != model::AggregateKind::kBuckets || bucket_of(rows.first_time) == bucket_of(rows.last_time);
  }

  void add(Slot slot, const RowsSummary& rows, const BlockSummary& /*block*/) override {
    unite(states_[slot], {.first = rows.first_time, .last = rows.last_time, .buckets = 1});
  }

  void merge(Slot slot, AggregateColumn& other, Slot others) override {
    unite(states_[slot], static_cast<TimesColumn&>(other).states_[others]);
  }

  Status emit(Slot slot) override {
    const TimesState& state = states_[slot];
    const bool is_first = kind_ == model::AggregateKind::kFirstTime;
    const std::int64_t time = is_first ? state.first : state.last;
    return from_builder(builder_.Append(kind_ == model::AggregateKind::kBuckets ? state.buckets : time), name_);
  }

  Result<std::shared_ptr<arrow::Array>> take() override { return finish(builder_, name_); }

 private:
  std::int64_t bucket_of(std::int64_t time) const { return floor_div(time, width_); }

  std::int64_t count_buckets(const RowSlice& rows) const {
    std::int64_t buckets = 1;
    std::int64_t bucket = bucket_of(rows.times[rows.begin]);
    for (std::int64_t row = rows.begin + 1; row < rows.end; ++row) {
      const std::int64_t own = bucket_of(rows.times[row]);
      buckets += own == bucket ? 0 : 1;
      bucket = own;
    }
    return buckets;
  }

  /// Where the one ends in the bucket in which the other begins, that is counted once.
  void unite(TimesState& state, const TimesState& more) const {
    if (more.empty()) return;
    const bool is_shared = !state.empty() && (bucket_of(state.last) == bucket_of(more.first) ||
                                              bucket_of(more.last) == bucket_of(state.first));
    state.buckets += more.buckets - (is_shared ? 1 : 0);
    state.first = std::min(state.first, more.first);
    state.last = std::max(state.last, more.last);
  }

  void add_rollup(Slot slot, const RollupValues& values, const RowSlice& rows) {
    const auto* const counts = values.cells<std::int64_t>(model::RollupPart::kCount);
    const auto* const first = values.cells<std::int64_t>(model::RollupPart::kFirstTime);
    const auto* const last = values.cells<std::int64_t>(model::RollupPart::kLastTime);
    const auto* const buckets = values.cells<std::int64_t>(model::RollupPart::kBuckets);
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      if (counts[row] > 0) unite(states_[slot], {.first = first[row], .last = last[row], .buckets = buckets[row]});
    }
  }

  std::string name_;
  model::AggregateKind kind_;
  std::int64_t width_;
  std::vector<TimesState> states_;  // by slot
  arrow::Int64Builder builder_;
};

}  // namespace

std::unique_ptr<AggregateColumn> make_count(std::string name, bool of_rows) {
  return std::make_unique<CountColumn>(std::move(name), of_rows);
}

std::unique_ptr<AggregateColumn> make_times(std::string name, const model::Aggregate& wanted) {
  return std::make_unique<TimesColumn>(std::move(name), wanted);
}

std::unique_ptr<AggregateColumn> make_weighted_avg(std::string name) {
  return std::make_unique<WeightedAvgColumn>(std::move(name));
}

}  // namespace marigram::query
