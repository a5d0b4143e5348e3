// Without these tests a column's type could change on its way through a file, and errors could lose their code in
// Arrow.
#include "segment/arrow_schema.h"

#include "model/schema.h"
#include "segment/test_rows.h"

#include <marigram/error.h>

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/exception.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <variant>

namespace marigram::segment::testing {
namespace {

using model::DataType;
using model::TypeId;

TEST(ArrowSchema, RandomSchemasComeBackAsTheyWere) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    model::Schema schema = random_rows(random, 0, true).schema;
    schema.metadata = {{"a", "1"}, {"b", ""}};
    for (model::Column& column : schema.columns) column.metadata = {{"name", column.name}};
    const auto arrow_schema = value_of(to_arrow(schema));
    EXPECT_EQ(value_of(from_arrow(*arrow_schema)), schema) << arrow_schema->ToString();
  }
}

TEST(ArrowSchema, TypesMapToArrowsOwn) {
  const auto name_of = [](const DataType& type) { return value_of(to_arrow_type(type))->ToString(); };
  EXPECT_EQ(name_of({.id = TypeId::kTimestamp, .unit = TimeUnit::kNano, .timezone = "UTC"}), "timestamp[ns, tz=UTC]");
  EXPECT_EQ(name_of({.id = TypeId::kDecimal, .precision = 38, .scale = 3}), "decimal128(38, 3)");
  EXPECT_EQ(name_of({.id = TypeId::kDecimal, .precision = 39, .scale = 39}), "decimal256(39, 39)");
  EXPECT_EQ(name_of({.id = TypeId::kFixedBinary, .byte_width = 3}), "fixed_size_binary[3]");
  DataType keys_only{.id = TypeId::kMap};
  keys_only.children = {{.name = "key", .type = {.id = TypeId::kUtf8}, .nullable = false}};
  EXPECT_EQ(name_of(keys_only), "map<string, null>");
}

TEST(ArrowSchema, WhatParquetCannotStoreIsRefused) {
  DataType deep{.id = TypeId::kInt32};
  for (int i = 0; i < 100; ++i) {
    DataType list{.id = TypeId::kList};
    list.children = {{.name = "element", .type = deep}};
    deep = list;
  }
  const DataType refused[] = {{.id = TypeId::kInt96},
                              {.id = TypeId::kOther},
                              {.id = TypeId::kTimestamp, .unit = TimeUnit::kSecond},
                              {.id = TypeId::kDecimal, .precision = 77},
                              {.id = TypeId::kDecimal, .precision = 3, .scale = 4},
                              {.id = TypeId::kFixedBinary},
                              {.id = TypeId::kStruct},
                              {.id = TypeId::kList},
                              {.id = TypeId::kMap},
                              deep};
  for (const DataType& type : refused) {
    EXPECT_EQ(to_arrow_type(type).error().code, ErrorCode::kInvalidInput);
    const auto schema = to_arrow({.columns = {{.name = "x", .type = type}}, .metadata = {}});
    EXPECT_NE(schema.error().message.find("column x"), std::string::npos) << schema.error().message;
  }
}

TEST(ArrowSchema, VariantsOfTextCountAsText) {
  for (const auto& type :
       {arrow::utf8(), arrow::large_utf8(), arrow::utf8_view(), arrow::dictionary(arrow::int8(), arrow::utf8())}) {
    EXPECT_EQ(value_of(from_arrow_field(*arrow::field("x", type))).type.id, TypeId::kUtf8);
  }
  for (const auto& type : {arrow::binary(), arrow::large_binary(), arrow::binary_view()}) {
    EXPECT_EQ(value_of(from_arrow_field(*arrow::field("x", type))).type.id, TypeId::kBinary);
  }
}

TEST(ArrowSchema, SmallIntegersKeepTheirNameForWidening) {
  const auto type = value_of(from_arrow_field(*arrow::field("x", arrow::uint16()))).type;
  EXPECT_EQ(type.id, TypeId::kOther);
  EXPECT_TRUE(model::can_widen(type, {.id = TypeId::kUInt64}));
}

TEST(ArrowSchema, TypesThatNoTableHoldsAreNamed) {
  const auto list = arrow::list(arrow::date32());
  for (const auto& type : {arrow::date32(), arrow::timestamp(arrow::TimeUnit::SECOND), arrow::float16(), list,
                           arrow::large_list(arrow::int32()), arrow::null(), arrow::time64(arrow::TimeUnit::MICRO),
                           arrow::decimal256(10, 2)}) {
    const auto result = from_arrow(*arrow::schema({arrow::field("x", type)}));
    ASSERT_FALSE(result) << type->ToString();
    EXPECT_EQ(result.error().code, ErrorCode::kSchemaMismatch);
    EXPECT_NE(result.error().message.find("column x"), std::string::npos) << result.error().message;
  }
}

TEST(ArrowStatus, OurErrorsSurviveTheTrip) {
  const Error error{.code = ErrorCode::kConflict, .message = "m", .detail = ConflictInfo{.expected = 1, .found = 2}};
  const arrow::Status status = to_arrow_status(error);
  EXPECT_FALSE(status.ok());
  const Error back = from_arrow_status(status, "cannot do", true);
  EXPECT_EQ(back.code, ErrorCode::kConflict);
  EXPECT_EQ(back.message, "m");
  EXPECT_EQ(std::get<ConflictInfo>(back.detail).found, 2U);
}

TEST(ArrowStatus, CodesFollowTheKindOfFailure) {
  const auto code = [](const arrow::Status& status, bool reading) {
    return from_arrow_status(status, "cannot do", reading).code;
  };
  EXPECT_EQ(code(arrow::Status::OutOfMemory("x"), true), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code(arrow::Status::Cancelled("x"), true), ErrorCode::kCancelled);
  EXPECT_EQ(code(arrow::Status::IOError("x"), true), ErrorCode::kCorruption);
  EXPECT_EQ(code(arrow::Status::Invalid("x"), true), ErrorCode::kCorruption);
  EXPECT_EQ(code(arrow::Status::Invalid("x"), false), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(arrow::Status::NotImplemented("x"), true), ErrorCode::kInvalidInput);
  EXPECT_EQ(from_arrow_status(arrow::Status::Invalid("x"), "cannot do", true).message, "cannot do: x");
}

TEST(ArrowStatus, ExceptionsBecomeErrors) {
  const auto code_of = [](auto thrower, bool reading = true) {
    return guarded("cannot do", reading,
                   [&]() -> Status {
                     thrower();
                     return {};
                   })
        .error()
        .code;
  };
  EXPECT_EQ(code_of([] { throw parquet::ParquetException("x"); }), ErrorCode::kCorruption);
  EXPECT_EQ(code_of([] { throw parquet::ParquetException("x"); }, false), ErrorCode::kInternal);
  EXPECT_EQ(code_of([] { throw parquet::ParquetStatusException(arrow::Status::OutOfMemory("x")); }),
            ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of([] { throw std::bad_alloc(); }), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code_of([] { throw std::length_error("x"); }), ErrorCode::kCorruption);
  EXPECT_EQ(code_of([] { throw std::logic_error("x"); }), ErrorCode::kInternal);
  EXPECT_EQ(code_of([] { throw 5; }), ErrorCode::kInternal);
  EXPECT_TRUE(guarded("cannot do", true, []() -> Status { return {}; }));
}

}  // namespace
}  // namespace marigram::segment::testing
