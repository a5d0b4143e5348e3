#include "table/incoming.h"

#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <utility>

namespace marigram::table {
namespace {

bool is_known_tag(const LiveSchema& schema, const std::string& name) {
  return std::ranges::find(schema.tags, name, &model::Column::name) != schema.tags.end();
}

Error mismatch(const std::string& table, std::string what) {
  return {.code = ErrorCode::kSchemaMismatch, .message = fmt::format("cannot insert into {}: {}", table, what)};
}

Error invalid(const std::string& table, std::string what) {
  return {.code = ErrorCode::kInvalidInput, .message = fmt::format("cannot insert into {}: {}", table, what)};
}

template <typename T>
bool is_number(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && fmt::format("{}", number) == text;
}

/// Whether the text names a value of an integer tag, in the one way that names it.
bool fits_tag(std::string_view text, model::TypeId type) {
  switch (type) {
    case model::TypeId::kInt32:
      return is_number<std::int32_t>(text);
    case model::TypeId::kInt64:
      return is_number<std::int64_t>(text);
    case model::TypeId::kUInt64:
      return is_number<std::uint64_t>(text);
    default:
      return true;
  }
}

/// Tables that do not grow name a series by all of their tags.
Status check_all_tags(const LiveSchema& schema, const Tags& tags, const std::string& table) {
  for (const model::Column& column : schema.tags) {
    const auto tag = std::ranges::find(tags, column.name, &Tag::name);
    if (tag == tags.end()) {
      return std::unexpected(invalid(table, fmt::format("a row lacks the tag {}; give it a value", column.name)));
    }
    if (!fits_tag(tag->value, column.type.id)) {
      return std::unexpected(invalid(table, fmt::format("tag {} is \"{}\"; want a number of type {}", column.name,
                                                        tag->value, model::format_type(column.type))));
    }
  }
  return {};
}

void widen_cells(const model::FieldColumn& from, model::FieldColumn& to) {
  to.valid = from.valid;
  to.cells.reserve(from.cells.size());
  for (const std::uint64_t cell : from.cells) {
    const bool is_signed = from.type == model::FieldType::kInt64;
    const auto value = is_signed ? static_cast<double>(static_cast<std::int64_t>(cell)) : static_cast<double>(cell);
    to.cells.push_back(std::bit_cast<std::uint64_t>(value));
  }
}

bool can_widen(model::FieldType from, model::FieldType to) {
  const bool integer = from == model::FieldType::kInt64 || from == model::FieldType::kUInt64;
  return integer && to == model::FieldType::kFloat64;
}

/// A column has one role in a table.
Status check_role(const LiveSchema& schema, const std::string& column, bool as_tag, const std::string& table) {
  const bool known = as_tag ? schema.numbers.contains(column) : is_known_tag(schema, column);
  if (!known && column != schema.time_column && std::ranges::find(schema.others, column) == schema.others.end())
    return {};
  std::string_view role = "a column of another type";
  if (known) role = as_tag ? "a field" : "a tag";
  if (column == schema.time_column) role = "the time";
  return std::unexpected(mismatch(table, fmt::format("column {} is {} of the table and cannot be {} too", column, role,
                                                     as_tag ? "a tag" : "a field")));
}

/// What the table lacks. kSchemaMismatch if it does not grow.
Result<MissingColumns> find_missing(const LiveSchema& schema, const model::TableRows& rows, const std::string& table) {
  MissingColumns missing;
  for (const Tags& tags : rows.series) {
    for (const Tag& tag : tags) {
      if (is_known_tag(schema, tag.name) || std::ranges::find(missing.tags, tag.name) != missing.tags.end()) continue;
      MARIGRAM_TRY(check_role(schema, tag.name, true, table));
      missing.tags.push_back(tag.name);
    }
  }
  for (const model::FieldColumn& field : rows.fields) {
    if (schema.numbers.contains(field.name)) continue;
    MARIGRAM_TRY(check_role(schema, field.name, false, table));
    missing.fields.push_back({.name = field.name, .type = model::field_type_name(field.type), .nullable = true});
  }
  if (schema.grows || missing.empty()) return missing;
  const std::string name =
      missing.tags.empty() ? "field " + missing.fields.front().name : "tag " + missing.tags.front();
  return std::unexpected(
      mismatch(table, fmt::format("it has no {}; add the column, or create the table so that it grows", name)));
}

/// Those that the table has.
Status check_types(const LiveSchema& schema, const model::TableRows& rows, bool widen, const std::string& table) {
  for (const model::FieldColumn& field : rows.fields) {
    const auto number = schema.numbers.find(field.name);
    if (number == schema.numbers.end()) continue;
    const model::FieldType type = (*schema.fields)[number->second].type;
    if (field.type == type || (widen && can_widen(field.type, type))) continue;
    return std::unexpected(
        mismatch(table, fmt::format("field {} is of type {}; got {}", field.name, model::field_type_name(type),
                                    model::field_type_name(field.type))));
  }
  return {};
}

}  // namespace

Result<MissingColumns> check_fit(const LiveSchema& schema, const model::TableRows& rows, bool widen,
                                 const std::string& table) {
  MARIGRAM_ASSIGN(MissingColumns missing, find_missing(schema, rows, table));
  MARIGRAM_TRY(check_types(schema, rows, widen, table));
  if (!schema.grows) {
    for (const Tags& tags : rows.series) MARIGRAM_TRY(check_all_tags(schema, tags, table));
  }
  return missing;
}

Result<std::vector<std::int64_t>> convert_times(const LiveSchema& schema, const model::TableRows& rows,
                                                const std::string& table) {
  std::vector<std::int64_t> times;
  if (rows.unit == schema.unit) return times;
  times.reserve(rows.times.size());
  for (const std::int64_t time : rows.times) {
    const auto converted = to_units_exact(Instant::from_units(time, rows.unit), schema.unit);
    if (!converted) {
      return std::unexpected(invalid(
          table, fmt::format("time {} {} is none in {}, the unit of the table: {}", time, time_unit_name(rows.unit),
                             time_unit_name(schema.unit), converted.error().message)));
    }
    times.push_back(*converted);
  }
  return times;
}

Result<IncomingRows> IncomingRows::make(std::shared_ptr<const LiveSchema> schema, head::SeriesDictionary& dictionary,
                                        const model::TableRows& rows, std::vector<std::int64_t> converted_times) {
  IncomingRows incoming;
  incoming.schema_ = std::move(schema);
  incoming.times_ = rows.times;
  incoming.converted_times_ = std::move(converted_times);
  incoming.take_fields(rows);
  MARIGRAM_TRY(incoming.take_series(dictionary, rows));
  incoming.route_.emplace(incoming.series_);
  return incoming;
}

IncomingRows IncomingRows::make_numbered(std::shared_ptr<const LiveSchema> schema, std::vector<head::SeriesId> series,
                                         std::vector<std::int64_t> times, std::span<RecordField> fields) {
  IncomingRows incoming;
  incoming.schema_ = std::move(schema);
  incoming.series_ = std::move(series);
  incoming.converted_times_ = std::move(times);
  incoming.fields_.resize(incoming.schema_->fields->size());
  incoming.converted_.reserve(fields.size());
  for (RecordField& field : fields) {
    incoming.fields_[field.field] = &incoming.converted_.emplace_back(std::move(field.values));
  }
  incoming.route_.emplace(incoming.series_);
  return incoming;
}

Status IncomingRows::take_series(head::SeriesDictionary& dictionary, const model::TableRows& rows) {
  distinct_.resize(rows.series.size());
  MARIGRAM_TRY(dictionary.resolve(rows.series, distinct_));
  series_.reserve(rows.row_series.size());
  for (const std::uint32_t row : rows.row_series) series_.push_back(distinct_[row]);
  return {};
}

void IncomingRows::take_fields(const model::TableRows& rows) {
  fields_.resize(schema_->fields->size());
  converted_.reserve(rows.fields.size());
  for (const model::FieldColumn& field : rows.fields) {
    const std::uint32_t number = schema_->numbers.at(field.name);
    const model::FieldType type = (*schema_->fields)[number].type;
    fields_[number] = &field;
    if (field.type == type) continue;
    fields_[number] = &converted_.emplace_back(model::FieldColumn{.name = field.name, .type = type});
    widen_cells(field, converted_.back());
  }
}

}  // namespace marigram::table
