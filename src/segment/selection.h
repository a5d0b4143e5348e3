// Which rows of a decoded stretch are wanted.
#pragma once

#include "segment/index_bounds.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace arrow {
class Array;
}

namespace marigram::segment {

/// Starts with all rows; filters clear those that are not wanted.
class Selection {
 public:
  explicit Selection(std::int64_t rows);

  /// Clears rows whose value (64-bit, of the index column's type) is null or out of bounds.
  void keep_within(const arrow::Array& index, const IndexBounds& bounds);
  /// One byte a row, 1 for wanted; for filters. seal() must follow.
  std::span<std::uint8_t> bytes() { return keep_; }
  /// Takes stock after filtering.
  void seal();

  /// Of the rows wanted. All wanted rows lie in [first, end).
  std::int64_t count() const { return count_; }
  std::int64_t first() const { return first_; }
  std::int64_t end() const { return end_; }

  /// The wanted ones of `values`, which holds rows [first(), end()). Without a copy if all are.
  Result<std::shared_ptr<arrow::Array>> apply(const std::shared_ptr<arrow::Array>& values,
                                              const std::string& doing) const;

 private:
  std::vector<std::uint8_t> keep_;
  std::int64_t count_ = 0;
  std::int64_t first_ = 0;
  std::int64_t end_ = 0;
  std::shared_ptr<arrow::Array> mask_;  // of rows [first, end); null if all of them are wanted
};

}  // namespace marigram::segment
