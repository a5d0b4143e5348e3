#include "segment/native_page.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace marigram::segment {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// `T` signed: the sign is kept.
template <typename T>
void append_numbers(const arrow::Array& array, std::int64_t begin, std::int64_t count, BlockValues& to) {
  const T* const values = array.data()->GetValues<T>(1) + begin;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool null = array.IsNull(begin + i);
    to.cells.push_back(null ? 0 : static_cast<std::uint64_t>(static_cast<std::int64_t>(values[i])));
  }
}

void append_bools(const arrow::Array& array, std::int64_t begin, std::int64_t count, BlockValues& to) {
  const auto& bools = static_cast<const arrow::BooleanArray&>(array);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    to.cells.push_back(bools.IsValid(row) && bools.Value(row) ? 1 : 0);
  }
}

void append_texts(const arrow::Array& array, std::int64_t begin, std::int64_t count, BlockValues& to) {
  const bool encoded = array.type_id() == arrow::Type::DICTIONARY;
  const auto* const dictionary = encoded ? static_cast<const arrow::DictionaryArray*>(&array) : nullptr;
  const auto& texts = static_cast<const arrow::BinaryArray&>(encoded ? *dictionary->dictionary() : array);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    if (array.IsNull(row)) {
      to.texts.emplace_back();
    } else {
      to.texts.push_back(texts.GetView(encoded ? dictionary->GetValueIndex(row) : row));
    }
  }
}

void append_values(ValueKind kind, const arrow::Array& array, std::int64_t begin, std::int64_t count, BlockValues& to) {
  switch (kind) {
    case ValueKind::kBool:
      return append_bools(array, begin, count, to);
    case ValueKind::kInt32:
      return append_numbers<std::int32_t>(array, begin, count, to);
    case ValueKind::kFloat32:
      return append_numbers<std::uint32_t>(array, begin, count, to);
    case ValueKind::kText:
      return append_texts(array, begin, count, to);
    default:
      return append_numbers<std::int64_t>(array, begin, count, to);
  }
}

/// `rows`: before these.
void append_validity(const arrow::Array& array, std::int64_t begin, std::int64_t count, std::size_t rows,
                     BlockValues& to) {
  if (array.null_count() == 0 && to.valid.empty()) return;
  to.valid.resize(rows, 1);
  for (std::int64_t row = begin; row < begin + count; ++row) to.valid.push_back(array.IsValid(row) ? 1 : 0);
}

template <typename T>
std::vector<T> split_off(std::vector<T>& values, std::size_t at) {
  if (values.empty()) return {};
  const auto from = values.begin() + static_cast<std::ptrdiff_t>(at);
  std::vector<T> rest(from, values.end());
  values.erase(from, values.end());
  return rest;
}

}  // namespace

void PageRows::append(const std::vector<ArrayPtr>& arrays, std::int64_t begin, std::int64_t count) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    append_values(kinds_[i], *arrays[i], begin, count, columns_[i]);
    append_validity(*arrays[i], begin, count, rows_, columns_[i]);
    if (kinds_[i] == ValueKind::kText && std::ranges::find(alive_, arrays[i]) == alive_.end())
      alive_.push_back(arrays[i]);
  }
  rows_ += static_cast<std::size_t>(count);
}

PageRows PageRows::split(std::size_t row) {
  PageRows rest(kinds_);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    rest.columns_[i] = {.cells = split_off(columns_[i].cells, row),
                        .texts = split_off(columns_[i].texts, row),
                        .valid = split_off(columns_[i].valid, row)};
  }
  rest.alive_ = alive_;
  rest.rows_ = rows_ - row;
  rows_ = row;
  return rest;
}

void PageRows::clear() {
  for (BlockValues& column : columns_) {
    column.cells.clear();
    column.texts.clear();
    column.valid.clear();
  }
  alive_.clear();
  rows_ = 0;
}

std::vector<std::uint32_t> OpenPage::series_rows() const {
  std::vector<std::uint32_t> rows_of(begins.size());
  for (std::size_t i = 0; i < begins.size(); ++i) {
    const std::size_t end = i + 1 < begins.size() ? begins[i + 1] : rows.size();
    rows_of[i] = static_cast<std::uint32_t>(end - begins[i]);
  }
  return rows_of;
}

}  // namespace marigram::segment
