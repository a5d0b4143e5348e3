#include "table/live_schema.h"

#include "base/try.h"
#include "table/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <variant>

namespace marigram::table {
namespace {

std::optional<model::FieldType> field_type(const model::DataType& type) {
  switch (type.id) {
    case model::TypeId::kFloat64:
      return model::FieldType::kFloat64;
    case model::TypeId::kInt64:
      return model::FieldType::kInt64;
    case model::TypeId::kUInt64:
      return model::FieldType::kUInt64;
    case model::TypeId::kBool:
      return model::FieldType::kBool;
    case model::TypeId::kUtf8:
      return model::FieldType::kString;
    default:
      return std::nullopt;
  }
}

template <typename T>
T number_in(std::string_view text) {
  T number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

TagValue tag_value(std::string_view text, model::TypeId type) {
  switch (type) {
    case model::TypeId::kInt32:
      return number_in<std::int32_t>(text);
    case model::TypeId::kInt64:
      return number_in<std::int64_t>(text);
    case model::TypeId::kUInt64:
      return number_in<std::uint64_t>(text);
    default:
      return std::string(text);
  }
}

}  // namespace

std::vector<std::string> LiveSchema::tag_names() const {
  std::vector<std::string> names;
  names.reserve(tags.size());
  for (const model::Column& tag : tags) names.push_back(tag.name);
  return names;
}

Result<std::shared_ptr<const LiveSchema>> make_live_schema(const log::TableState& state) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  MARIGRAM_ASSIGN(const model::Schema columns, require_schema(state));
  if (!std::holds_alternative<model::TimestampIndex>(index.kind)) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot insert into this table: its index {} is of type {}, want a time; append rows to it",
                            index.column, model::index_kind_name(index.kind)));
  }
  auto schema = std::make_shared<LiveSchema>();
  schema->time_column = index.column;
  schema->unit = columns.find(index.column)->type.unit;
  for (const std::string& tag : index.tags) schema->tags.push_back(*columns.find(tag));
  auto fields = std::make_shared<head::Fields>();
  for (const model::Column& column : columns.columns) {
    if (column.name == index.column || std::ranges::find(index.tags, column.name) != index.tags.end()) continue;
    const auto type = field_type(column.type);
    if (!type) {
      schema->others.push_back(column.name);
      continue;
    }
    schema->numbers.emplace(column.name, static_cast<std::uint32_t>(fields->size()));
    fields->push_back({.name = column.name, .type = *type});
  }
  schema->fields = std::move(fields);
  schema->columns = columns.columns.size();
  schema->grows = state.meta->grows();
  return schema;
}

SeriesKey series_key(const LiveSchema& schema, const head::SeriesDictionary& series, head::SeriesId id) {
  SeriesKey key;
  key.reserve(schema.tags.size());
  for (const model::Column& tag : schema.tags) {
    const auto number = series.find_tag(tag.name);
    key.push_back(tag_value(number ? series.value(id, *number) : std::string_view(), tag.type.id));
  }
  return key;
}

Tags tags_of(const LiveSchema& schema, const SeriesKey& key) {
  Tags tags;
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::string value = format_tag_value(key[i]);
    if (!value.empty()) tags.push_back({.name = schema.tags[i].name, .value = std::move(value)});
  }
  std::ranges::sort(tags);
  return tags;
}

}  // namespace marigram::table
