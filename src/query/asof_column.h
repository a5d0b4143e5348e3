// A column of an as-of join's result that takes its values from the table.
#pragma once

#include "segment/native_file.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace marigram::query {

/// Rows that are to be taken from a source, ascending, and to which rows of the result: one each.
struct AsofPicks {
  std::span<const std::int64_t> rows;
  std::span<const std::uint32_t> to;
};

/// Rows of the result are set in any order, and again if need be. Threads may set different rows at
/// once.
class AsofColumn {
 public:
  /// `rows`: of the result. kResourceExhausted without memory.
  static Result<std::unique_ptr<AsofColumn>> make(std::shared_ptr<arrow::DataType> type, std::size_t rows);
  virtual ~AsofColumn() = default;

  /// From an array of the column's type.
  virtual Status put(const arrow::Array& values, const AsofPicks& picks) = 0;
  /// From a block of a native segment whose values become that type as they are; `begin` is its first row.
  virtual Status put(const segment::BlockView& block, std::int64_t begin, const AsofPicks& picks) = 0;
  virtual Status put_nulls(const AsofPicks& picks) = 0;
  /// The column; once. `put`: for each row of the result, 1 if it was set; the others are null.
  virtual Result<std::shared_ptr<arrow::Array>> finish(std::span<const std::uint8_t> put) = 0;
};

/// Values that are not valid become 0: memory that nobody set is not given away.
template <typename T>
void clear_unset(std::span<const std::uint8_t> valid, std::span<T> values) {
  for (auto row = valid.begin(); (row = std::find(row, valid.end(), 0)) != valid.end(); ++row) {
    values[static_cast<std::size_t>(row - valid.begin())] = T{};
  }
}

}  // namespace marigram::query
