// The tags of rows: keys of groups, and where one series ends and the next begins.
#pragma once

#include <marigram/error.h>
#include <marigram/series.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace marigram::query {

/// The values of some tag columns in one row; unset where the row has null, which sorts first.
using RowKey = std::vector<std::optional<TagValue>>;

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;

/// Whether a column of this type can name series: utf8, int32, int64 or uint64.
bool is_tag_type(const arrow::DataType& type);

/// Columns of tag types. O(columns).
RowKey row_key(const Arrays& columns, std::int64_t row);

/// With "" for null, as tables name series.
SeriesKey to_series(const RowKey& key);

/// The first row after `row`, or their number `rows`, whose key is another; rows with one key are next to one another.
/// O(columns log run).
std::int64_t key_run_end(const Arrays& columns, std::int64_t row, std::int64_t rows);

/// A key and how many rows one after the other have it.
struct KeyRun {
  RowKey key = {};
  std::int64_t rows = 0;
};

/// The values at one position of the keys, as a column of a tag type. kResourceExhausted without memory.
Result<std::shared_ptr<arrow::Array>> key_column(std::span<const KeyRun> runs, std::size_t position,
                                                 const arrow::DataType& type);

/// The first of [begin, end) for which `holds` is false, where it holds for begin and never again once it is false.
/// O(log distance): steps double, for runs are often long and often short.
template <typename Holds>
std::int64_t gallop(std::int64_t begin, std::int64_t end, Holds holds) {
  std::int64_t step = 1;
  std::int64_t inside = begin;
  while (inside + step < end && holds(inside + step)) {
    inside += step;
    step *= 2;
  }
  std::int64_t outside = inside + step < end ? inside + step : end;
  while (outside - inside > 1) {
    const std::int64_t middle = inside + (outside - inside) / 2;
    (holds(middle) ? inside : outside) = middle;
  }
  return outside;
}

}  // namespace marigram::query
