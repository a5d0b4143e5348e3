#include "bench_support.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <fmt/format.h>

namespace marigram::bench {
namespace {

/// int64 and timestamps have the same layout.
std::uint64_t sum_integers(const arrow::Array& column) {
  const auto values = column.data()->GetValues<std::int64_t>(1);
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (column.IsValid(i)) sum += static_cast<std::uint64_t>(values[i]);
  }
  return sum;
}

double sum_floats(const arrow::Array& column) {
  const auto values = column.data()->GetValues<double>(1);
  double sum = 0;
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (column.IsValid(i)) sum += values[i];
  }
  return sum;
}

std::uint64_t text_bytes(const arrow::StringArray& column) {
  return static_cast<std::uint64_t>(column.total_values_length());
}

std::uint64_t text_bytes(const arrow::DictionaryArray& column) {
  if (column.dictionary()->type_id() != arrow::Type::STRING)
    stop("cannot sum a dictionary of another type than string");
  const auto& texts = static_cast<const arrow::StringArray&>(*column.dictionary());
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (column.IsValid(i)) sum += static_cast<std::uint64_t>(texts.value_length(column.GetValueIndex(i)));
  }
  return sum;
}

}  // namespace

void need(const arrow::Status& status) {
  if (!status.ok()) stop(status.ToString());
}

void Sums::add(const arrow::RecordBatch& batch) {
  rows_ += static_cast<std::uint64_t>(batch.num_rows());
  for (int i = 0; i < batch.num_columns(); ++i) {
    const arrow::Array& column = *batch.column(i);
    const std::string& name = batch.column_name(i);
    switch (column.type_id()) {
      case arrow::Type::INT64:
      case arrow::Type::TIMESTAMP:
        integers_[name] += sum_integers(column);
        break;
      case arrow::Type::DOUBLE:
        floats_[name] += sum_floats(column);
        break;
      case arrow::Type::STRING:
        text_bytes_[name] += text_bytes(static_cast<const arrow::StringArray&>(column));
        break;
      case arrow::Type::DICTIONARY:
        text_bytes_[name] += text_bytes(static_cast<const arrow::DictionaryArray&>(column));
        break;
      default:
        stop(fmt::format("cannot sum column {}: got type {}", name, column.type()->ToString()));
    }
  }
}

Json Sums::json() const {
  Json sums{{"rows", rows_}};
  for (const auto& [name, sum] : integers_) sums[name] = sum;
  for (const auto& [name, sum] : floats_) sums[name] = sum;
  for (const auto& [name, sum] : text_bytes_) sums[name] = sum;
  return sums;
}

}  // namespace marigram::bench
