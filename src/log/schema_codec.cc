#include "log/schema_codec.h"

#include "base/try.h"

#include <array>
#include <cassert>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace marigram::log {
namespace {

using Json = nlohmann::ordered_json;
using model::TypeId;

struct NamedType {
  std::string_view name;
  TypeId id;
};

/// Types without parameters.
constexpr NamedType kPlain[] = {
    {"Bool", TypeId::kBool},     {"Int32", TypeId::kInt32},     {"Int64", TypeId::kInt64},
    {"UInt64", TypeId::kUInt64}, {"Float32", TypeId::kFloat32}, {"Float64", TypeId::kFloat64},
    {"Binary", TypeId::kBinary}, {"Utf8", TypeId::kUtf8},       {"Int96", TypeId::kInt96},
};

struct NamedUnit {
  std::string_view name;
  TimeUnit unit;
};

constexpr NamedUnit kUnits[] = {{"Millis", TimeUnit::kMilli}, {"Micros", TimeUnit::kMicro}, {"Nanos", TimeUnit::kNano}};

// ---- out ----

Json column_out(const model::Column& column);

Json timestamp_out(const model::DataType& type) {
  Json out;
  for (const NamedUnit& named : kUnits) {
    if (named.unit == type.unit) out["unit"] = named.name;
  }
  assert(!out.is_null());  // seconds never reach the log: no table stores them
  out["timezone"] = type.timezone ? Json(*type.timezone) : Json();
  return out;
}

Json map_out(const model::DataType& type) {
  assert(!type.children.empty());
  Json out;
  out["key"] = column_out(type.children[0]);
  out["value"] = type.children.size() > 1 ? column_out(type.children[1]) : Json();
  out["keys_sorted"] = type.keys_sorted;
  if (!type.entries_metadata.empty()) out["entries_metadata"] = type.entries_metadata;
  if (!type.null_value_metadata.empty()) out["null_value_metadata"] = type.null_value_metadata;
  return out;
}

Json type_out(const model::DataType& type) {
  for (const NamedType& plain : kPlain) {
    if (plain.id == type.id) return Json(plain.name);
  }
  Json out;
  if (type.id == TypeId::kFixedBinary) {
    out["FixedBinary"]["byte_width"] = type.byte_width;
  } else if (type.id == TypeId::kTimestamp) {
    out["Timestamp"] = timestamp_out(type);
  } else if (type.id == TypeId::kDecimal) {
    out["Decimal"]["precision"] = type.precision;
    out["Decimal"]["scale"] = type.scale;
  } else if (type.id == TypeId::kStruct) {
    Json& fields = out["Struct"]["fields"] = Json::array();
    for (const model::Column& field : type.children) fields.push_back(column_out(field));
  } else if (type.id == TypeId::kList) {
    assert(!type.children.empty());
    out["List"]["elements"] = column_out(type.children[0]);
  } else if (type.id == TypeId::kMap) {
    out["Map"] = map_out(type);
  } else {
    out["Other"] = type.other_name;
  }
  return out;
}

Json column_out(const model::Column& column) {
  Json out;
  out["name"] = column.name;
  out["data_type"] = type_out(column.type);
  out["nullable"] = column.nullable;
  if (!column.metadata.empty()) out["metadata"] = column.metadata;
  return out;
}

// ---- in ----

Result<model::Column> column_in(Dialect dialect, json::Element element);

Result<model::DataType> timestamp_in(json::Element element) {
  std::array slots{json::Slot{"unit"}, json::Slot{"timezone"}};
  MARIGRAM_TRY(json::read_members(element, "type Timestamp", slots));
  MARIGRAM_ASSIGN(const auto unit, json::text(slots[0]));
  model::DataType type{.id = TypeId::kTimestamp};
  MARIGRAM_ASSIGN(type.timezone, json::optional_text(slots[1]));
  for (const NamedUnit& named : kUnits) {
    if (named.name != unit) continue;
    type.unit = named.unit;
    return type;
  }
  return json::bad(fmt::format("the unit of type Timestamp is wrong; got \"{}\", want Millis, Micros or Nanos", unit));
}

Result<model::DataType> decimal_in(json::Element element) {
  std::array slots{json::Slot{"precision"}, json::Slot{"scale"}};
  MARIGRAM_TRY(json::read_members(element, "type Decimal", slots));
  model::DataType type{.id = TypeId::kDecimal};
  MARIGRAM_ASSIGN(type.precision, json::i32(slots[0]));
  MARIGRAM_ASSIGN(type.scale, json::i32(slots[1]));
  return type;
}

Result<model::DataType> fixed_binary_in(json::Element element) {
  std::array slots{json::Slot{"byte_width"}};
  MARIGRAM_TRY(json::read_members(element, "type FixedBinary", slots));
  model::DataType type{.id = TypeId::kFixedBinary};
  MARIGRAM_ASSIGN(type.byte_width, json::i32(slots[0]));
  return type;
}

Result<model::DataType> struct_in(Dialect dialect, json::Element element) {
  std::array slots{json::Slot{"fields"}};
  MARIGRAM_TRY(json::read_members(element, "type Struct", slots));
  MARIGRAM_ASSIGN(const auto fields, json::array(slots[0]));
  model::DataType type{.id = TypeId::kStruct};
  for (const json::Element field : fields) {
    MARIGRAM_ASSIGN(model::Column column, column_in(dialect, field));
    type.children.push_back(std::move(column));
  }
  return type;
}

Result<model::DataType> list_in(Dialect dialect, json::Element element) {
  std::array slots{json::Slot{"elements"}};
  MARIGRAM_TRY(json::read_members(element, "type List", slots));
  MARIGRAM_ASSIGN(const auto elements, json::any(slots[0]));
  MARIGRAM_ASSIGN(model::Column column, column_in(dialect, elements));
  model::DataType type{.id = TypeId::kList};
  type.children.push_back(std::move(column));
  return type;
}

Result<model::DataType> map_in(Dialect dialect, json::Element element) {
  std::array slots{json::Slot{"key"}, json::Slot{"value"}, json::Slot{"keys_sorted"}, json::Slot{"entries_metadata"},
                   json::Slot{"null_value_metadata"}};
  MARIGRAM_TRY(json::read_members(element, "type Map", slots));
  model::DataType type{.id = TypeId::kMap};
  MARIGRAM_ASSIGN(const auto key, json::any(slots[0]));
  MARIGRAM_ASSIGN(model::Column key_column, column_in(dialect, key));
  type.children.push_back(std::move(key_column));
  if (json::given(slots[1])) {
    MARIGRAM_ASSIGN(model::Column value_column, column_in(dialect, *slots[1].value));
    type.children.push_back(std::move(value_column));
  }
  MARIGRAM_ASSIGN(type.keys_sorted, json::boolean(slots[2]));
  if (dialect == Dialect::kV1) return type;
  MARIGRAM_ASSIGN(type.entries_metadata, json::text_map(slots[3]));
  MARIGRAM_ASSIGN(type.null_value_metadata, json::text_map(slots[4]));
  return type;
}

std::unexpected<Error> unknown_type(json::Element element) {
  return json::bad(fmt::format("its type is not known; got {}", json::show(element)));
}

Result<model::DataType> type_in(Dialect dialect, json::Element element) {
  std::string_view name;
  if (element.get(name) == simdjson::SUCCESS) {
    for (const NamedType& plain : kPlain) {
      if (plain.name == name && !(dialect == Dialect::kV1 && plain.id == TypeId::kUInt64))
        return model::DataType{.id = plain.id};
    }
    return unknown_type(element);
  }
  const auto member = json::only_member(element);
  if (!member) return unknown_type(element);
  if (member->name == "FixedBinary") return fixed_binary_in(*member->value);
  if (member->name == "Timestamp") return timestamp_in(*member->value);
  if (member->name == "Decimal") return decimal_in(*member->value);
  if (member->name == "Struct") return struct_in(dialect, *member->value);
  if (member->name == "List") return list_in(dialect, *member->value);
  if (member->name == "Map") return map_in(dialect, *member->value);
  if (member->name != "Other") return unknown_type(element);
  MARIGRAM_ASSIGN(const auto other, json::text(*member));
  return model::DataType{.id = TypeId::kOther, .other_name = std::string(other)};
}

Result<model::Column> column_in(Dialect dialect, json::Element element) {
  std::array slots{json::Slot{"name"}, json::Slot{"data_type"}, json::Slot{"nullable"}, json::Slot{"metadata"}};
  MARIGRAM_TRY(json::read_members(element, "a column", slots));
  model::Column column;
  MARIGRAM_ASSIGN(const auto name, json::text(slots[0]));
  column.name = name;
  MARIGRAM_ASSIGN(const auto type, json::any(slots[1]));
  auto decoded = type_in(dialect, type);
  if (!decoded) return json::bad(fmt::format("column \"{}\": {}", name, decoded.error().message));
  column.type = std::move(*decoded);
  MARIGRAM_ASSIGN(column.nullable, json::boolean(slots[2]));
  if (dialect == Dialect::kV1) return column;
  MARIGRAM_ASSIGN(column.metadata, json::text_map(slots[3]));
  return column;
}

}  // namespace

Json schema_out(const model::Schema& schema) {
  Json out;
  Json& columns = out["columns"] = Json::array();
  for (const model::Column& column : schema.columns) columns.push_back(column_out(column));
  if (!schema.metadata.empty()) out["metadata"] = schema.metadata;
  return out;
}

Result<model::Schema> schema_in(Dialect dialect, json::Element element) {
  std::array slots{json::Slot{"columns"}, json::Slot{"metadata"}};
  MARIGRAM_TRY(json::read_members(element, "the schema", slots));
  MARIGRAM_ASSIGN(const auto columns, json::array(slots[0]));
  model::Schema schema;
  std::set<std::string, std::less<>> names;
  for (const json::Element item : columns) {
    MARIGRAM_ASSIGN(model::Column column, column_in(dialect, item));
    if (!names.insert(column.name).second) {
      return json::bad(fmt::format("the schema has column \"{}\" twice", column.name));
    }
    schema.columns.push_back(std::move(column));
  }
  if (dialect == Dialect::kV1) return schema;
  MARIGRAM_ASSIGN(schema.metadata, json::text_map(slots[1]));
  return schema;
}

}  // namespace marigram::log
