// Columns of numbers of any type as doubles.
#pragma once

#include <arrow/array.h>

#include <cstdint>

namespace marigram::query {

inline bool is_number(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DOUBLE:
    case arrow::Type::FLOAT:
    case arrow::Type::INT64:
    case arrow::Type::INT32:
    case arrow::Type::UINT64:
      return true;
    default:
      return false;
  }
}

/// The array is of numbers. Calls `visit` with what gives the value of a row that is not null.
template <typename Visit>
void visit_numbers(const arrow::Array& array, Visit visit) {
  const auto as = [&]<typename Array>(const Array& numbers) {
    visit([&](std::int64_t row) { return static_cast<double>(numbers.Value(row)); });
  };
  switch (array.type_id()) {
    case arrow::Type::DOUBLE:
      return as(static_cast<const arrow::DoubleArray&>(array));
    case arrow::Type::FLOAT:
      return as(static_cast<const arrow::FloatArray&>(array));
    case arrow::Type::INT64:
      return as(static_cast<const arrow::Int64Array&>(array));
    case arrow::Type::INT32:
      return as(static_cast<const arrow::Int32Array&>(array));
    default:
      return as(static_cast<const arrow::UInt64Array&>(array));
  }
}

}  // namespace marigram::query
