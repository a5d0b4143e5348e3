// The spelling of types is what users type and what messages say; the rule of widening decides which appends lose
// nothing.
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marigram::model {
namespace {

using testing::HasSubstr;

DataType simple(TypeId id) {
  return {.id = id};
}

DataType timestamp(TimeUnit unit, std::optional<std::string> zone = {}) {
  return {.id = TypeId::kTimestamp, .unit = unit, .timezone = std::move(zone)};
}

DataType decimal(int precision, int scale) {
  return {.id = TypeId::kDecimal, .precision = precision, .scale = scale};
}

DataType other(std::string name) {
  return {.id = TypeId::kOther, .other_name = std::move(name)};
}

DataType nested(TypeId id, std::vector<Column> children) {
  return {.id = id, .children = std::move(children)};
}

Column column(std::string name, DataType type, bool nullable = true) {
  return {.name = std::move(name), .type = std::move(type), .nullable = nullable, .metadata = {}};
}

/// All types that can be spelt, as they are written.
std::vector<std::pair<std::string, DataType>> spelt() {
  return {{"bool", simple(TypeId::kBool)},
          {"int32", simple(TypeId::kInt32)},
          {"int64", simple(TypeId::kInt64)},
          {"uint64", simple(TypeId::kUInt64)},
          {"float32", simple(TypeId::kFloat32)},
          {"float64", simple(TypeId::kFloat64)},
          {"string", simple(TypeId::kUtf8)},
          {"binary", simple(TypeId::kBinary)},
          {"fixed_binary[16]", {.id = TypeId::kFixedBinary, .byte_width = 16}},
          {"timestamp[ms]", timestamp(TimeUnit::kMilli)},
          {"timestamp[us]", timestamp(TimeUnit::kMicro)},
          {"timestamp[ns]", timestamp(TimeUnit::kNano)},
          {"timestamp[us,UTC]", timestamp(TimeUnit::kMicro, "UTC")},
          {"timestamp[ns,America/New_York]", timestamp(TimeUnit::kNano, "America/New_York")},
          {"decimal(10,2)", decimal(10, 2)},
          {"decimal(76,76)", decimal(76, 76)}};
}

TEST(DataType, PrintsAndParsesBack) {
  for (const auto& [text, type] : spelt()) {
    EXPECT_EQ(format_type(type), text);
    const auto parsed = parse_type(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_TRUE(*parsed == type) << text;
  }
}

TEST(DataType, OtherSpellings) {
  const std::vector<std::pair<std::string, std::string>> same = {
      {"double", "float64"},
      {"float", "float32"},
      {"int", "int32"},
      {"long", "int64"},
      {"text", "string"},
      {"utf8", "string"},
      {"boolean", "bool"},
      {"BOOL", "bool"},
      {" Float64 ", "float64"},
      {"TIMESTAMP[US]", "timestamp[us]"},
      {"timestamp[us, Europe/Paris]", "timestamp[us,Europe/Paris]"},
      {"decimal( 10 , 2 )", "decimal(10,2)"},
      {"decimal[10,2]", "decimal(10,2)"},
      {"timestamp(ns)", "timestamp[ns]"}};
  for (const auto& [text, canonical] : same) {
    const auto parsed = parse_type(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(format_type(*parsed), canonical);
  }
}

TEST(DataType, RefusedSpellingsNameTheTextAndTheChoice) {
  for (const std::string text : {"",
                                 " ",
                                 "int8",
                                 "int96",
                                 "strings",
                                 "float 64",
                                 "timestamp",
                                 "timestamp[]",
                                 "timestamp[s]",
                                 "timestamp[h]",
                                 "timestamp[us,]",
                                 "timestamp[us,UTC,x]",
                                 "timestamp[us",
                                 "timestamp[us)",
                                 "timestamp us]",
                                 "decimal",
                                 "decimal(10)",
                                 "decimal(0,0)",
                                 "decimal(77,0)",
                                 "decimal(10,11)",
                                 "decimal(10,-1)",
                                 "decimal(10,2,3)",
                                 "decimal(99999999999,1)",
                                 "decimal(1x,1)",
                                 "fixed_binary",
                                 "fixed_binary[0]",
                                 "fixed_binary[-1]",
                                 "fixed_binary[x]",
                                 "fixed_binary[1,2]",
                                 "int64[5]",
                                 "list<int64>",
                                 "struct<a: int64>",
                                 "[",
                                 "]",
                                 "[]"}) {
    const auto parsed = parse_type(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(parsed.error().message, HasSubstr("got `" + text + "`, want bool, int32"));
  }
}

TEST(DataType, NestedAndForeignTypesPrint) {
  EXPECT_EQ(format_type(nested(TypeId::kList, {column("item", simple(TypeId::kFloat64))})), "list<float64>");
  EXPECT_EQ(format_type(nested(TypeId::kStruct, {column("a", simple(TypeId::kInt64)), column("b", decimal(3, 1))})),
            "struct<a: int64, b: decimal(3,1)>");
  EXPECT_EQ(format_type(nested(TypeId::kMap,
                               {column("key", simple(TypeId::kUtf8), false), column("value", simple(TypeId::kBool))})),
            "map<string, bool>");
  EXPECT_EQ(format_type(nested(TypeId::kMap, {column("key", simple(TypeId::kUtf8), false)})), "map<string>");
  EXPECT_EQ(format_type(simple(TypeId::kInt96)), "int96");
  EXPECT_EQ(format_type(other("interval")), "interval");
}

TEST(DataType, WideningIsExactlyTheAllowedList) {
  std::vector<DataType> all;
  for (const auto& [text, type] : spelt()) all.push_back(type);
  for (const char* name : {"int8", "int16", "uint8", "uint16", "uint32", "float16", "date32"})
    all.push_back(other(name));
  const std::vector<std::pair<std::string, std::string>> allowed = {
      {"int8", "int32"},   {"int8", "int64"},    {"int16", "int32"},   {"int16", "int64"},    {"int32", "int64"},
      {"uint8", "uint64"}, {"uint16", "uint64"}, {"uint32", "uint64"}, {"float32", "float64"}};
  for (const DataType& from : all) {
    for (const DataType& to : all) {
      const std::pair pair(format_type(from), format_type(to));
      const bool want = pair.first == pair.second || std::ranges::find(allowed, pair) != allowed.end();
      EXPECT_EQ(can_widen(from, to), want) << pair.first << " to " << pair.second;
    }
  }
}

TEST(DataType, NestedTypesWidenOnlyByAnnotations) {
  Column element = column("item", simple(TypeId::kInt32));
  const DataType list = nested(TypeId::kList, {element});
  element.metadata = {{"unit", "m"}};
  EXPECT_TRUE(can_widen(nested(TypeId::kList, {element}), list));
  element.name = "element";  // Parquet's word for what Arrow calls item
  EXPECT_TRUE(can_widen(nested(TypeId::kList, {element}), list));
  element = column("item", simple(TypeId::kInt32), false);
  EXPECT_FALSE(can_widen(nested(TypeId::kList, {element}), list));
  EXPECT_FALSE(can_widen(list, nested(TypeId::kList, {column("item", simple(TypeId::kInt64))})));
  EXPECT_FALSE(can_widen(nested(TypeId::kStruct, {element}), nested(TypeId::kStruct, {element, element})));
  EXPECT_FALSE(can_widen(nested(TypeId::kStruct, {column("a", simple(TypeId::kInt32))}),
                         nested(TypeId::kStruct, {column("b", simple(TypeId::kInt32))})));

  DataType map =
      nested(TypeId::kMap, {column("key", simple(TypeId::kUtf8), false), column("value", simple(TypeId::kInt64))});
  DataType renamed = map;
  renamed.children[0].name = "k";  // Arrow knows the parts of a map by place
  renamed.entries_metadata = {{"a", "b"}};
  EXPECT_TRUE(can_widen(renamed, map));
  renamed.keys_sorted = true;
  EXPECT_FALSE(can_widen(renamed, map));
  map.children.pop_back();
  EXPECT_FALSE(can_widen(renamed, map));
}

TEST(DataType, SameValuesLooksPastNamesThatProgramsChooseAndZones) {
  const auto list_of = [](std::string name, DataType type, bool nullable = true) {
    return nested(TypeId::kList, {column(std::move(name), std::move(type), nullable)});
  };
  const DataType time = timestamp(TimeUnit::kMicro);
  const DataType zoned = timestamp(TimeUnit::kMicro, "Europe/Paris");
  EXPECT_TRUE(same_values(time, zoned));
  EXPECT_FALSE(same_values(time, timestamp(TimeUnit::kNano)));
  EXPECT_TRUE(same_values(list_of("item", time), list_of("element", zoned)));
  EXPECT_FALSE(can_widen(list_of("item", time), list_of("item", zoned)));
  EXPECT_FALSE(same_values(list_of("item", time), list_of("item", time, false)));
  EXPECT_TRUE(same_values(list_of("item", list_of("item", time)), list_of("element", list_of("array", time))));
  EXPECT_FALSE(same_values(nested(TypeId::kStruct, {column("a", list_of("item", time))}),
                           nested(TypeId::kStruct, {column("b", list_of("item", time))})));

  std::vector<DataType> all;
  for (const auto& [text, type] : spelt()) all.push_back(type);
  for (const DataType& a : all) {
    for (const DataType& b : all) {
      const bool times = a.id == TypeId::kTimestamp && b.id == TypeId::kTimestamp && a.unit == b.unit;
      EXPECT_EQ(same_values(a, b), a == b || times) << format_type(a) << " and " << format_type(b);
      EXPECT_EQ(same_values(list_of("item", a), list_of("element", b)), same_values(a, b));
    }
  }
}

}  // namespace
}  // namespace marigram::model
