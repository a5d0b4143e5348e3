#include "query/aggregate_column.h"

#include "query/aggregate_states.h"
#include "query/plain_columns.h"
#include "query/sketch_column.h"
#include "query/state_column.h"
#include "query/visit_numbers.h"
#include "segment/arrow_status.h"

#include <marigram/error.h>

#include <arrow/api.h>
#include <fmt/format.h>

#include <memory>
#include <string>

namespace marigram::query {
namespace {

using model::AggregateKind;
using ColumnPtr = std::unique_ptr<AggregateColumn>;

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
    case AggregateKind::kFirstTime:
      return make_column<Array, EdgeTimeState<T, Edge::kFirst>>(wanted);
    case AggregateKind::kLastTime:
      return make_column<Array, EdgeTimeState<T, Edge::kLast>>(wanted);
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
    case AggregateKind::kSumWord:
      return make_column<Array, SumPartState<T, SumPart::kWord>>(wanted);
    case AggregateKind::kSumRest:
      return make_column<Array, SumPartState<T, SumPart::kRest>>(wanted);
    case AggregateKind::kSquares:
      return make_column<Array, SquaresState>(wanted);
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

Status from_builder(const arrow::Status& status, const std::string& name) {
  if (status.ok()) return {};
  return std::unexpected(segment::from_arrow_status(status, "cannot compute " + name, false));
}

Result<ColumnPtr> make_aggregate_column(const model::Aggregate& aggregate, const std::string& name,
                                        const FieldTypes& types, double units_per_second) {
  const arrow::DataType* const type = types.values;
  if (aggregate.kind == AggregateKind::kCount) return make_count(name, type == nullptr);
  const bool is_of_times = aggregate.kind == AggregateKind::kFirstTime || aggregate.kind == AggregateKind::kLastTime ||
                           aggregate.kind == AggregateKind::kBuckets;
  if (is_of_times && type == nullptr) return make_times(name, aggregate);
  if (aggregate.kind == AggregateKind::kVwap) {
    const bool has_both = types.values != nullptr && types.weights != nullptr;
    if (has_both && is_number(*types.values) && is_number(*types.weights)) return make_weighted_avg(name);
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot compute {}: it is of two columns of numbers, a value and its weight", name));
  }
  const bool is_sketch = aggregate.kind == AggregateKind::kSketch || aggregate.kind == AggregateKind::kApproxPercentile;
  if (is_sketch && type != nullptr && is_number(*type)) return make_sketch(name, aggregate);
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
