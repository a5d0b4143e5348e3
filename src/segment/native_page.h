// The rows of a native segment that are not in blocks yet, and the rule by which they become pages.
#pragma once

#include "segment/native_block.h"
#include "segment/native_structure.h"

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace marigram::segment {

/// Values of some columns for the rows of a page. Keeps the arrays alive that texts point into.
class PageRows {
 public:
  explicit PageRows(std::vector<ValueKind> kinds) : kinds_(std::move(kinds)), columns_(kinds_.size()) {}

  std::size_t size() const { return rows_; }
  const BlockValues& column(std::size_t i) const { return columns_[i]; }
  ValueKind kind(std::size_t i) const { return kinds_[i]; }

  /// `arrays`: one a column, of a type of its kind, texts plain or as a dictionary with 32-bit indices.
  void append(const std::vector<std::shared_ptr<arrow::Array>>& arrays, std::int64_t begin, std::int64_t count);
  /// The rows from `row` on, which these then lack.
  PageRows split(std::size_t row);
  void clear();

 private:
  std::vector<ValueKind> kinds_;
  std::vector<BlockValues> columns_;
  std::vector<std::shared_ptr<arrow::Array>> alive_;
  std::size_t rows_ = 0;
};

/// Rows on their way into pages: of one series, or all rows of several short ones.
struct OpenPage {
  PageRows rows;
  std::vector<std::size_t> begins = {};  // of its series, ascending; the first may have begun in an earlier page

  std::vector<std::uint32_t> series_rows() const;
};

}  // namespace marigram::segment
