// One aggregate of one field over many groups and buckets: its states by slot, and the column that they end in.
#pragma once

#include "base/try.h"
#include "model/aggregate.h"
#include "model/rollup.h"
#include "segment/native_block.h"

#include <marigram/error.h>

#include <arrow/array/array_base.h>
#include <arrow/type_fwd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {

/// Where the states of one group and bucket lie in each aggregate's column: dense, used again when they are done with.
using Slot = std::uint32_t;

/// What rows of a level of rollups (model/rollup.h) say of a field's values or, of no field, of rows; null where it
/// need not be known.
struct RollupValues {
  std::array<std::shared_ptr<arrow::Array>, model::kRollupParts> parts = {};

  const std::shared_ptr<arrow::Array>& of(model::RollupPart part) const {
    return parts[static_cast<std::size_t>(part)];
  }
  /// Cells of a part whose type is as wide as T; null if it is.
  template <typename T>
  const T* cells(model::RollupPart part) const {
    return of(part) == nullptr ? nullptr : of(part)->data()->template GetValues<T>(1);
  }
};

/// What an aggregate is of, by row; null where there is no such field.
struct FieldValues {
  std::shared_ptr<arrow::Array> values = {};
  std::shared_ptr<arrow::Array> weights = {};
  std::shared_ptr<const RollupValues> rollup = {};  ///< set: instead of the others, the rows are those of a level
};
struct FieldTypes {
  const arrow::DataType* values = nullptr;
  const arrow::DataType* weights = nullptr;
};

/// What a block says of its values; null: they are null throughout.
struct BlockSummary {
  segment::ValueKind kind = segment::ValueKind::kInt64;
  const segment::BlockStatistics* statistics = nullptr;
};

/// Rows [begin, end) of a batch: of one series, in one bucket, in order of time.
struct RowSlice {
  const std::int64_t* times = nullptr;  // of the batch, by row
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::uint64_t series = 0;  // number of the series in the stream
};

/// Rows up to `end`, behind those of the run before, that belong to a slot.
struct SlotRun {
  Slot slot = 0;
  std::int64_t end = 0;
};

/// Rows of one series that are one block after the other, in one bucket.
struct RowsSummary {
  std::int64_t count = 0;
  std::int64_t first_time = 0;
  std::int64_t last_time = 0;
  std::vector<BlockSummary> fields = {};  // the values of each aggregate
};

/// Whether some value of the block is not null.
inline bool has_values(const RowsSummary& rows, const BlockSummary& block) {
  return block.statistics != nullptr && std::cmp_less(block.statistics->nulls, rows.count);
}

/// Not thread-safe.
class AggregateColumn {
 public:
  virtual ~AggregateColumn() = default;

  virtual std::shared_ptr<arrow::DataType> type() const = 0;
  /// The slot's state becomes one that has seen nothing.
  virtual void clear(Slot slot) = 0;
  /// Slots have been cleared before. `values` has the types that the column was made for.
  virtual void add(Slot slot, const FieldValues& values, const RowSlice& rows) = 0;
  /// The same of each run; the first begins where the rows do, which may be in several buckets.
  virtual void add(std::span<const SlotRun> runs, const FieldValues& values, RowSlice rows) {
    for (const SlotRun& run : runs) {
      rows.end = run.end;
      add(run.slot, values, rows);
      rows.begin = run.end;
    }
  }
  /// Whether the next can be told of these rows; `block`: the values.
  virtual bool is_enough(const RowsSummary& rows, const BlockSummary& block) const = 0;
  virtual void add(Slot slot, const RowsSummary& rows, const BlockSummary& block) = 0;
  /// Takes over what a column made alike has seen, of other and later series.
  virtual void merge(Slot slot, AggregateColumn& other, Slot others) = 0;
  /// Appends the slot's result to the column. kInvalidInput: a sum of integers that does not fit its type.
  virtual Status emit(Slot slot) = 0;
  /// The same of several, one behind the other.
  virtual Status emit(std::span<const Slot> slots) {
    for (const Slot slot : slots) MARIGRAM_TRY(emit(slot));
    return {};
  }
  /// What has been appended since the last call.
  virtual Result<std::shared_ptr<arrow::Array>> take() = 0;
};

/// What went wrong with a column of that name.
Status from_builder(const arrow::Status& status, const std::string& name);
/// What has been appended since the last call, to one of Arrow's builders.
template <typename Builder>
Result<std::shared_ptr<arrow::Array>> finish(Builder& builder, const std::string& name) {
  std::shared_ptr<arrow::Array> column;
  MARIGRAM_TRY(from_builder(builder.Finish(&column), name));
  return column;
}

/// `name` is for errors: "sum(bytes)". `types` of the fields; none: rows are counted. `units_per_second` of the times.
/// kInvalidInput for types that have no such aggregate.
Result<std::unique_ptr<AggregateColumn>> make_aggregate_column(const model::Aggregate& aggregate,
                                                               const std::string& name, const FieldTypes& types,
                                                               double units_per_second);

}  // namespace marigram::query
