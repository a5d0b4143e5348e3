// Values of native segments as Arrow arrays.
#pragma once

#include "segment/native_block.h"
#include "segment/native_file.h"
#include "segment/row_range.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::segment {

/// `type`: one that is kept as values of that kind (native_types.h). Copies. `doing` begins messages.
Result<std::shared_ptr<arrow::Array>> make_array(ValueKind kind, const std::shared_ptr<arrow::DataType>& type,
                                                 std::size_t rows, const BlockValues& values, const std::string& doing);

/// Of values of a fixed width, or a bit each. `valid`: a byte a row, 0 where it is null; empty: none is.
Result<std::shared_ptr<arrow::Array>> make_fixed(const std::shared_ptr<arrow::DataType>& type, std::size_t rows,
                                                 std::span<const std::uint8_t> valid,
                                                 std::shared_ptr<arrow::Buffer> values, const std::string& doing);

/// The rows of a block, which must outlive the array: numbers that lie side by side are not copied.
Result<std::shared_ptr<arrow::Array>> borrow_array(ValueKind kind, const std::shared_ptr<arrow::DataType>& type,
                                                   std::size_t rows, const BlockView& block, const std::string& doing);

/// Numbers of several blocks as one array: each is copied once.
class NumberArray {
 public:
  /// `kind`: neither bool nor text. `rows`: of all. kResourceExhausted without memory.
  static Result<NumberArray> make(ValueKind kind, std::size_t rows, const std::string& doing);

  void append(const BlockView& block, const RowRanges& ranges);
  /// `type`: as make_array().
  Result<std::shared_ptr<arrow::Array>> finish(const std::shared_ptr<arrow::DataType>& type, const std::string& doing);

 private:
  NumberArray(unsigned width, std::shared_ptr<arrow::Buffer> buffer);

  unsigned width_;
  std::shared_ptr<arrow::Buffer> buffer_;
  std::uint8_t* end_;  // in the buffer, of the rows so far
  std::size_t rows_ = 0;
  std::vector<std::uint8_t> valid_;  // of these; empty: none is null
};

/// A text, and how many rows in a row have it.
struct TextRun {
  std::string_view text = {};
  std::int64_t rows = 0;
};

/// `type`: string or binary. kResourceExhausted without memory, and beyond 2 GiB of text.
Result<std::shared_ptr<arrow::Array>> make_texts(const std::shared_ptr<arrow::DataType>& type,
                                                 std::span<const TextRun> runs, const std::string& doing);

/// A bit for each of the bytes, which are 0 or 1; the lowest first.
Result<std::shared_ptr<arrow::Buffer>> make_bitmap(std::span<const std::uint8_t> bytes, const std::string& doing);

}  // namespace marigram::segment
