// Puts rows into a segment's order, (series, time), and cuts them at time partitions.
#pragma once

#include "model/index.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <memory>
#include <optional>
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

/// The rows in `order`.
Result<std::shared_ptr<arrow::RecordBatch>> take_rows(const std::shared_ptr<arrow::RecordBatch>& rows,
                                                      const std::vector<std::uint32_t>& order);

/// Width of a partition in units of the column; unset: one partition (integer indexes).
using PartitionWidth = std::optional<std::uint64_t>;

/// Splits `rows` (the table's columns, no nulls in time and tags) at multiples of `width`, in ascending order of
/// partitions; each piece sorted by (series, time), rows of equal (series, time) in their order. Copies only what
/// moves.
Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> order_and_partition(
    const std::shared_ptr<arrow::RecordBatch>& rows, const model::IndexSpec& index, PartitionWidth width);

}  // namespace marigram::table
