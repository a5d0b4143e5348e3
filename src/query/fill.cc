#include "query/fill.h"

#include "base/try.h"
#include "query/row_key.h"
#include "segment/arrow_status.h"
#include "table/batch_source.h"
#include "table/row_gather.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr std::size_t kIntervalsMax = 10'000'000;  // of a group
constexpr std::int64_t kNone = -1;

template <typename T>
Result<T> from_arrow(arrow::Result<T> result) {
  if (result.ok()) return *std::move(result);
  return std::unexpected(segment::from_arrow_status(result.status(), "cannot fill intervals", false));
}

/// The intervals of a group as they will be, and which of its rows is in which.
struct Intervals {
  std::vector<std::int64_t> starts = {};
  std::vector<std::int64_t> rows = {};  // of the group, one an interval; kNone: it has none
  std::size_t before = 0;               // so many lie before the range
};

/// Where the values of a column come from: for each interval a row of the group, or kNone.
using Sources = std::vector<std::int64_t>;

/// The nearest intervals before and after each that have a value; kNone: there is none. O(intervals).
struct Neighbours {
  explicit Neighbours(const Intervals& intervals, const arrow::Array& column)
      : before(intervals.rows.size(), kNone), after(intervals.rows.size(), kNone) {
    const auto has_value = [&](std::size_t i) {
      return intervals.rows[i] != kNone && column.IsValid(intervals.rows[i]);
    };
    std::int64_t last = kNone;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (has_value(i)) last = static_cast<std::int64_t>(i);
      before[i] = last;
    }
    std::int64_t next = kNone;
    for (std::size_t i = after.size(); i-- > 0;) {
      if (has_value(i)) next = static_cast<std::int64_t>(i);
      after[i] = next;
    }
  }

  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
};

bool is_number(const arrow::DataType& type) {
  return type.id() == arrow::Type::DOUBLE || type.id() == arrow::Type::INT64 || type.id() == arrow::Type::UINT64;
}

class FillSource final : public table::BatchSource {
 public:
  FillSource(table::ScanStream result, FillSpec spec)
      : schema_(std::move(result.schema)), rows_(std::move(result.rows)), spec_(std::move(spec)) {
    if (spec_.from) spec_.from = spec_.every.of(*spec_.from).start;
  }

  Result<BatchPtr> next() override {
    while (true) {
      MARIGRAM_ASSIGN(const BatchPtr group, next_group());
      if (!group) return nullptr;
      MARIGRAM_ASSIGN(BatchPtr filled, fill_group(*group));
      if (filled->num_rows() > 0) return filled;
    }
  }

 private:
  // ---- groups ----

  Arrays keys_of(const arrow::RecordBatch& batch) const {
    const Arrays& columns = batch.columns();
    return {columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(spec_.by)};
  }

  /// All rows of the next group; null: there is none.
  Result<BatchPtr> next_group() {
    std::vector<BatchPtr> parts;
    std::optional<RowKey> key;
    while (true) {
      if (!batch_ || row_ == batch_->num_rows()) {
        MARIGRAM_ASSIGN(batch_, rows_->next());
        row_ = 0;
        if (!batch_) break;
      }
      const Arrays keys = keys_of(*batch_);
      RowKey own = row_key(keys, row_);
      if (key && *key != own) break;
      key = std::move(own);
      const std::int64_t end = keys.empty() ? batch_->num_rows() : key_run_end(keys, row_, batch_->num_rows());
      parts.push_back(batch_->Slice(row_, end - row_));
      row_ = end;
    }
    if (parts.empty()) return nullptr;
    if (parts.size() == 1) return parts.front();
    return from_arrow(arrow::ConcatenateRecordBatches(parts));
  }

  // ---- a group ----

  const std::int64_t* starts_of(const arrow::RecordBatch& group) const {
    return group.column(static_cast<int>(spec_.by))->data()->GetValues<std::int64_t>(1);
  }

  Result<Intervals> intervals_of(const arrow::RecordBatch& group) {
    const std::int64_t* const starts = starts_of(group);
    const std::int64_t last_row = group.num_rows() - 1;
    const std::int64_t first = spec_.from ? std::min(*spec_.from, starts[0]) : starts[0];
    const std::int64_t last = spec_.to ? spec_.every.of(*spec_.to - 1).start : starts[last_row];
    Intervals intervals;
    std::int64_t row = 0;
    for (std::int64_t at = first; at <= last;) {
      if (intervals.starts.size() == kIntervalsMax) {
        return fail(ErrorCode::kInvalidInput, fmt::format("cannot fill intervals: a group has more than {}; want a "
                                                          "narrower range or wider intervals",
                                                          kIntervalsMax));
      }
      const bool has_row = row <= last_row && starts[row] == at;
      if (spec_.from && at < *spec_.from) ++intervals.before;
      intervals.starts.push_back(at);
      intervals.rows.push_back(has_row ? row++ : kNone);
      const TimeBuckets::Bucket bucket = spec_.every.of(at);
      const auto next = static_cast<std::int64_t>(bucket.begin + bucket.width);
      if (next <= at) break;  // beyond the end of the domain
      at = next;
    }
    return intervals;
  }

  Result<BatchPtr> fill_group(const arrow::RecordBatch& group) {
    MARIGRAM_ASSIGN(const Intervals intervals, intervals_of(group));
    const auto count = static_cast<std::int64_t>(intervals.starts.size());
    Arrays columns;
    for (int i = 0; i < group.num_columns(); ++i) {
      const auto position = static_cast<std::size_t>(i);
      ArrayPtr column;
      if (position < spec_.by) {
        MARIGRAM_ASSIGN(column, take(group, i, Sources(intervals.rows.size(), 0), nullptr));
      } else if (position == spec_.by) {
        MARIGRAM_ASSIGN(column, starts_column(intervals, group.schema()->field(i)->type()));
      } else {
        MARIGRAM_ASSIGN(column, fill_column(group, i, intervals));
      }
      columns.push_back(std::move(column));
    }
    const auto before = static_cast<std::int64_t>(intervals.before);
    return arrow::RecordBatch::Make(schema_, count, std::move(columns))->Slice(before);
  }

  static Result<ArrayPtr> starts_column(const Intervals& intervals, const std::shared_ptr<arrow::DataType>& type) {
    arrow::Int64Builder builder;
    ArrayPtr column;
    auto status = builder.AppendValues(intervals.starts);
    if (status.ok()) status = builder.Finish(&column);
    if (!status.ok()) return std::unexpected(segment::from_arrow_status(status, "cannot fill intervals", false));
    return from_arrow(column->View(type));
  }

  Result<ArrayPtr> fill_column(const arrow::RecordBatch& group, int i, const Intervals& intervals) {
    const ArrayPtr& column = group.column(i);
    const bool is_count = !schema_->field(i)->nullable();
    const bool number = is_number(*column->type());
    if (is_count) return take(group, i, intervals.rows, arrow::MakeScalar(column->type(), 0).ValueOr(nullptr));
    switch (spec_.options.kind) {
      case Fill::kPrevious:
        return take(group, i, previous(intervals, *column), nullptr);
      case Fill::kLinear:
        if (number) return linear(*column, intervals);
        break;
      case Fill::kConstant:
        if (number) {
          Sources sources = intervals.rows;
          for (std::int64_t& row : sources) {
            if (row != kNone && column->IsNull(row)) row = kNone;
          }
          MARIGRAM_ASSIGN(const auto value, constant(*schema_->field(i)));
          return take(group, i, sources, value);
        }
        break;
      case Fill::kNone:
      case Fill::kNull:
        break;
    }
    return take(group, i, intervals.rows, nullptr);
  }

  /// The value that is asked for, if the column can have it.
  Result<std::shared_ptr<arrow::Scalar>> constant(const arrow::Field& field) const {
    const double value = spec_.options.value;
    if (field.type()->id() == arrow::Type::DOUBLE) return arrow::MakeScalar(value);
    if (field.type()->id() == arrow::Type::INT64 && static_cast<double>(saturated<std::int64_t>(value)) == value) {
      return arrow::MakeScalar(saturated<std::int64_t>(value));
    }
    if (field.type()->id() == arrow::Type::UINT64 && static_cast<double>(saturated<std::uint64_t>(value)) == value) {
      return arrow::MakeScalar(saturated<std::uint64_t>(value));
    }
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot fill intervals of {} by {}: its type is {}", field.name(),
                                                      value, field.type()->ToString()));
  }

  template <typename T>
  static T saturated(double value) {
    if (!(value > static_cast<double>(std::numeric_limits<T>::min()))) return std::numeric_limits<T>::min();
    if (value >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    return static_cast<T>(value);
  }

  /// Whether so many intervals in a row may be filled.
  bool is_within_limit(std::int64_t intervals) const {
    return spec_.options.limit == 0 || std::cmp_less_equal(intervals, spec_.options.limit);
  }

  Sources previous(const Intervals& intervals, const arrow::Array& column) const {
    const Neighbours near(intervals, column);
    Sources sources(intervals.rows.size(), kNone);
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (near.before[i] == kNone || !is_within_limit(static_cast<std::int64_t>(i) - near.before[i])) continue;
      sources[i] = intervals.rows[static_cast<std::size_t>(near.before[i])];
    }
    return sources;
  }

  Result<ArrayPtr> linear(const arrow::Array& column, const Intervals& intervals) const {
    switch (column.type_id()) {
      case arrow::Type::DOUBLE:
        return linear_of<arrow::DoubleArray, arrow::DoubleBuilder>(column, intervals);
      case arrow::Type::INT64:
        return linear_of<arrow::Int64Array, arrow::Int64Builder>(column, intervals);
      default:
        return linear_of<arrow::UInt64Array, arrow::UInt64Builder>(column, intervals);
    }
  }

  template <typename Array, typename Builder>
  Result<ArrayPtr> linear_of(const arrow::Array& column, const Intervals& intervals) const {
    using T = typename Array::value_type;
    const auto& values = static_cast<const Array&>(column);
    const Neighbours near(intervals, column);
    Builder builder;
    auto status = builder.Reserve(static_cast<std::int64_t>(intervals.rows.size()));
    for (std::size_t i = 0; i < intervals.rows.size() && status.ok(); ++i) {
      const std::int64_t before = near.before[i];
      const std::int64_t after = near.after[i];
      if (before == kNone || after == kNone || !is_within_limit(after - before - 1)) {
        status = builder.AppendNull();
        continue;
      }
      const auto at = [&](std::int64_t interval) { return intervals.rows[static_cast<std::size_t>(interval)]; };
      const T low = values.Value(at(before));
      if (before == after) {
        status = builder.Append(low);
        continue;
      }
      const auto start = [&](std::int64_t interval) {
        return static_cast<double>(intervals.starts[static_cast<std::size_t>(interval)]);
      };
      const double share = (start(static_cast<std::int64_t>(i)) - start(before)) / (start(after) - start(before));
      const double value =
          static_cast<double>(low) * (1 - share) + static_cast<double>(values.Value(at(after))) * share;
      if constexpr (std::is_same_v<T, double>) {
        status = builder.Append(value);
      } else {
        status = builder.Append(saturated<T>(std::nearbyint(value)));
      }
    }
    ArrayPtr filled;
    if (status.ok()) status = builder.Finish(&filled);
    if (!status.ok()) return std::unexpected(segment::from_arrow_status(status, "cannot fill intervals", false));
    return filled;
  }

  /// The column's rows at the sources; kNone becomes `other`, or null.
  static Result<ArrayPtr> take(const arrow::RecordBatch& group, int i, const Sources& sources,
                               const std::shared_ptr<arrow::Scalar>& other) {
    const auto schema = arrow::schema({group.schema()->field(i)->WithNullable(true)});
    const ArrayPtr& column = group.column(i);
    MARIGRAM_ASSIGN(const ArrayPtr rest, from_arrow(other ? arrow::MakeArrayFromScalar(*other, 1)
                                                          : arrow::MakeArrayOfNull(column->type(), 1)));
    MARIGRAM_ASSIGN(const auto gather,
                    table::RowGather::make({arrow::RecordBatch::Make(schema, column->length(), {column}),
                                            arrow::RecordBatch::Make(schema, 1, {rest})}));
    std::vector<table::RowAt> rows;
    rows.reserve(sources.size());
    for (const std::int64_t row : sources) {
      rows.push_back(row == kNone ? table::RowAt{1, 0} : table::RowAt{0, static_cast<std::uint32_t>(row)});
    }
    MARIGRAM_ASSIGN(const auto taken, gather.take(rows));
    return taken->column(0);
  }

  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<table::BatchSource> rows_;
  FillSpec spec_;
  BatchPtr batch_;  // of which the rows before row_ have been taken
  std::int64_t row_ = 0;
};

}  // namespace

table::ScanStream fill(table::ScanStream result, FillSpec spec) {
  if (spec.options.kind == Fill::kNone) return result;
  auto schema = result.schema;
  return {.schema = schema, .rows = std::make_unique<FillSource>(std::move(result), std::move(spec))};
}

}  // namespace marigram::query
