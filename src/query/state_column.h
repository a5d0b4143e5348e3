// Aggregates that are a state of values of one type (aggregate_states.h), as columns.
#pragma once

#include "base/processors.h"
#include "base/try.h"
#include "query/aggregate_column.h"
#include "query/aggregate_states.h"

#include <marigram/error.h>

#include <arrow/api.h>
#include <fmt/format.h>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace marigram::query {

/// What values of an array are to an aggregate: floats and integers of 32 bits are as those of 64.
template <typename Array>
struct Cell;
template <>
struct Cell<arrow::DoubleArray> : std::type_identity<double> {};
template <>
struct Cell<arrow::FloatArray> : std::type_identity<double> {};
template <>
struct Cell<arrow::Int64Array> : std::type_identity<std::int64_t> {};
template <>
struct Cell<arrow::Int32Array> : std::type_identity<std::int64_t> {};
template <>
struct Cell<arrow::UInt64Array> : std::type_identity<std::uint64_t> {};
template <>
struct Cell<arrow::BooleanArray> : std::type_identity<bool> {};
template <>
struct Cell<arrow::StringArray> : std::type_identity<std::string> {};

/// Arrow's builder for a result.
template <typename T>
using BuilderOf = typename arrow::CTypeTraits<T>::BuilderType;

/// The type that a state's result becomes: sums of 128 bits are to fit that of the values, of bools int64.
template <typename Array, typename State>
struct Output {
  using Wide = typename decltype(std::declval<State&>().result())::value_type;
  using Integer = std::conditional_t<std::is_same_v<Array, arrow::UInt64Array>, std::uint64_t, std::int64_t>;
  using Type = std::conditional_t<std::is_same_v<Wide, Int128>, Integer, Wide>;
};

/// A value as the statistics of blocks have it.
template <typename T>
T value_of(segment::ValueKind kind, std::uint64_t cell) {
  if constexpr (std::is_same_v<T, double>) {
    if (kind == segment::ValueKind::kFloat32) return std::bit_cast<float>(static_cast<std::uint32_t>(cell));
    return std::bit_cast<double>(cell);
  } else {
    return static_cast<T>(cell);
  }
}

template <typename T>
Sum<T> sum_of(const segment::BlockStatistics& statistics) {
  if constexpr (std::is_same_v<T, double>) {
    return CompensatedSum(std::bit_cast<double>(statistics.sum), std::bit_cast<double>(statistics.sum_rest));
  } else {
    return IntegerSum(static_cast<std::int64_t>(statistics.sum_rest), statistics.sum);
  }
}

template <typename T>
Summary<T> summary_of(const RowsSummary& rows, const BlockSummary& block) {
  const segment::BlockStatistics& statistics = *block.statistics;
  const auto value = [&](std::uint64_t cell) { return value_of<T>(block.kind, cell); };
  return {.count = static_cast<std::uint64_t>(rows.count) - statistics.nulls,
          .sum = sum_of<T>(statistics),
          .least = value(statistics.least),
          .largest = value(statistics.largest),
          .first = value(statistics.first),
          .last = value(statistics.last),
          .first_time = rows.first_time,
          .last_time = rows.last_time};
}

/// What rows of a level say of a field's values, by row.
template <typename T>
class RollupRows {
 public:
  explicit RollupRows(const RollupValues& values) : values_(values) {
    counts_ = values.cells<std::int64_t>(model::RollupPart::kCount);
    first_times_ = values.cells<std::int64_t>(model::RollupPart::kFirstTime);
    last_times_ = values.cells<std::int64_t>(model::RollupPart::kLastTime);
  }

  /// False: there is no value.
  bool has_values(std::int64_t row) const {
    return !values_.of(model::RollupPart::kCount)->IsNull(row) && counts_[row] > 0;
  }
  Summary<T> at(std::int64_t row) const {
    Summary<T> summary{.count = static_cast<std::uint64_t>(counts_[row])};
    fill(summary.least, model::RollupPart::kMin, row);
    fill(summary.largest, model::RollupPart::kMax, row);
    fill(summary.first, model::RollupPart::kFirst, row);
    fill(summary.last, model::RollupPart::kLast, row);
    if (first_times_ != nullptr) summary.first_time = first_times_[row];
    if (last_times_ != nullptr) summary.last_time = last_times_[row];
    if constexpr (!std::is_same_v<T, std::string>) fill_sum(summary, row);
    return summary;
  }

 private:
  void fill(T& value, model::RollupPart part, std::int64_t row) const {
    const auto& array = values_.of(part);
    if (array == nullptr) return;
    value = T(static_cast<const typename arrow::CTypeTraits<T>::ArrayType&>(*array).GetView(row));
  }
  void fill_sum(Summary<T>& summary, std::int64_t row) const {
    if (values_.of(model::RollupPart::kSum) == nullptr) return;
    if constexpr (std::is_same_v<T, double>) {
      summary.sum = CompensatedSum(values_.cells<double>(model::RollupPart::kSum)[row],
                                   values_.cells<double>(model::RollupPart::kSumRest)[row]);
    } else {
      summary.sum = IntegerSum(values_.cells<std::int64_t>(model::RollupPart::kSumRest)[row],
                               static_cast<std::uint64_t>(values_.cells<std::int64_t>(model::RollupPart::kSum)[row]));
    }
    if (values_.of(model::RollupPart::kSquares) == nullptr) return;
    summary.squares = values_.cells<double>(model::RollupPart::kSquares)[row];
  }

  const RollupValues& values_;
  const std::int64_t* counts_;
  const std::int64_t* first_times_;
  const std::int64_t* last_times_;
};

/// Statistics of blocks say enough.
template <typename State, typename T>
concept Summarised = requires(State state, const Summary<T>& values) { state.add(values); };
/// Rows of levels say enough, who know squared deviations besides.
template <typename State, typename T>
concept RolledUp =
    Summarised<State, T> || requires(State state, const Summary<T>& values) { state.add_squares(values); };

/// Values as they lie in arrays are added all at once.
template <typename State, typename Array, typename T>
concept TakesAll = requires(State state, const Array& array) {
  { array.raw_values() } -> std::same_as<const T*>;
  state.add(std::span<const T>());
};
/// Those of runs that are equally long too, four at a time.
template <typename State, typename Array, typename T>
concept TakesFours = requires(const Array& array, State* states, std::size_t count) {
  { array.raw_values() } -> std::same_as<const T*>;
  State::add_fours(states, count, array.raw_values(), count);
};

template <typename Array, typename State>
class StateColumn final : public AggregateColumn {
  using T = typename Output<Array, State>::Type;
  using Value = typename Cell<Array>::type;
  static constexpr bool kIsSummarised = []() {
    if constexpr (std::is_same_v<Value, std::string>)
      return false;  // of texts blocks have no statistics
    else
      return Summarised<State, Value>;
  }();

 public:
  using AggregateColumn::add;

  StateColumn(std::string name, State fresh) : name_(std::move(name)), fresh_(std::move(fresh)) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::CTypeTraits<T>::type_singleton(); }

  void clear(Slot slot) override {
    if (slot >= states_.size()) states_.resize(slot + std::size_t{1}, fresh_);
    states_[slot] = fresh_;
  }

  void add(Slot slot, const FieldValues& values, const RowSlice& rows) override {
    if (values.rollup) return add_rollup(slot, *values.rollup, rows);
    const SlotRun run{.slot = slot, .end = rows.end};
    add({&run, 1}, values, rows);
  }

  void add(std::span<const SlotRun> runs, const FieldValues& values, RowSlice rows) override {
    if (values.rollup) return AggregateColumn::add(runs, values, rows);
    const auto& array = static_cast<const Array&>(*values.values);
    array.null_count() > 0 ? add_runs<true>(runs, array, rows) : add_runs<false>(runs, array, rows);
  }

  /// The first value has the first time only where no row is null.
  bool is_enough(const RowsSummary& rows, const BlockSummary& block) const override {
    if (!has_values(rows, block)) return true;
    return kIsSummarised && (!std::is_same_v<State, EdgeState<Value, Edge::kFirst>> || block.statistics->nulls == 0) &&
           (!std::is_same_v<State, EdgeState<Value, Edge::kLast>> || block.statistics->nulls == 0);
  }

  void add(Slot slot, const RowsSummary& rows, const BlockSummary& block) override {
    if constexpr (kIsSummarised) {
      if (has_values(rows, block)) states_[slot].add(summary_of<Value>(rows, block));
    }
  }

  void merge(Slot slot, AggregateColumn& other, Slot others) override {
    states_[slot].merge(std::move(static_cast<StateColumn&>(other).states_[others]));
  }

  Status emit(Slot slot) override { return emit({&slot, 1}); }

  Status emit(std::span<const Slot> slots) override {
    MARIGRAM_TRY(from_builder(builder_.Reserve(static_cast<std::int64_t>(slots.size())), name_));
    for (const Slot slot : slots) {
      const auto result = states_[slot].result();
      if (!result) {
        builder_.UnsafeAppendNull();
        continue;
      }
      if constexpr (std::is_same_v<typename Output<Array, State>::Wide, Int128>) MARIGRAM_TRY(check_fits(*result));
      if constexpr (std::is_same_v<T, std::string>) {
        MARIGRAM_TRY(from_builder(builder_.Append(*result), name_));
      } else {
        builder_.UnsafeAppend(static_cast<T>(*result));
      }
    }
    return {};
  }

  Result<std::shared_ptr<arrow::Array>> take() override { return finish(builder_, name_); }

 private:
  template <bool kNulls>
  void add_runs(std::span<const SlotRun> runs, const Array& array, const RowSlice& rows) {
    std::int64_t row = rows.begin;
    while (!runs.empty()) {
      if constexpr (!kNulls && TakesFours<State, Array, Value>) {
        const std::size_t alike = count_alike(runs, row) / 4 * 4;
        if (alike > 0) {
          compiled<State::add_fours>(&states_[runs.front().slot], alike / 4, array.raw_values() + row,
                                     static_cast<std::size_t>(runs.front().end - row));
          row = runs[alike - 1].end;
          runs = runs.subspan(alike);
          continue;
        }
      }
      const SlotRun run = runs.front();
      runs = runs.subspan(1);
      if constexpr (!kNulls && TakesAll<State, Array, Value>) {
        states_[run.slot].add(std::span(array.raw_values() + row, static_cast<std::size_t>(run.end - row)));
        row = run.end;
        continue;
      }
      State state = std::move(states_[run.slot]);  // no value read below can lie in it: its parts stay in registers
      for (; row < run.end; ++row) {
        if (kNulls && array.IsNull(row)) continue;
        state.add(Seen<Value>(array.GetView(row)), rows.times[row], rows.series);
      }
      states_[run.slot] = std::move(state);
    }
  }

  /// How many of the first runs are as long as the first, and of neighbouring slots; one that is long stays alone.
  static std::size_t count_alike(std::span<const SlotRun> runs, std::int64_t row) {
    constexpr std::int64_t kLongRun = 64;
    const SlotRun& first = runs.front();
    const std::int64_t each = first.end - row;
    if (each > kLongRun) return 1;
    std::size_t count = 1;
    while (count < runs.size() && runs[count].slot == first.slot + count &&
           runs[count].end == runs[count - 1].end + each) {
      ++count;
    }
    return count;
  }

  void add_rollup(Slot slot, const RollupValues& values, const RowSlice& rows) {
    if constexpr (RolledUp<State, Value>) {
      const RollupRows<Value> known(values);
      for (std::int64_t row = rows.begin; row < rows.end; ++row) {
        if (!known.has_values(row)) continue;
        if constexpr (Summarised<State, Value>) {
          states_[slot].add(known.at(row));
        } else {
          states_[slot].add_squares(known.at(row));
        }
      }
    }
  }

  Status check_fits(Int128 sum) const {
    if (static_cast<Int128>(static_cast<T>(sum)) == sum) return {};
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot compute {}: the sum does not fit {}; got about {:.6g}, want narrower buckets or avg", name_,
                    type()->ToString(), static_cast<double>(sum)));
  }

  std::string name_;
  State fresh_;
  std::vector<State> states_;  // by slot
  BuilderOf<T> builder_;
};

}  // namespace marigram::query
