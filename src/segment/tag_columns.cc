#include "segment/tag_columns.h"

#include "base/try.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// A value's bytes after its length, so that no two series have the same encoding.
void append_sized(std::string& into, std::string_view bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  into.append(reinterpret_cast<const char*>(&length), sizeof(length));
  into.append(bytes);
}

template <typename T>
void append_number(std::string& into, T value) {
  into.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// Rows come sorted, so that most strings are as the one before: of some that are all as long, the bytes are compared
/// with those before them in one go.
template <typename Strings>
void mark_string_changes(const Strings& strings, std::span<std::uint8_t> starts) {
  constexpr std::size_t kTogether = 64;
  const auto* const ends = strings.raw_value_offsets() + 1;  // of each string, and of the next its begin
  const std::uint8_t* const bytes = strings.raw_data();
  for (std::size_t i = 1; i < starts.size(); i += kTogether) {
    const std::size_t count = std::min(kTogether, starts.size() - i);
    const auto length = ends[i] - ends[i - 1];
    auto other = ends[i - 1] - strings.raw_value_offsets()[i - 1] - length;  // 0: all are as long
    for (std::size_t k = i; k < i + count; ++k) other |= ends[k] - ends[k - 1] - length;
    if (other == 0 && (length == 0 || std::memcmp(bytes + ends[i - 1] - length, bytes + ends[i - 1],
                                                  static_cast<std::size_t>(length) * count) == 0)) {
      continue;
    }
    for (std::size_t k = i; k < i + count; ++k) {
      const auto row = static_cast<std::int64_t>(k);
      starts[k] |= strings.GetView(row) == strings.GetView(row - 1) ? 0 : 1;
    }
  }
}

template <typename T>
void mark_number_changes(const arrow::Array& numbers, std::span<std::uint8_t> starts) {
  const T* raw = numbers.data()->GetValues<T>(1);
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] |= raw[i] != raw[i - 1] ? 1 : 0;
}

bool is_text(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING || type.id() == arrow::Type::LARGE_STRING;
}

}  // namespace

struct TagColumns::Column {
  ArrayPtr values;   // the dictionary's, for a dictionary column
  ArrayPtr indices;  // int32; null unless it is one

  std::int64_t at(std::int64_t row) const {
    return indices ? static_cast<const arrow::Int32Array&>(*indices).Value(row) : row;
  }
  std::string_view text(std::int64_t row) const {
    if (values->type_id() == arrow::Type::STRING)
      return static_cast<const arrow::StringArray&>(*values).GetView(at(row));
    return static_cast<const arrow::LargeStringArray&>(*values).GetView(at(row));
  }

  TagValue value(std::int64_t row) const {
    switch (values->type_id()) {
      case arrow::Type::INT32:
        return static_cast<const arrow::Int32Array&>(*values).Value(row);
      case arrow::Type::INT64:
        return static_cast<const arrow::Int64Array&>(*values).Value(row);
      case arrow::Type::UINT64:
        return static_cast<const arrow::UInt64Array&>(*values).Value(row);
      default:
        return std::string(text(row));
    }
  }

  void encode(std::int64_t row, std::string& into) const {
    switch (values->type_id()) {
      case arrow::Type::INT32:
        return append_number(into, static_cast<const arrow::Int32Array&>(*values).Value(row));
      case arrow::Type::INT64:
        return append_number(into, static_cast<const arrow::Int64Array&>(*values).Value(row));
      case arrow::Type::UINT64:
        return append_number(into, static_cast<const arrow::UInt64Array&>(*values).Value(row));
      default:
        return append_sized(into, text(row));
    }
  }

  void mark_changes(std::span<std::uint8_t> starts) const {
    if (indices) return mark_number_changes<std::int32_t>(*indices, starts);
    switch (values->type_id()) {
      case arrow::Type::INT32:
        return mark_number_changes<std::int32_t>(*values, starts);
      case arrow::Type::INT64:
      case arrow::Type::UINT64:
        return mark_number_changes<std::uint64_t>(*values, starts);
      case arrow::Type::STRING:
        return mark_string_changes(static_cast<const arrow::StringArray&>(*values), starts);
      default:
        return mark_string_changes(static_cast<const arrow::LargeStringArray&>(*values), starts);
    }
  }
};

Result<TagColumns> TagColumns::make(const arrow::RecordBatch& batch, const std::vector<std::string>& names,
                                    const std::string& doing, std::uint64_t first_row) {
  TagColumns tags;
  for (const std::string& name : names) {
    const ArrayPtr array = batch.GetColumnByName(name);
    if (!array) return fail(ErrorCode::kSchemaMismatch, fmt::format("{}: tag column {} is missing", doing, name));
    auto column = std::make_shared<Column>();
    column->values = array;
    if (array->type_id() == arrow::Type::DICTIONARY) {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*array);
      column->values = dictionary.dictionary();
      const auto indices = arrow::compute::Cast(*dictionary.indices(), arrow::int32());
      if (indices.ok()) column->indices = *indices;
    }
    const arrow::DataType& type = *column->values->type();
    const bool integer =
        type.id() == arrow::Type::INT32 || type.id() == arrow::Type::INT64 || type.id() == arrow::Type::UINT64;
    const bool dictionary = array->type_id() == arrow::Type::DICTIONARY;
    if (!is_text(type) && (!integer || dictionary)) {
      return fail(ErrorCode::kSchemaMismatch,
                  fmt::format("{}: tag column {} has type {}, want string, int32, int64 or uint64", doing, name,
                              array->type()->ToString()));
    }
    if (array->null_count() > 0 || (dictionary && (!column->indices || column->values->null_count() > 0))) {
      std::int64_t row = 0;
      while (row < array->length() && array->IsValid(row)) ++row;
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("{}: tag column {} is null in row {}, want a value in every row", doing, name,
                              first_row + static_cast<std::uint64_t>(row)));
    }
    tags.columns_.push_back(std::move(column));
  }
  return tags;
}

void TagColumns::mark_changes(std::span<std::uint8_t> starts) const {
  if (starts.empty()) return;
  starts[0] = 1;
  for (const auto& column : columns_) column->mark_changes(starts);
}

SeriesKey TagColumns::key_of(std::int64_t row) const {
  SeriesKey key;
  for (const auto& column : columns_) key.push_back(column->value(row));
  return key;
}

std::string_view TagColumns::encode(std::int64_t row, std::string& scratch) const {
  if (columns_.size() == 1 && is_text(*columns_.front()->values->type())) return columns_.front()->text(row);
  scratch.clear();
  for (const auto& column : columns_) column->encode(row, scratch);
  return scratch;
}

std::int64_t TagColumns::dictionary_length() const {
  return columns_.size() == 1 && columns_.front()->indices ? columns_.front()->values->length() : 0;
}

std::span<const std::int32_t> TagColumns::dictionary_indices() const {
  const auto& indices = static_cast<const arrow::Int32Array&>(*columns_.front()->indices);
  return {indices.raw_values(), static_cast<std::size_t>(indices.length())};
}

}  // namespace marigram::segment
