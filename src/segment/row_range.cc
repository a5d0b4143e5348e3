#include "segment/row_range.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace marigram::segment {

std::int64_t count_rows(const RowRanges& ranges) {
  std::int64_t rows = 0;
  for (const RowRange& range : ranges) rows += range.rows();
  return rows;
}

void append_range(RowRanges& ranges, RowRange range) {
  if (range.begin >= range.end) return;
  if (!ranges.empty() && ranges.back().end == range.begin) {
    ranges.back().end = range.end;
  } else {
    ranges.push_back(range);
  }
}

RowRanges intersect(const RowRanges& a, const RowRanges& b) {
  RowRanges result;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    append_range(result, {std::max(a[i].begin, b[j].begin), std::min(a[i].end, b[j].end)});
    (a[i].end < b[j].end ? i : j) += 1;
  }
  return result;
}

RowRanges clip(const RowRanges& ranges, std::int64_t first, std::int64_t end) {
  RowRanges result;
  std::int64_t before = 0;  // rows of the ranges so far
  for (const RowRange& range : ranges) {
    const std::int64_t from = std::max<std::int64_t>(first - before, 0);
    const std::int64_t to = std::min(end - before, range.rows());
    append_range(result, {range.begin + from, range.begin + to});
    before += range.rows();
    if (before >= end) break;
  }
  return result;
}

}  // namespace marigram::segment
