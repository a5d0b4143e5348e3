// A column of an as-of join's result that takes its values from the table.
#pragma once

#include "base/prefetch.h"
#include "segment/native_file.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
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

  /// From an array of the column's type, whose first row is `begin`.
  virtual Status put(const arrow::Array& values, std::int64_t begin, const AsofPicks& picks) = 0;
  /// From a block of a native segment whose values become that type as they are, likewise.
  virtual Status put(const segment::BlockView& block, std::int64_t begin, const AsofPicks& picks) = 0;
  virtual Status put_nulls(const AsofPicks& picks) = 0;
  /// The column; once. `put`: for each row of the result, 1 if it was set; the others are null.
  virtual Result<std::shared_ptr<arrow::Array>> finish(std::span<const std::uint8_t> put) = 0;
};

/// Sets values[to[i]] to value_of(i), for each i. What is written is on its way before: `to` may lie anywhere.
template <typename T, typename ValueOf>
void put_at(std::span<const std::uint32_t> to, std::span<T> values, ValueOf value_of) {
  constexpr std::size_t kAhead = 64;
  const std::size_t ahead = to.size() < kAhead ? 0 : to.size() - kAhead;
  for (std::size_t i = 0; i < ahead; ++i) {
    prefetch_to_write(&values[to[i + kAhead]]);
    values[to[i]] = value_of(i);
  }
  for (std::size_t i = ahead; i < to.size(); ++i) values[to[i]] = value_of(i);
}

/// Values that are not valid become 0: memory that nobody set is not given away.
template <typename T>
void clear_unset(std::span<const std::uint8_t> valid, std::span<T> values) {
  const auto next = [&](std::size_t from) {
    const void* const found = from == valid.size() ? nullptr : std::memchr(&valid[from], 0, valid.size() - from);
    return found == nullptr ? valid.size()
                            : static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - &valid[0]);
  };
  for (std::size_t row = next(0); row < valid.size(); row = next(row + 1)) values[row] = T{};
}

}  // namespace marigram::query
