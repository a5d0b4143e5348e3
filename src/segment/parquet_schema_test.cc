// Without these tests a table's schema could come out otherwise than the reference implementation derives it from the
// same file, and the two could no longer share tables.
#include "segment/parquet_schema.h"

#include "model/schema.h"
#include "segment/test_rows.h"

#include <marigram/table.h>

#include <arrow/type.h>
#include <gtest/gtest.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <memory>
#include <string>
#include <vector>

namespace marigram::segment::testing {
namespace {

using parquet::LogicalType;
using parquet::Repetition;
using parquet::Type;
using parquet::schema::GroupNode;
using parquet::schema::NodePtr;
using parquet::schema::PrimitiveNode;

std::shared_ptr<parquet::FileMetaData> file_of(const std::vector<NodePtr>& columns) {
  parquet::SchemaDescriptor schema;
  schema.Init(GroupNode::Make("root", Repetition::REQUIRED, columns));
  auto builder = parquet::FileMetaDataBuilder::Make(&schema, parquet::default_writer_properties());
  const auto metadata = builder->Finish();
  const std::string bytes = metadata->SerializeToString();
  return parquet::FileMetaData::Make(bytes.data(), static_cast<std::int64_t>(bytes.size()));
}

NodePtr leaf(const std::string& name, Repetition::type repetition, const std::shared_ptr<const LogicalType>& logical,
             Type::type physical, int length = -1) {
  return PrimitiveNode::Make(name, repetition, logical, physical, length);
}

NodePtr group(const std::string& name, Repetition::type repetition, const std::vector<NodePtr>& fields,
              const std::shared_ptr<const LogicalType>& logical = nullptr) {
  return GroupNode::Make(name, repetition, fields, logical);
}

std::string describe(const NodePtr& node, Dialect dialect) {
  const model::Schema schema = value_of(schema_of(*file_of({node}), dialect, "cannot read x"));
  const model::Column& column = schema.columns.at(0);
  return model::format_type(column.type) + (column.nullable ? "?" : "");
}

TEST(ParquetSchema, LeavesMapAsInTheReference) {
  struct Case {
    std::shared_ptr<const LogicalType> logical;
    Type::type physical;
    std::string v1;
    std::string v7;
    int length = -1;
  };
  const auto none = LogicalType::None();
  const auto timestamp = [](auto unit) { return LogicalType::Timestamp(true, unit); };
  const Case cases[] = {
      {none, Type::BOOLEAN, "bool", "bool"},
      {none, Type::INT32, "int32", "int32"},
      {none, Type::INT64, "int64", "int64"},
      {none, Type::INT96, "int96", "int96"},
      {none, Type::FLOAT, "float32", "float32"},
      {none, Type::DOUBLE, "float64", "float64"},
      {none, Type::BYTE_ARRAY, "binary", "binary"},
      {none, Type::FIXED_LEN_BYTE_ARRAY, "fixed_binary[7]", "fixed_binary[7]", 7},
      {timestamp(LogicalType::TimeUnit::MILLIS), Type::INT64, "timestamp[ms]", "timestamp[ms]"},
      {timestamp(LogicalType::TimeUnit::NANOS), Type::INT64, "timestamp[ns]", "timestamp[ns]"},
      {LogicalType::Int(64, false), Type::INT64, "int64", "uint64"},
      {LogicalType::Int(64, true), Type::INT64, "int64", "int64"},
      {LogicalType::Int(16, false), Type::INT32, "int32", "int32"},
      {LogicalType::Date(), Type::INT32, "int32", "int32"},
      {LogicalType::String(), Type::BYTE_ARRAY, "string", "string"},
      {LogicalType::JSON(), Type::BYTE_ARRAY, "binary", "binary"},
      {LogicalType::Enum(), Type::BYTE_ARRAY, "parquet::Enum", "parquet::Enum"},
      {LogicalType::UUID(), Type::FIXED_LEN_BYTE_ARRAY, "fixed_binary[16]", "fixed_binary[16]", 16},
      {LogicalType::Decimal(9, 2), Type::INT32, "decimal(9,2)", "decimal(9,2)"},
  };
  for (const Case& c : cases) {
    const NodePtr node = leaf("x", Repetition::OPTIONAL, c.logical, c.physical, c.length);
    EXPECT_EQ(describe(node, Dialect::kV1), c.v1 + "?");
    EXPECT_EQ(describe(node, Dialect::kV7), c.v7 + "?");
  }
  EXPECT_EQ(describe(leaf("x", Repetition::REQUIRED, none, Type::INT64), Dialect::kV7), "int64");
}

TEST(ParquetSchema, NestedColumnsMapAsInTheReference) {
  const auto none = LogicalType::None();
  const auto number = [&](const std::string& name, Repetition::type repetition) {
    return leaf(name, repetition, none, Type::INT64);
  };
  const auto list = [](const NodePtr& repeated) {
    return group("x", Repetition::OPTIONAL, {repeated}, LogicalType::List());
  };
  EXPECT_EQ(
      describe(list(group("list", Repetition::REPEATED, {number("element", Repetition::OPTIONAL)})), Dialect::kV7),
      "list<int64>?");
  EXPECT_EQ(describe(list(number("element", Repetition::REPEATED)), Dialect::kV7), "list<int64>?");
  EXPECT_EQ(describe(number("x", Repetition::REPEATED), Dialect::kV7), "list<int64>");
  EXPECT_EQ(
      describe(group("x", Repetition::OPTIONAL, {number("a", Repetition::OPTIONAL), number("b", Repetition::REQUIRED)}),
               Dialect::kV1),
      "struct<a: int64, b: int64>?");
  const auto map = [&](const std::vector<NodePtr>& fields) {
    return group("x", Repetition::OPTIONAL, {group("key_value", Repetition::REPEATED, fields)}, LogicalType::Map());
  };
  EXPECT_EQ(describe(map({number("key", Repetition::REQUIRED), number("value", Repetition::OPTIONAL)}), Dialect::kV7),
            "map<int64, int64>?");
  EXPECT_EQ(describe(map({number("key", Repetition::REQUIRED)}), Dialect::kV7), "map<int64>?");
}

TEST(ParquetSchema, OnlyFlatLeavesAreReadAsStored) {
  const auto flat = [](const NodePtr& node) {
    const auto type = flat_type(*file_of({node})->schema()->Column(0));
    return type ? type->ToString() : "";
  };
  const auto none = LogicalType::None();
  EXPECT_EQ(flat(leaf("x", Repetition::OPTIONAL, none, Type::INT64)), "int64");
  EXPECT_EQ(flat(leaf("x", Repetition::REPEATED, none, Type::INT64)), "");
  EXPECT_EQ(flat(leaf("x", Repetition::OPTIONAL, none, Type::INT96)), "");
  EXPECT_EQ(flat(leaf("x", Repetition::OPTIONAL, LogicalType::Decimal(9, 2), Type::INT64)), "");
  EXPECT_EQ(flat(leaf("x.y", Repetition::OPTIONAL, LogicalType::String(), Type::BYTE_ARRAY)), "string");
  EXPECT_EQ(flat(group("x", Repetition::OPTIONAL, {leaf("y", Repetition::REQUIRED, none, Type::INT64)})), "");
}

}  // namespace
}  // namespace marigram::segment::testing
