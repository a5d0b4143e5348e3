#include "segment/arrow_schema.h"

#include "base/try.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using model::Column;
using model::DataType;
using model::TypeId;

// Schemas come from callers and from files: nesting deeper than this is refused before it can exhaust the stack.
constexpr int kDepthMax = 64;

using FieldPtr = std::shared_ptr<arrow::Field>;
using TypePtr = std::shared_ptr<arrow::DataType>;

std::unexpected<Error> cannot_store(const DataType& type, const char* cause) {
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot store type {}: {}", model::format_type(type), cause));
}

std::shared_ptr<const arrow::KeyValueMetadata> metadata_to_arrow(const model::Metadata& metadata) {
  if (metadata.empty()) return nullptr;
  auto result = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : metadata) result->Append(key, value);
  return result;
}

model::Metadata metadata_from_arrow(const std::shared_ptr<const arrow::KeyValueMetadata>& metadata) {
  model::Metadata result;
  if (metadata == nullptr) return result;
  for (int64_t i = 0; i < metadata->size(); ++i) result.emplace(metadata->key(i), metadata->value(i));
  return result;
}

Result<TypePtr> type_to_arrow(const DataType& type, int depth);

Result<FieldPtr> field_to_arrow(const Column& column, int depth) {
  MARIGRAM_ASSIGN(TypePtr type, type_to_arrow(column.type, depth));
  return arrow::field(column.name, std::move(type), column.nullable, metadata_to_arrow(column.metadata));
}

Result<TypePtr> timestamp_to_arrow(const DataType& type) {
  const std::string zone = type.timezone.value_or("");
  switch (type.unit) {
    case TimeUnit::kSecond:
      return cannot_store(type, "Parquet has no timestamps in seconds; want ms, us or ns");
    case TimeUnit::kMilli:
      return arrow::timestamp(arrow::TimeUnit::MILLI, zone);
    case TimeUnit::kMicro:
      return arrow::timestamp(arrow::TimeUnit::MICRO, zone);
    case TimeUnit::kNano:
      return arrow::timestamp(arrow::TimeUnit::NANO, zone);
  }
  return cannot_store(type, "unknown unit");
}

Result<TypePtr> decimal_to_arrow(const DataType& type) {
  if (type.precision < 1 || type.precision > 76 || type.scale < 0 || type.scale > type.precision) {
    return cannot_store(type, "want a precision in 1..76 and a scale in 0..precision");
  }
  auto decimal = type.precision <= 38 ? arrow::Decimal128Type::Make(type.precision, type.scale)
                                      : arrow::Decimal256Type::Make(type.precision, type.scale);
  if (!decimal.ok()) return std::unexpected(from_arrow_status(decimal.status(), "cannot store a decimal", false));
  return *std::move(decimal);
}

Result<TypePtr> struct_to_arrow(const DataType& type, int depth) {
  std::vector<FieldPtr> fields;
  for (const Column& child : type.children) {
    MARIGRAM_ASSIGN(FieldPtr field, field_to_arrow(child, depth));
    fields.push_back(std::move(field));
  }
  if (fields.empty()) return cannot_store(type, "a struct needs a field");
  return arrow::struct_(fields);
}

/// A map without values is a map to nulls. Arrow's canonical names are "entries", "key" and "value".
Result<TypePtr> map_to_arrow(const DataType& type, int depth) {
  if (type.children.empty() || type.children.size() > 2)
    return cannot_store(type, "a map needs a key and at most one value");
  MARIGRAM_ASSIGN(TypePtr key, type_to_arrow(type.children[0].type, depth));
  FieldPtr value = arrow::field("value", arrow::null(), true, metadata_to_arrow(type.null_value_metadata));
  if (type.children.size() == 2) {
    MARIGRAM_ASSIGN(TypePtr value_type, type_to_arrow(type.children[1].type, depth));
    value = arrow::field("value", std::move(value_type), type.children[1].nullable,
                         metadata_to_arrow(type.children[1].metadata));
  }
  const FieldPtr key_field = arrow::field("key", std::move(key), false, metadata_to_arrow(type.children[0].metadata));
  const FieldPtr entries =
      arrow::field("entries", arrow::struct_({key_field, value}), false, metadata_to_arrow(type.entries_metadata));
  auto map = arrow::MapType::Make(entries, type.keys_sorted);
  if (!map.ok()) return std::unexpected(from_arrow_status(map.status(), "cannot store a map", false));
  return *std::move(map);
}

Result<TypePtr> type_to_arrow(const DataType& type, int depth) {
  if (depth > kDepthMax) return cannot_store(type, "it is nested too deeply");
  switch (type.id) {
    case TypeId::kBool:
      return arrow::boolean();
    case TypeId::kInt32:
      return arrow::int32();
    case TypeId::kInt64:
      return arrow::int64();
    case TypeId::kUInt64:
      return arrow::uint64();
    case TypeId::kFloat32:
      return arrow::float32();
    case TypeId::kFloat64:
      return arrow::float64();
    case TypeId::kBinary:
      return arrow::binary();
    case TypeId::kUtf8:
      return arrow::utf8();
    case TypeId::kFixedBinary:
      if (type.byte_width < 1) return cannot_store(type, "want a width of at least 1 byte");
      return arrow::fixed_size_binary(type.byte_width);
    case TypeId::kTimestamp:
      return timestamp_to_arrow(type);
    case TypeId::kDecimal:
      return decimal_to_arrow(type);
    case TypeId::kStruct:
      return struct_to_arrow(type, depth + 1);
    case TypeId::kList: {
      if (type.children.size() != 1) return cannot_store(type, "a list needs one element type");
      MARIGRAM_ASSIGN(FieldPtr element, field_to_arrow(type.children.front(), depth + 1));
      return arrow::list(std::move(element));
    }
    case TypeId::kMap:
      return map_to_arrow(type, depth + 1);
    case TypeId::kInt96:
    case TypeId::kOther:
      return cannot_store(type, "no table can hold it");
  }
  return cannot_store(type, "unknown type");
}

std::unexpected<Error> cannot_hold(const std::string& path, const arrow::DataType& type) {
  return fail(ErrorCode::kSchemaMismatch,
              fmt::format("cannot use column {}: no table can hold its type; got {}, want {}", path, type.ToString(),
                          "bool, int32, int64, uint64, float32, float64, string, binary, "
                          "timestamp in ms, us or ns, decimal, struct, list or map"));
}

Result<DataType> type_from_arrow(const arrow::DataType& type, const std::string& path, int depth);

Result<Column> column_from_arrow(const arrow::Field& field, const std::string& path, int depth) {
  MARIGRAM_ASSIGN(DataType type, type_from_arrow(*field.type(), path, depth));
  return Column{.name = field.name(),
                .type = std::move(type),
                .nullable = field.nullable(),
                .metadata = metadata_from_arrow(field.metadata())};
}

Result<DataType> timestamp_from_arrow(const arrow::DataType& type, const std::string& path) {
  const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
  DataType result{.id = TypeId::kTimestamp};
  switch (timestamp.unit()) {
    case arrow::TimeUnit::SECOND:
      return cannot_hold(path, type);
    case arrow::TimeUnit::MILLI:
      result.unit = TimeUnit::kMilli;
      break;
    case arrow::TimeUnit::MICRO:
      result.unit = TimeUnit::kMicro;
      break;
    case arrow::TimeUnit::NANO:
      result.unit = TimeUnit::kNano;
      break;
  }
  if (!timestamp.timezone().empty()) result.timezone = timestamp.timezone();
  return result;
}

Result<DataType> decimal_from_arrow(const arrow::DataType& type, const std::string& path) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(type);
  const bool narrow = type.id() == arrow::Type::DECIMAL128;
  if (decimal.scale() < 0 || decimal.scale() > decimal.precision() || (decimal.precision() <= 38) != narrow) {
    return cannot_hold(path, type);
  }
  return DataType{.id = TypeId::kDecimal, .precision = decimal.precision(), .scale = decimal.scale()};
}

Result<DataType> children_from_arrow(TypeId id, const arrow::DataType& type, const std::string& path, int depth) {
  DataType result{.id = id};
  for (const FieldPtr& field : type.fields()) {
    MARIGRAM_ASSIGN(Column child, column_from_arrow(*field, fmt::format("{}.{}", path, field->name()), depth));
    result.children.push_back(std::move(child));
  }
  if (result.children.empty()) return cannot_hold(path, type);
  return result;
}

Result<DataType> map_from_arrow(const arrow::DataType& type, const std::string& path, int depth) {
  const auto& map = static_cast<const arrow::MapType&>(type);
  DataType result{.id = TypeId::kMap};
  result.keys_sorted = map.keys_sorted();
  result.entries_metadata = metadata_from_arrow(map.value_field()->metadata());
  MARIGRAM_ASSIGN(Column key, column_from_arrow(*map.key_field(), path + ".key", depth));
  result.children.push_back(std::move(key));
  if (map.item_type()->id() == arrow::Type::NA) {
    result.null_value_metadata = metadata_from_arrow(map.item_field()->metadata());
    return result;
  }
  MARIGRAM_ASSIGN(Column value, column_from_arrow(*map.item_field(), path + ".value", depth));
  result.children.push_back(std::move(value));
  return result;
}

Result<DataType> type_from_arrow(const arrow::DataType& type, const std::string& path, int depth) {
  if (depth > kDepthMax) return cannot_hold(path, type);
  switch (type.id()) {
    case arrow::Type::BOOL:
      return DataType{.id = TypeId::kBool};
    case arrow::Type::INT32:
      return DataType{.id = TypeId::kInt32};
    case arrow::Type::INT64:
      return DataType{.id = TypeId::kInt64};
    case arrow::Type::UINT64:
      return DataType{.id = TypeId::kUInt64};
    case arrow::Type::FLOAT:
      return DataType{.id = TypeId::kFloat32};
    case arrow::Type::DOUBLE:
      return DataType{.id = TypeId::kFloat64};
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return DataType{.id = TypeId::kUtf8};
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
      return DataType{.id = TypeId::kBinary};
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32: {
      DataType other{.id = TypeId::kOther};
      other.other_name = type.ToString();
      return other;
    }
    case arrow::Type::FIXED_SIZE_BINARY: {
      const int width = static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width();
      if (width < 1) return cannot_hold(path, type);
      return DataType{.id = TypeId::kFixedBinary, .byte_width = width};
    }
    case arrow::Type::TIMESTAMP:
      return timestamp_from_arrow(type, path);
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256:
      return decimal_from_arrow(type, path);
    case arrow::Type::STRUCT:
      return children_from_arrow(TypeId::kStruct, type, path, depth + 1);
    case arrow::Type::LIST:
      return children_from_arrow(TypeId::kList, type, path, depth + 1);
    case arrow::Type::MAP:
      return map_from_arrow(type, path, depth + 1);
    case arrow::Type::DICTIONARY:
      return type_from_arrow(*static_cast<const arrow::DictionaryType&>(type).value_type(), path, depth + 1);
    default:
      return cannot_hold(path, type);
  }
}

}  // namespace

Result<std::shared_ptr<arrow::DataType>> to_arrow_type(const model::DataType& type) {
  return type_to_arrow(type, 0);
}

Result<std::shared_ptr<arrow::Schema>> to_arrow(const model::Schema& schema) {
  std::vector<FieldPtr> fields;
  for (const Column& column : schema.columns) {
    auto field = field_to_arrow(column, 0);
    if (!field) {
      return fail(field.error().code, fmt::format("cannot use column {}: {}", column.name, field.error().message));
    }
    fields.push_back(*std::move(field));
  }
  return arrow::schema(std::move(fields), metadata_to_arrow(schema.metadata));
}

Result<model::Column> from_arrow_field(const arrow::Field& field) {
  return column_from_arrow(field, field.name(), 0);
}

Result<model::Schema> from_arrow(const arrow::Schema& schema) {
  model::Schema result;
  for (const FieldPtr& field : schema.fields()) {
    MARIGRAM_ASSIGN(Column column, from_arrow_field(*field));
    result.columns.push_back(std::move(column));
  }
  result.metadata = metadata_from_arrow(schema.metadata());
  return result;
}

}  // namespace marigram::segment
