// Which rows of a decoded stretch are wanted.
#pragma once

#include "segment/index_bounds.h"
#include "segment/row_range.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace arrow {
class Array;
}

namespace marigram::segment {

/// Starts with all rows; filters clear those that are not wanted; seal() takes stock, and the rest is for afterwards.
class Selection {
 public:
  explicit Selection(std::int64_t rows);
  /// How many runs of wanted rows among `rows` are worth being read one by one.
  static std::size_t runs_max(std::int64_t rows);

  /// Clears rows whose value (64-bit, of the index column's type) is null or out of bounds.
  void keep_within(const arrow::Array& index, const IndexBounds& bounds);
  /// One byte a row, 1 for wanted; for filters.
  std::span<std::uint8_t> bytes() { return keep_; }
  void seal();

  /// Of the rows wanted.
  std::int64_t count() const { return count_; }
  /// All wanted rows lie in these.
  RowRange bounds() const { return bounds_; }
  /// The wanted rows, if they are runs_max() runs at most.
  const std::optional<RowRanges>& runs() const { return runs_; }
  /// Of rows [begin, end) alone, which become rows 0 and on; sealed.
  Selection part(std::int64_t begin, std::int64_t end) const;

  /// The wanted ones of `values`, which holds the rows of bounds(). Without a copy if all of them are.
  Result<std::shared_ptr<arrow::Array>> apply(const std::shared_ptr<arrow::Array>& values,
                                              const std::string& doing) const;

 private:
  std::vector<std::uint8_t> keep_;
  std::int64_t count_ = 0;
  RowRange bounds_;
  std::optional<RowRanges> runs_;
};

}  // namespace marigram::segment
