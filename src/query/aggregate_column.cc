#include "query/aggregate_column.h"

#include "base/try.h"
#include "query/aggregate_states.h"
#include "segment/arrow_status.h"

#include <marigram/error.h>

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using model::AggregateKind;
using ColumnPtr = std::unique_ptr<AggregateColumn>;

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

Status from_arrow(const arrow::Status& status, const std::string& name) {
  if (status.ok()) return {};
  return std::unexpected(segment::from_arrow_status(status, "cannot compute " + name, false));
}

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
    return IntegerSum(static_cast<Int128>(static_cast<std::int64_t>(statistics.sum_rest)) * (Int128{1} << 64) +
                      statistics.sum);
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

bool has_values(const RowsSummary& rows, const BlockSummary& block) {
  return block.statistics != nullptr && std::cmp_less(block.statistics->nulls, rows.count);
}

template <typename State, typename T>
concept Summarised = requires(State state, const Summary<T>& values) { state.add(values); };

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
  StateColumn(std::string name, State fresh) : name_(std::move(name)), fresh_(std::move(fresh)) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::CTypeTraits<T>::type_singleton(); }

  void clear(Slot slot) override {
    if (slot >= states_.size()) states_.resize(slot + std::size_t{1}, fresh_);
    states_[slot] = fresh_;
  }

  void add(Slot slot, const FieldValues& values, const RowSlice& rows) override {
    const auto& array = static_cast<const Array&>(*values.values);
    const bool nulls = array.null_count() > 0;
    State state = std::move(states_[slot]);  // no value read below can lie in it: its parts stay in registers
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      if (nulls && array.IsNull(row)) continue;
      state.add(Seen<Value>(array.GetView(row)), rows.times[row], rows.series);
    }
    states_[slot] = std::move(state);
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

  Status emit(Slot slot) override {
    const auto result = states_[slot].result();
    if (!result) return from_arrow(builder_.AppendNull(), name_);
    if constexpr (std::is_same_v<typename Output<Array, State>::Wide, Int128>) MARIGRAM_TRY(check_fits(*result));
    return from_arrow(builder_.Append(static_cast<T>(*result)), name_);
  }

  Result<std::shared_ptr<arrow::Array>> take() override {
    std::shared_ptr<arrow::Array> column;
    MARIGRAM_TRY(from_arrow(builder_.Finish(&column), name_));
    return column;
  }

 private:
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

/// Rows, or values of any type.
class CountColumn final : public AggregateColumn {
 public:
  CountColumn(std::string name, bool of_rows) : name_(std::move(name)), is_of_rows_(of_rows) {}

  std::shared_ptr<arrow::DataType> type() const override { return arrow::int64(); }

  void clear(Slot slot) override {
    if (slot >= counts_.size()) counts_.resize(slot + std::size_t{1});
    counts_[slot] = 0;
  }

  void add(Slot slot, const FieldValues& values, const RowSlice& rows) override {
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

  Status emit(Slot slot) override { return from_arrow(builder_.Append(counts_[slot]), name_); }

  Result<std::shared_ptr<arrow::Array>> take() override {
    std::shared_ptr<arrow::Array> column;
    MARIGRAM_TRY(from_arrow(builder_.Finish(&column), name_));
    return column;
  }

 private:
  std::string name_;
  bool is_of_rows_;                   // not of values
  std::vector<std::int64_t> counts_;  // by slot
  arrow::Int64Builder builder_;
};

/// An average with weights, of any two columns of numbers.
class WeightedAvgColumn final : public AggregateColumn {
 public:
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
    return from_arrow(result ? builder_.Append(*result) : builder_.AppendNull(), name_);
  }

  Result<std::shared_ptr<arrow::Array>> take() override {
    std::shared_ptr<arrow::Array> column;
    MARIGRAM_TRY(from_arrow(builder_.Finish(&column), name_));
    return column;
  }

 private:
  template <typename Visit>
  static void visit_numbers(const arrow::Array& array, Visit visit) {
    const auto as = [&]<typename Array>(const Array& numbers) {
      visit([&](std::int64_t row) { return static_cast<double>(numbers.Value(row)); });
    };
    switch (array.type_id()) {
      case arrow::Type::DOUBLE:
        return as(static_cast<const arrow::DoubleArray&>(array));
      case arrow::Type::FLOAT:
        return as(static_cast<const arrow::FloatArray&>(array));
      case arrow::Type::INT64:
        return as(static_cast<const arrow::Int64Array&>(array));
      case arrow::Type::INT32:
        return as(static_cast<const arrow::Int32Array&>(array));
      default:
        return as(static_cast<const arrow::UInt64Array&>(array));
    }
  }

  std::string name_;
  std::vector<WeightedAvgState> states_;  // by slot
  arrow::DoubleBuilder builder_;
};

bool is_number(const arrow::DataType* type) {
  if (type == nullptr) return false;
  const auto numbers = {arrow::Type::DOUBLE, arrow::Type::FLOAT, arrow::Type::INT64, arrow::Type::INT32,
                        arrow::Type::UINT64};
  return std::ranges::find(numbers, type->id()) != numbers.end();
}

struct Wanted {
  const model::Aggregate& aggregate;
  const std::string& name;
  double units_per_second;
};

template <typename Array, typename State, typename... Args>
ColumnPtr make_column(const Wanted& wanted, Args... args) {
  return std::make_unique<StateColumn<Array, State>>(wanted.name, State(args...));
}

/// What any ordered type has; null for other kinds.
template <typename Array>
ColumnPtr make_ordered(const Wanted& wanted) {
  using T = typename Cell<Array>::type;
  switch (wanted.aggregate.kind) {
    case AggregateKind::kMin:
      return make_column<Array, ExtremeState<T, Extreme::kMin>>(wanted);
    case AggregateKind::kMax:
      return make_column<Array, ExtremeState<T, Extreme::kMax>>(wanted);
    case AggregateKind::kFirst:
      return make_column<Array, EdgeState<T, Edge::kFirst>>(wanted);
    case AggregateKind::kLast:
      return make_column<Array, EdgeState<T, Edge::kLast>>(wanted);
    default:
      return nullptr;
  }
}

/// What numbers have, and bools, which count as 0 and 1.
template <typename Array>
ColumnPtr make_summable(const Wanted& wanted) {
  using T = typename Cell<Array>::type;
  switch (wanted.aggregate.kind) {
    case AggregateKind::kSum:
      return make_column<Array, SumState<T>>(wanted);
    case AggregateKind::kAvg:
      return make_column<Array, AvgState<T>>(wanted);
    case AggregateKind::kStddev:
      return make_column<Array, StddevState>(wanted);
    case AggregateKind::kPercentile:
      return make_column<Array, PercentileState>(wanted, wanted.aggregate.percentile);
    default:
      return make_ordered<Array>(wanted);
  }
}

template <typename Array>
ColumnPtr make_numeric(const Wanted& wanted) {
  using T = typename Cell<Array>::type;
  switch (wanted.aggregate.kind) {
    case AggregateKind::kRate:
      return make_column<Array, ChangeState<T, Change::kRate>>(wanted, wanted.units_per_second);
    case AggregateKind::kDelta:
      return make_column<Array, ChangeState<T, Change::kDelta>>(wanted, wanted.units_per_second);
    default:
      return make_summable<Array>(wanted);
  }
}

/// Null if the type has no such aggregate.
ColumnPtr make_for_type(const Wanted& wanted, arrow::Type::type type) {
  switch (type) {
    case arrow::Type::DOUBLE:
      return make_numeric<arrow::DoubleArray>(wanted);
    case arrow::Type::FLOAT:
      return make_numeric<arrow::FloatArray>(wanted);
    case arrow::Type::INT64:
      return make_numeric<arrow::Int64Array>(wanted);
    case arrow::Type::INT32:
      return make_numeric<arrow::Int32Array>(wanted);
    case arrow::Type::UINT64:
      return make_numeric<arrow::UInt64Array>(wanted);
    case arrow::Type::BOOL:
      return make_summable<arrow::BooleanArray>(wanted);
    case arrow::Type::STRING:
      return make_ordered<arrow::StringArray>(wanted);
    default:
      return nullptr;
  }
}

}  // namespace

Result<ColumnPtr> make_aggregate_column(const model::Aggregate& aggregate, const std::string& name,
                                        const FieldTypes& types, double units_per_second) {
  const arrow::DataType* const type = types.values;
  if (aggregate.kind == AggregateKind::kCount) return std::make_unique<CountColumn>(name, type == nullptr);
  if (aggregate.kind == AggregateKind::kVwap) {
    if (is_number(types.values) && is_number(types.weights)) return std::make_unique<WeightedAvgColumn>(name);
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot compute {}: it is of two columns of numbers, a value and its weight", name));
  }
  const Wanted wanted{.aggregate = aggregate, .name = name, .units_per_second = units_per_second};
  ColumnPtr column = type == nullptr ? nullptr : make_for_type(wanted, type->id());
  if (column) return column;
  return fail(
      ErrorCode::kInvalidInput,
      fmt::format("cannot compute {}: the field's type is {}, of which there is no such aggregate; numbers have "
                  "all, bools all but rate and delta, strings count, min, max, first and last, others count",
                  name, type == nullptr ? "missing" : type->ToString()));
}

}  // namespace marigram::query
