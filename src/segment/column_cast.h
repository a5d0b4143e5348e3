// From a file's column type to a table's.
#pragma once

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <string>

namespace arrow {
class Array;
class DataType;
}  // namespace arrow

namespace marigram::segment {

/// Whether values of `from` can become `to` without loss: the same but for names, time zones and dictionaries; bytes
/// for text (where a v1 table says binary); int64 for uint64 of the same bits (v1 has no uint64); lists of
/// other layouts for lists; what model::can_widen allows.
bool can_become(const arrow::DataType& from, const arrow::DataType& to);

/// `values` as `to`; can_become() holds for the types. `doing` begins messages.
Result<std::shared_ptr<arrow::Array>> become(const std::shared_ptr<arrow::Array>& values,
                                             const std::shared_ptr<arrow::DataType>& to, const std::string& doing);

/// A column of the table that a file lacks: nulls, but empty if it is a text tag, which the series of the file lack.
Result<std::shared_ptr<arrow::Array>> absent_column(const std::shared_ptr<arrow::DataType>& type, bool text_tag,
                                                    std::int64_t rows, const std::string& doing);
/// kCorruption if the table's `column` may not be null, and some values are.
Status check_nulls(const arrow::Array& values, bool nullable, const std::string& column, const std::string& doing);

}  // namespace marigram::segment
