// Schemas come from users and from files; one that cannot be stored must be refused before anything is written.
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marigram::model {
namespace {

using testing::HasSubstr;

Column column(std::string name, DataType type, bool nullable = true) {
  return {.name = std::move(name), .type = std::move(type), .nullable = nullable, .metadata = {}};
}

DataType simple(TypeId id) {
  return {.id = id};
}

DataType nested(TypeId id, std::vector<Column> children) {
  return {.id = id, .children = std::move(children)};
}

const DataType kInt = simple(TypeId::kInt64);

TEST(Schema, FindsColumnsByName) {
  const Schema schema{.columns = {column("a", kInt), column("b", simple(TypeId::kBool))}, .metadata = {}};
  ASSERT_NE(schema.find("b"), nullptr);
  EXPECT_EQ(schema.find("b")->type.id, TypeId::kBool);
  EXPECT_EQ(schema.find("B"), nullptr);
  EXPECT_EQ(schema.find(""), nullptr);
}

TEST(Schema, SeesAnnotationsAnywhere) {
  const Metadata note = {{"unit", "m"}};
  Schema plain{.columns = {column("a", nested(TypeId::kList, {column("item", kInt)}))}, .metadata = {}};
  EXPECT_FALSE(plain.has_metadata());
  Schema on_schema = plain;
  on_schema.metadata = note;
  EXPECT_TRUE(on_schema.has_metadata());
  Schema on_column = plain;
  on_column.columns[0].metadata = note;
  EXPECT_TRUE(on_column.has_metadata());
  Schema deep = plain;
  deep.columns[0].type.children[0].metadata = note;
  EXPECT_TRUE(deep.has_metadata());
  Schema on_map = plain;
  on_map.columns[0].type = nested(TypeId::kMap, {column("key", kInt, false)});
  on_map.columns[0].type.null_value_metadata = note;
  EXPECT_TRUE(on_map.has_metadata());
}

TEST(Schema, ColumnsAsUsersGiveThem) {
  const auto parsed = from_info({.name = "price", .type = "double", .nullable = false});
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(*parsed == column("price", simple(TypeId::kFloat64), false));
  EXPECT_EQ(to_info(*parsed).type, "float64");
  EXPECT_EQ(to_info(*parsed).name, "price");
  EXPECT_FALSE(to_info(*parsed).nullable);
  const auto wrong = from_info({.name = "price", .type = "money", .nullable = true});
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, HasSubstr("column `price`"));
  EXPECT_THAT(wrong.error().message, HasSubstr("got `money`"));
}

TEST(Schema, AcceptsWhatCanBeStored) {
  const Schema schema{
      .columns = {column("a", kInt), column("A", kInt), column("", kInt),
                  column("s", nested(TypeId::kStruct,
                                     {column("a", kInt), column("b", nested(TypeId::kList, {column("item", kInt)}))})),
                  column("m", nested(TypeId::kMap, {column("key", kInt, false), column("value", kInt)})),
                  column("set", nested(TypeId::kMap, {column("key", kInt, false)})),
                  column("d", {.id = TypeId::kDecimal, .precision = 76, .scale = 0})},
      .metadata = {}};
  Schema named = schema;
  named.columns[2].name = "unicode \xc3\xa9 and blanks";
  EXPECT_TRUE(validate_schema(named)) << validate_schema(named).error().message;
  EXPECT_FALSE(validate_schema(schema));  // the one without a name
  EXPECT_TRUE(validate_schema({}));
}

TEST(Schema, RefusesWhatCannot) {
  DataType map_with_both = nested(TypeId::kMap, {column("key", kInt, false), column("value", kInt)});
  map_with_both.null_value_metadata = {{"a", "b"}};
  const std::vector<std::pair<std::vector<Column>, std::string>> wrong = {
      {{column("a", kInt), column("a", kInt)}, "column `a` appears twice"},
      {{column(" \t", kInt)}, "has no name"},
      {{column(std::string("a\0b", 3), kInt)}, "NUL"},
      {{column("a", simple(TypeId::kInt96))},
       "column `a` has a type that no table can store, want bool, int32, int64, uint64, float32, float64, string, "
       "binary, fixed_binary, timestamp, decimal, struct, list or map; got int96"},
      {{column("a", {.id = TypeId::kOther, .other_name = "date32"})}, "got date32"},
      {{column("a", {.id = TypeId::kTimestamp, .unit = TimeUnit::kSecond})}, "want ms, us or ns; got timestamp[s]"},
      {{column("a", {.id = TypeId::kFixedBinary, .byte_width = 0})}, "at least 1 byte; got fixed_binary[0]"},
      {{column("a", {.id = TypeId::kDecimal, .precision = 0, .scale = 0})}, "got decimal(0,0)"},
      {{column("a", {.id = TypeId::kDecimal, .precision = 77, .scale = 0})}, "got decimal(77,0)"},
      {{column("a", {.id = TypeId::kDecimal, .precision = 5, .scale = 6})}, "got decimal(5,6)"},
      {{column("a", {.id = TypeId::kDecimal, .precision = 5, .scale = -1})}, "got decimal(5,-1)"},
      {{column("a", nested(TypeId::kStruct, {}))}, "column `a` is a struct without fields"},
      {{column("a", nested(TypeId::kStruct, {column("x", kInt), column("x", kInt)}))}, "column `a.x` appears twice"},
      {{column("a", nested(TypeId::kStruct, {column("", kInt)}))}, "a field of column `a` has no name"},
      {{column("a", nested(TypeId::kStruct, {column("x", simple(TypeId::kInt96))}))}, "column `a.x`"},
      {{column("a", nested(TypeId::kList, {}))}, "column `a` is a list"},
      {{column("a", nested(TypeId::kList, {column("x", kInt), column("y", kInt)}))}, "column `a` is a list"},
      {{column("a", nested(TypeId::kMap, {}))}, "column `a` is a map"},
      {{column("a", nested(TypeId::kMap, {column("key", kInt, true)}))}, "nullable keys"},
      {{column("a", nested(TypeId::kMap, {column("key", simple(TypeId::kInt96), false)}))}, "column `a.key`"},
      {{column("a", nested(TypeId::kMap, {column("key", kInt, false), column("v", simple(TypeId::kInt96))}))},
       "column `a.value`"},
      {{column("a", map_with_both)}, "annotations for an absent value"},
  };
  for (const auto& [columns, message] : wrong) {
    const Status status = validate_schema({.columns = columns, .metadata = {}});
    ASSERT_FALSE(status) << message;
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(status.error().message, HasSubstr(message));
  }
}

TEST(Schema, NestingHasAnEnd) {
  DataType type = kInt;
  for (int depth = 0; depth < 60; ++depth) type = nested(TypeId::kList, {column("item", type)});
  EXPECT_TRUE(validate_schema({.columns = {column("a", type)}, .metadata = {}}));
  for (int depth = 0; depth < 10; ++depth) type = nested(TypeId::kList, {column("item", type)});
  const Status status = validate_schema({.columns = {column("a", type)}, .metadata = {}});
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, HasSubstr("column `a` is nested too deeply"));
}

}  // namespace
}  // namespace marigram::model
