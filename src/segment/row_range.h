// Stretches of rows inside a row group.
#pragma once

#include <cstdint>
#include <vector>

namespace marigram::segment {

/// Half-open.
struct RowRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;

  std::int64_t rows() const { return end - begin; }
  friend bool operator==(const RowRange&, const RowRange&) = default;
};

/// Ascending, disjoint, none empty.
using RowRanges = std::vector<RowRange>;

std::int64_t count_rows(const RowRanges& ranges);
/// Appends a range that starts at or after the end of the last one, merging the two where they touch.
void append_range(RowRanges& ranges, RowRange range);
RowRanges intersect(const RowRanges& a, const RowRanges& b);
/// Rows number `first` to `end` of the ranges' rows, counted one after the other.
RowRanges clip(const RowRanges& ranges, std::int64_t first, std::int64_t end);

}  // namespace marigram::segment
