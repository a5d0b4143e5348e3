#include "segment/parquet_schema.h"

#include "base/try.h"
#include "model/schema.h"
#include "segment/arrow_schema.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <parquet/arrow/schema.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/types.h>

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
using parquet::schema::GroupNode;
using parquet::schema::Node;
using parquet::schema::NodePtr;
using parquet::schema::PrimitiveNode;

constexpr const char* kArrowSchemaKey = "ARROW:schema";

DataType other(std::string name) {
  DataType type{.id = TypeId::kOther};
  type.other_name = std::move(name);
  return type;
}

const GroupNode& as_group(const Node& node) {
  return static_cast<const GroupNode&>(node);
}

std::optional<TimeUnit> unit_of(const parquet::LogicalType& type) {
  switch (static_cast<const parquet::TimestampLogicalType&>(type).time_unit()) {
    case parquet::LogicalType::TimeUnit::MILLIS:
      return TimeUnit::kMilli;
    case parquet::LogicalType::TimeUnit::MICROS:
      return TimeUnit::kMicro;
    case parquet::LogicalType::TimeUnit::NANOS:
      return TimeUnit::kNano;
    default:
      return std::nullopt;
  }
}

bool is_unsigned64(const parquet::LogicalType& type) {
  if (!type.is_int()) return false;
  const auto& integer = static_cast<const parquet::IntLogicalType&>(type);
  return integer.bit_width() == 64 && !integer.is_signed();
}

DataType physical_type(const PrimitiveNode& node) {
  switch (node.physical_type()) {
    case parquet::Type::BOOLEAN:
      return {.id = TypeId::kBool};
    case parquet::Type::INT32:
      return {.id = TypeId::kInt32};
    case parquet::Type::INT64:
      return {.id = TypeId::kInt64};
    case parquet::Type::INT96:
      return {.id = TypeId::kInt96};
    case parquet::Type::FLOAT:
      return {.id = TypeId::kFloat32};
    case parquet::Type::DOUBLE:
      return {.id = TypeId::kFloat64};
    case parquet::Type::BYTE_ARRAY:
      return {.id = TypeId::kBinary};
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      return {.id = TypeId::kFixedBinary, .byte_width = node.type_length()};
    default:
      return other("unknown");
  }
}

DataType primitive_type(const PrimitiveNode& node, Dialect dialect) {
  const auto& logical = *node.logical_type();
  if (logical.is_timestamp()) {
    if (const auto unit = unit_of(logical)) return {.id = TypeId::kTimestamp, .unit = *unit};
  }
  if (logical.is_string()) return {.id = TypeId::kUtf8};
  if (logical.is_enum()) return other("parquet::Enum");
  if (logical.is_decimal()) {
    const auto& decimal = static_cast<const parquet::DecimalLogicalType&>(logical);
    return {.id = TypeId::kDecimal, .precision = decimal.precision(), .scale = decimal.scale()};
  }
  if (dialect == Dialect::kV7 && is_unsigned64(logical)) return {.id = TypeId::kUInt64};
  return physical_type(node);
}

Column column_of(const Node& node, Dialect dialect);
DataType type_of(const Node& node, Dialect dialect);

/// LIST: a group with one repeated child; that child's only child is the element, or the child itself in old files.
DataType list_type(const GroupNode& node, Dialect dialect) {
  if (node.field_count() != 1 || !node.field(0)->is_repeated()) return other("parquet::List");
  const Node& repeated = *node.field(0);
  Column element{.name = "element", .nullable = false};
  if (repeated.is_group() && as_group(repeated).field_count() == 1) {
    const Node& inner = *as_group(repeated).field(0);
    element.type = type_of(inner, dialect);
    element.nullable = inner.is_optional();
  } else {
    element.type = type_of(repeated, dialect);
  }
  DataType type{.id = TypeId::kList};
  type.children.push_back(std::move(element));
  return type;
}

DataType map_type(const GroupNode& node, Dialect dialect) {
  const bool well_formed = node.field_count() == 1 && node.field(0)->is_repeated() && node.field(0)->is_group();
  if (!well_formed) return other("parquet::Map");
  const GroupNode& entries = as_group(*node.field(0));
  if (entries.field_count() < 1 || entries.field_count() > 2 || !entries.field(0)->is_required()) {
    return other("parquet::Map");
  }
  DataType type{.id = TypeId::kMap};
  for (int i = 0; i < entries.field_count(); ++i) {
    const Node& field = *entries.field(i);
    type.children.push_back(
        {.name = i == 0 ? "key" : "value", .type = type_of(field, dialect), .nullable = field.is_optional()});
  }
  return type;
}

DataType type_of(const Node& node, Dialect dialect) {
  if (node.is_primitive()) return primitive_type(static_cast<const PrimitiveNode&>(node), dialect);
  const GroupNode& group = as_group(node);
  if (group.logical_type()->is_list()) return list_type(group, dialect);
  if (group.logical_type()->is_map()) return map_type(group, dialect);
  DataType type{.id = TypeId::kStruct};
  for (int i = 0; i < group.field_count(); ++i) type.children.push_back(column_of(*group.field(i), dialect));
  return type;
}

Column column_of(const Node& node, Dialect dialect) {
  if (!node.is_repeated()) return {.name = node.name(), .type = type_of(node, dialect), .nullable = node.is_optional()};
  // A repeated field without a LIST around it is a list of required elements.
  DataType list{.id = TypeId::kList};
  list.children.push_back({.name = "element", .type = type_of(node, dialect), .nullable = false});
  return {.name = node.name(), .type = std::move(list), .nullable = false};
}

model::Schema from_parquet_types(const parquet::SchemaDescriptor& descriptor, Dialect dialect) {
  model::Schema schema;
  const GroupNode& root = *descriptor.group_node();
  for (int i = 0; i < root.field_count(); ++i) schema.columns.push_back(column_of(*root.field(i), dialect));
  return schema;
}

model::Schema from_arrow_types(const arrow::Schema& arrow_schema) {
  model::Schema schema;
  for (const auto& field : arrow_schema.fields()) {
    auto column = from_arrow_field(*field);
    if (column) {
      schema.columns.push_back(*std::move(column));
    } else {
      schema.columns.push_back(
          {.name = field->name(), .type = other(field->type()->ToString()), .nullable = field->nullable()});
    }
  }
  if (const auto& metadata = arrow_schema.metadata()) {
    for (int64_t i = 0; i < metadata->size(); ++i) schema.metadata.emplace(metadata->key(i), metadata->value(i));
  }
  return schema;
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> arrow_schema_of(const parquet::FileMetaData& metadata,
                                                       const std::string& doing) {
  std::shared_ptr<arrow::Schema> schema;
  const auto status = parquet::arrow::FromParquetSchema(metadata.schema(), parquet::default_arrow_reader_properties(),
                                                        metadata.key_value_metadata(), &schema);
  if (!status.ok()) return std::unexpected(from_arrow_status(status, doing, true));
  return schema;
}

Result<model::Schema> schema_of(const parquet::FileMetaData& metadata, Dialect dialect, const std::string& doing) {
  const auto& annotations = metadata.key_value_metadata();
  if (dialect == Dialect::kV7 && annotations != nullptr && annotations->Contains(kArrowSchemaKey)) {
    MARIGRAM_ASSIGN(const auto arrow_schema, arrow_schema_of(metadata, doing));
    return from_arrow_types(*arrow_schema);
  }
  return from_parquet_types(*metadata.schema(), dialect);
}

std::shared_ptr<arrow::DataType> flat_type(const parquet::ColumnDescriptor& leaf) {
  if (leaf.max_repetition_level() != 0 || leaf.max_definition_level() > 1 || leaf.path()->ToDotVector().size() != 1) {
    return nullptr;
  }
  const auto& logical = *leaf.logical_type();
  if (logical.is_decimal()) return nullptr;
  switch (leaf.physical_type()) {
    case parquet::Type::BOOLEAN:
      return arrow::boolean();
    case parquet::Type::INT32:
      return arrow::int32();
    case parquet::Type::FLOAT:
      return arrow::float32();
    case parquet::Type::DOUBLE:
      return arrow::float64();
    case parquet::Type::INT64: {
      if (is_unsigned64(logical)) return arrow::uint64();
      const auto unit = logical.is_timestamp() ? unit_of(logical) : std::nullopt;
      if (!unit) return arrow::int64();
      if (*unit == TimeUnit::kMilli) return arrow::timestamp(arrow::TimeUnit::MILLI);
      return arrow::timestamp(*unit == TimeUnit::kMicro ? arrow::TimeUnit::MICRO : arrow::TimeUnit::NANO);
    }
    case parquet::Type::BYTE_ARRAY:
      return logical.is_string() || logical.is_enum() || logical.is_JSON() ? arrow::utf8() : arrow::binary();
    case parquet::Type::FIXED_LEN_BYTE_ARRAY:
      return leaf.type_length() > 0 ? arrow::fixed_size_binary(leaf.type_length()) : nullptr;
    default:
      return nullptr;
  }
}

}  // namespace marigram::segment
