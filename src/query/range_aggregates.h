// Aggregates of ranges of rows, many of which may overlap.
//
// Where ranges cover the rows several times over, blocks of rows are aggregated once, blocks of these blocks too, and
// so on; a range then takes over the blocks that lie in it, the largest first, and looks at the rows at its ends alone.
#pragma once

#include "base/thread_pool.h"
#include "model/aggregate.h"
#include "query/aggregate_column.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace marigram::query {

/// Borrows what it is given.
class RangeAggregates {
 public:
  using Columns = std::vector<std::unique_ptr<AggregateColumn>>;
  /// A column as the one of that number is.
  using Make = std::function<Result<std::unique_ptr<AggregateColumn>>(std::size_t)>;

  /// `columns`: that ranges are added to; `values` of each, by row; `times` of the rows.
  RangeAggregates(Columns& columns, const std::vector<FieldValues>& values, std::span<const std::int64_t> times);

  /// Aggregates the blocks, but for aggregates that are not made of those of their parts: rates, changes, percentiles.
  /// O(rows).
  Status build(const std::vector<model::AggregateOf>& asked, const Make& make, ThreadPool& pool);
  /// Of one series, in order of time. O(log(rows)) once blocks are built, else O(end - begin). Threads may add to
  /// different slots at once.
  void add(Slot slot, std::int64_t begin, std::int64_t end);

 private:
  Status build(std::size_t column, const Make& make);
  void add(std::size_t column, std::size_t level, Slot slot, std::int64_t begin, std::int64_t end);

  Columns& columns_;
  const std::vector<FieldValues>& values_;
  std::span<const std::int64_t> times_;
  std::vector<Columns> levels_;  // of each column, the blocks of the rows, the blocks of these, and so on
};

}  // namespace marigram::query
