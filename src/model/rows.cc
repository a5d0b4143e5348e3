#include "model/rows.h"

#include "base/try.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

namespace marigram::model {
namespace {

std::optional<FieldType> type_of(const FieldValue& value) {
  if (value.index() == 0) return std::nullopt;
  return static_cast<FieldType>(value.index() - 1);
}

bool is_number(FieldType type) {
  return type == FieldType::kFloat64 || type == FieldType::kInt64 || type == FieldType::kUInt64;
}

double as_double(std::uint64_t cell, FieldType type) {
  switch (type) {
    case FieldType::kInt64:
      return static_cast<double>(std::bit_cast<std::int64_t>(cell));
    case FieldType::kUInt64:
      return static_cast<double>(cell);
    default:
      return std::bit_cast<double>(cell);
  }
}

/// The bits of a value that is no string.
std::uint64_t cell_of(const FieldValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return std::bit_cast<std::uint64_t>(*number);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::bit_cast<std::uint64_t>(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number;
  return std::get<bool>(value) ? 1 : 0;
}

std::size_t size_of(const FieldColumn& column) {
  return column.type == FieldType::kString ? column.strings.size() : column.cells.size();
}

/// Makes the column `rows` long; what it lacks are nulls.
void fill_with_nulls(FieldColumn& column, std::size_t rows) {
  const std::size_t have = size_of(column);
  if (have == rows) return;
  if (column.valid.empty()) column.valid.assign(have, 1);
  column.valid.resize(rows, 0);
  if (column.type == FieldType::kString) {
    column.strings.resize(rows);
  } else {
    column.cells.resize(rows);
  }
}

void widen_to_float(FieldColumn& column) {
  for (std::size_t row = 0; row < column.cells.size(); ++row) {
    if (column.is_null(row)) continue;
    column.cells[row] = std::bit_cast<std::uint64_t>(as_double(column.cells[row], column.type));
  }
  column.type = FieldType::kFloat64;
}

/// Appends text so that no two lists of texts join to the same bytes.
void join(std::string& key, std::string_view text) {
  const auto length = std::bit_cast<std::array<char, sizeof(std::uint32_t)>>(static_cast<std::uint32_t>(text.size()));
  key.append(length.data(), length.size()).append(text);
}

}  // namespace

const char* field_type_name(FieldType type) {
  switch (type) {
    case FieldType::kFloat64:
      return "float64";
    case FieldType::kInt64:
      return "int64";
    case FieldType::kUInt64:
      return "uint64";
    case FieldType::kBool:
      return "bool";
    case FieldType::kString:
      return "string";
  }
  return "unknown";
}

RowsBuilder::RowsBuilder(std::string table, TimeUnit unit, bool widen)
    : rows_{.table = std::move(table), .unit = unit}, widen_(widen) {}

Status RowsBuilder::add(std::span<const Tag> tags, std::int64_t time, std::span<const Field> fields) {
  MARIGRAM_TRY(sort_tags(tags));
  const std::size_t known = columns_.size();
  if (const auto placed = place_fields(fields); !placed) {
    drop_columns(known);
    return placed;
  }
  for (std::size_t i = 0; i < fields.size(); ++i) put(places_[i], fields[i].value);
  rows_.row_series.push_back(intern_series());
  rows_.times.push_back(time);
  return {};
}

TableRows RowsBuilder::finish() {
  for (std::size_t i = columns_.size(); i-- > 0;) {
    if (!columns_[i].typed) rows_.fields.erase(rows_.fields.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (FieldColumn& column : rows_.fields) fill_with_nulls(column, rows());
  TableRows empty{.table = rows_.table, .unit = rows_.unit};
  series_.clear();
  fields_.clear();
  columns_.clear();
  return std::exchange(rows_, std::move(empty));
}

Status RowsBuilder::sort_tags(std::span<const Tag> tags) {
  tags_.clear();
  for (const Tag& tag : tags) {
    if (tag.name.empty()) {
      return fail(
          ErrorCode::kInvalidInput,
          fmt::format("cannot add a row to table {}: a tag has no name; its value is \"{}\"", rows_.table, tag.value));
    }
    tags_.push_back(&tag);
  }
  const auto name = [](const Tag* tag) -> const std::string& { return tag->name; };
  if (!std::ranges::is_sorted(tags_, {}, name)) std::ranges::sort(tags_, {}, name);
  if (const auto twice = std::ranges::adjacent_find(tags_, {}, name); twice != tags_.end()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot add a row to table {}: tag \"{}\" is there twice; got values \"{}\" and \"{}\"",
                            rows_.table, (*twice)->name, (*twice)->value, (*std::next(twice))->value));
  }
  std::erase_if(tags_, [](const Tag* tag) { return tag->value.empty(); });
  return {};
}

std::uint32_t RowsBuilder::intern_series() {
  key_.clear();
  for (const Tag* tag : tags_) {
    join(key_, tag->name);
    join(key_, tag->value);
  }
  if (const auto known = series_.find(key_); known != series_.end()) return known->second;
  const auto number = static_cast<std::uint32_t>(rows_.series.size());
  Tags& series = rows_.series.emplace_back();
  series.reserve(tags_.size());
  for (const Tag* tag : tags_) series.push_back(*tag);
  series_.emplace(key_, number);
  return number;
}

Status RowsBuilder::place_fields(std::span<const Field> fields) {
  ++adds_;
  places_.resize(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Field& field = fields[i];
    if (field.name.empty()) {
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot add a row to table {}: a field has no name", rows_.table));
    }
    const std::size_t column = find_or_add_column(i, field.name);
    if (std::exchange(columns_[column].last_add, adds_) == adds_) {
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot add a row to table {}: field \"{}\" is there twice", rows_.table, field.name));
    }
    MARIGRAM_TRY(check_type(column, field));
    places_[i] = column;
  }
  return {};
}

Status RowsBuilder::check_type(std::size_t column, const Field& field) const {
  const auto type = type_of(field.value);
  const FieldType want = rows_.fields[column].type;
  if (!type || !columns_[column].typed || *type == want) return {};
  if (widen_ && is_number(*type) && is_number(want)) return {};
  return fail(
      ErrorCode::kSchemaMismatch,
      fmt::format("cannot add a row to table {}: field \"{}\" changes its type; got {}, want {} as in earlier rows",
                  rows_.table, field.name, field_type_name(*type), field_type_name(want)));
}

// Rows tend to name their fields in the same order, so the column in the field's own place is tried first.
std::size_t RowsBuilder::find_or_add_column(std::size_t guess, std::string_view name) {
  if (guess < columns_.size() && rows_.fields[guess].name == name) return guess;
  if (const auto known = fields_.find(name); known != fields_.end()) return known->second;
  const std::size_t column = columns_.size();
  fields_.emplace(name, column);
  rows_.fields.push_back({.name = std::string(name)});
  columns_.emplace_back();
  return column;
}

void RowsBuilder::drop_columns(std::size_t from) {
  for (std::size_t i = from; i < columns_.size(); ++i) fields_.erase(rows_.fields[i].name);
  rows_.fields.resize(from);
  columns_.resize(from);
}

void RowsBuilder::put(std::size_t column, const FieldValue& value) {
  const auto type = type_of(value);
  if (!type) return;  // finish(), or the next value, fills up with nulls
  FieldColumn& into = rows_.fields[column];
  if (!std::exchange(columns_[column].typed, true)) into.type = *type;
  fill_with_nulls(into, rows());
  if (into.type == FieldType::kString) {
    into.strings.push_back(std::get<std::string>(value));
  } else if (into.type == *type) {
    into.cells.push_back(cell_of(value));
  } else {
    if (into.type != FieldType::kFloat64) widen_to_float(into);
    into.cells.push_back(std::bit_cast<std::uint64_t>(as_double(cell_of(value), *type)));
  }
  if (!into.valid.empty()) into.valid.push_back(1);
}

}  // namespace marigram::model
