// Puts rows into a segment's order, (series, time), and cuts them at time partitions.
#pragma once

#include "model/index.h"
#include "model/schema.h"
#include "table/row_gather.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace arrow {
class Array;
class RecordBatch;
}  // namespace arrow

namespace marigram::table {

/// Index values of a column as unsigned keys of the same order: int64 and timestamps biased by 2^63, uint64 as is.
/// The column has no nulls.
std::vector<std::uint64_t> index_keys(const arrow::Array& column);

/// For each row the rank of its series among the series in `tags` (in SeriesKey order), and the number of series.
/// Columns without nulls, equal lengths; none: rank 0 everywhere. O(rows + series log series).
struct SeriesRanks {
  std::vector<std::uint32_t> rank;
  std::uint32_t series = 0;
};
SeriesRanks series_ranks(const std::vector<std::shared_ptr<arrow::Array>>& tags, std::int64_t rows);

/// The series of one row. O(tags).
SeriesKey series_key(const std::vector<std::shared_ptr<arrow::Array>>& tags, std::int64_t row);

/// The order that sorts rows by (time, series) or, if not `by_time`, by (series, time), stable; unset if they are
/// sorted.
std::optional<std::vector<std::uint32_t>> sorted_order(const std::vector<std::uint64_t>& times,
                                                       const SeriesRanks& series, bool by_time);

/// The order that sorts rows by time alone, stable; unset if they are sorted.
std::optional<std::vector<std::uint32_t>> time_order(const std::vector<std::uint64_t>& times);

/// Width of a partition in units of the column; unset: one partition (integer indexes).
using PartitionWidth = std::optional<std::uint64_t>;

/// From the first to the last index value of some rows, as keys.
class KeySpan {
 public:
  /// The column has no nulls. O(rows).
  void add(const arrow::Array& column);
  /// How many partitions lie in it, the first and the last included; 0 without rows.
  std::uint64_t partitions(PartitionWidth width) const;

 private:
  std::uint64_t low_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t high_ = 0;
};

/// Rows of several batches in the order in which segments hold them: by time partition, in each by (series, time),
/// equal ones as they came. Nothing is moved before it is asked for. Immutable; thread-safe.
class OrderedRows {
 public:
  /// `batches` (at least one) are of the table's columns, without nulls in time and tags; partitions begin at multiples
  /// of `width`. Text tags become dictionaries where they repeat. kLast leaves out the rows that later ones of the same
  /// series and time replace.
  static Result<OrderedRows> make(std::vector<std::shared_ptr<arrow::RecordBatch>> batches,
                                  const model::IndexSpec& index, PartitionWidth width,
                                  Duplicates duplicates = Duplicates::kReject);

  /// Rows of each partition, in ascending order.
  const std::vector<std::int64_t>& partitions() const { return partitions_; }
  /// `count` rows from `offset` on.
  Result<std::shared_ptr<arrow::RecordBatch>> rows(std::int64_t offset, std::int64_t count) const;
  /// The same rows, of which only the index column and the tags.
  Result<std::shared_ptr<arrow::RecordBatch>> keys(std::int64_t offset, std::int64_t count) const;

 private:
  OrderedRows() = default;
  std::span<const std::uint32_t> order(std::int64_t offset, std::int64_t count) const;

  std::shared_ptr<arrow::RecordBatch> sorted_;  // where one batch came in order; else null, and those below are set
  std::shared_ptr<arrow::RecordBatch> sorted_keys_;
  std::vector<std::uint32_t> order_;
  std::optional<RowGather> gather_;
  std::optional<RowGather> gather_keys_;
  std::vector<std::int64_t> partitions_;
};

}  // namespace marigram::table
