// Without these tests files that other programs wrote could come out in the wrong types, or mismatches between a file
// and its table could pass silently.
#include "io/object_store.h"
#include "model/schema.h"
#include "segment/arrow_schema.h"
#include "segment/parquet_reader.h"
#include "segment/test_rows.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <arrow/api.h>
#include <arrow/compute/cast.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment::testing {
namespace {

using model::TypeId;

constexpr const char* kKey = "data/x.parquet";

/// Ten ticks with one more column of the table's type `type`, to be read from a file whose column is `stored`.
struct Case {
  Rows rows;  // what the table says, without the column's values
  std::shared_ptr<arrow::RecordBatch> file;
};

Case with_column(const model::DataType& type, const std::shared_ptr<arrow::Array>& stored, bool nullable = true) {
  Case result{.rows = tick_rows(1, stored->length()), .file = nullptr};
  result.rows.schema.columns.push_back({.name = "x", .type = type, .nullable = nullable});
  const auto& batch = result.rows.batch;
  result.file = *batch->AddColumn(batch->num_columns(), arrow::field("x", stored->type(), nullable), stored);
  return result;
}

Result<std::shared_ptr<arrow::Array>> read_column(const Case& c, bool store_schema = true) {
  const auto store = make_store();
  write_foreign(*store, kKey, *c.file, parquet::default_writer_properties(), 4, store_schema);
  ReadRequest request;
  request.columns = {"x"};
  auto batch = read_segment(*store, kKey, c.rows, request);
  if (!batch) return std::unexpected(batch.error());
  return (*batch)->column(0);
}

std::shared_ptr<arrow::Array> some(const model::DataType& type) {
  Random random(11);
  return random_array(random, type, 10, 4);
}

std::shared_ptr<arrow::Array> as(const std::shared_ptr<arrow::Array>& values,
                                 const std::shared_ptr<arrow::DataType>& type) {
  auto cast = arrow::compute::Cast(*values, type);
  EXPECT_TRUE(cast.ok()) << cast.status().ToString();
  return *cast;
}

TEST(ReaderTypes, LargeAndDictionaryColumnsComeAsTheTablesType) {
  const model::DataType utf8{.id = TypeId::kUtf8};
  const auto values = some(utf8);
  const auto dictionary = arrow::dictionary(arrow::int32(), arrow::utf8());
  for (const auto& stored : {arrow::large_utf8(), arrow::utf8_view(), dictionary}) {
    SCOPED_TRACE(stored->ToString());
    EXPECT_TRUE(value_of(read_column(with_column(utf8, as(values, stored))))->Equals(values));
  }
  const auto bytes = some({.id = TypeId::kBinary});
  EXPECT_TRUE(
      value_of(read_column(with_column({.id = TypeId::kBinary}, as(bytes, arrow::large_binary()))))->Equals(bytes));
  // Text in a file whose table says bytes (v1: JSON).
  EXPECT_TRUE(value_of(read_column(with_column({.id = TypeId::kBinary}, values)))->Equals(as(values, arrow::binary())));
}

TEST(ReaderTypes, NarrowNumbersAreWidened) {
  const auto int32 = some({.id = TypeId::kInt32});
  EXPECT_TRUE(value_of(read_column(with_column({.id = TypeId::kInt64}, int32)))->Equals(as(int32, arrow::int64())));
  arrow::FloatBuilder builder;
  ASSERT_TRUE(builder.AppendValues({1.5F, -2.25F, 0.1F}).ok());
  const auto float32 = *builder.Finish();
  EXPECT_TRUE(
      value_of(read_column(with_column({.id = TypeId::kFloat64}, float32)))->Equals(as(float32, arrow::float64())));
}

TEST(ReaderTypes, SmallIntegersAndDatesAreInt32WhereParquetTypesRule) {
  // A v1 table knows Parquet's types only.
  arrow::Int16Builder small;
  ASSERT_TRUE(small.AppendValues({-3, 7}).ok());
  const auto int16 = *small.Finish();
  EXPECT_TRUE(value_of(read_column(with_column({.id = TypeId::kInt32}, int16)))->Equals(as(int16, arrow::int32())));
  arrow::Date32Builder days;
  ASSERT_TRUE(days.AppendValues({19'000, -1}).ok());
  const auto date = *days.Finish();
  EXPECT_TRUE(value_of(read_column(with_column({.id = TypeId::kInt32}, date)))->Equals(as(date, arrow::int32())));
}

TEST(ReaderTypes, UnsignedValuesKeepTheirBitsUnderAV1Table) {
  arrow::UInt64Builder builder;
  ASSERT_TRUE(builder.AppendValues({1, UINT64_MAX}).ok());
  arrow::Int64Builder expected;
  ASSERT_TRUE(expected.AppendValues({1, -1}).ok());
  EXPECT_TRUE(
      value_of(read_column(with_column({.id = TypeId::kInt64}, *builder.Finish())))->Equals(*expected.Finish()));
}

TEST(ReaderTypes, TimeZonesAreTheTables) {
  const model::DataType table{.id = TypeId::kTimestamp, .unit = TimeUnit::kMicro, .timezone = "Europe/Berlin"};
  for (const char* zone : {"", "UTC", "America/New_York"}) {
    const auto stored = some({.id = TypeId::kTimestamp, .unit = TimeUnit::kMicro, .timezone = zone});
    const auto actual = value_of(read_column(with_column(table, stored)));
    EXPECT_EQ(actual->type()->ToString(), "timestamp[us, tz=Europe/Berlin]");
    EXPECT_EQ(static_cast<const arrow::TimestampArray&>(*actual).Value(0),
              static_cast<const arrow::TimestampArray&>(*stored).Value(0));
  }
}

TEST(ReaderTypes, ListsMayNameTheirElementAsTheyLike) {
  model::DataType table{.id = TypeId::kList};
  table.children = {{.name = "item", .type = {.id = TypeId::kInt32}}};
  model::DataType stored = table;
  stored.children[0].name = "element";
  const auto values = some(stored);
  const auto actual = value_of(read_column(with_column(table, values)));
  EXPECT_TRUE(actual->type()->Equals(*value_of(to_arrow_type(table))));
  EXPECT_TRUE(actual->Equals(as(values, actual->type())));
}

TEST(ReaderTypes, ListsOfOtherLayoutsBecomePlainLists) {
  model::DataType table{.id = TypeId::kList};
  table.children = {{.name = "element", .type = {.id = TypeId::kInt32}}};
  const auto element = arrow::field("element", arrow::int32());
  const auto wide = as(some(table), arrow::large_list(element));
  EXPECT_TRUE(value_of(read_column(with_column(table, wide)))->Equals(as(wide, arrow::list(element))));

  arrow::FixedSizeListBuilder builder(arrow::default_memory_pool(), std::make_shared<arrow::Int32Builder>(),
                                      arrow::fixed_size_list(element, 2));
  auto& values = static_cast<arrow::Int32Builder&>(*builder.value_builder());
  ASSERT_TRUE(builder.Append().ok() && values.AppendValues({1, 2}).ok());
  ASSERT_TRUE(builder.Append().ok() && values.Append(3).ok() && values.AppendNull().ok());
  const auto pairs = *builder.Finish();
  EXPECT_TRUE(value_of(read_column(with_column(table, pairs)))->Equals(as(pairs, arrow::list(element))));

  table.children[0].type.id = TypeId::kUtf8;
  EXPECT_EQ(read_column(with_column(table, pairs)).error().code, ErrorCode::kSchemaMismatch);
}

TEST(ReaderTypes, Int96TimestampsAreRead) {
  const model::DataType nanos{.id = TypeId::kTimestamp, .unit = TimeUnit::kNano};
  arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::NANO), arrow::default_memory_pool());
  ASSERT_TRUE(builder.AppendValues({1, 1'700'000'000'123'456'789}).ok());
  const Case c = with_column(nanos, *builder.Finish());
  const auto store = make_store();
  const auto sink = *arrow::io::BufferOutputStream::Create();
  const auto table = *arrow::Table::FromRecordBatches({c.file});
  const auto properties = parquet::ArrowWriterProperties::Builder().enable_deprecated_int96_timestamps()->build();
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 100,
                                         parquet::default_writer_properties(), properties)
                  .ok());
  value_of(store->put(kKey, (*sink->Finish())->ToString()));
  const auto reader = value_of(ParquetReader::open(*store, kKey));
  EXPECT_EQ(reader->schema(Dialect::kV7).find("x")->type.id, TypeId::kInt96);
  Rows rows = c.rows;
  rows.index.column = "x";  // an index that the statistics cannot judge
  rows.index.tags = {};
  ReadRequest request;
  request.columns = {"x"};
  request.from = Instant{.seconds = 0, .nanos = 2};
  const auto batch = value_of(read_segment(*store, kKey, rows, request));
  ASSERT_EQ(batch->num_rows(), 1);
  EXPECT_EQ(static_cast<const arrow::TimestampArray&>(*batch->column(0)).Value(0), 1'700'000'000'123'456'789);
}

TEST(ReaderTypes, WhatCannotBecomeTheTablesTypeIsASchemaMismatch) {
  const std::pair<TypeId, TypeId> pairs[] = {{TypeId::kInt64, TypeId::kInt32},   {TypeId::kUtf8, TypeId::kInt64},
                                             {TypeId::kInt64, TypeId::kUtf8},    {TypeId::kBinary, TypeId::kUtf8},
                                             {TypeId::kFloat64, TypeId::kInt64}, {TypeId::kInt64, TypeId::kUInt64}};
  for (const auto& [stored, table] : pairs) {
    const auto result = read_column(with_column({.id = table}, some({.id = stored})));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kSchemaMismatch) << result.error().message;
    EXPECT_NE(result.error().message.find("column x"), std::string::npos) << result.error().message;
  }
  const auto units = read_column(with_column({.id = TypeId::kTimestamp, .unit = TimeUnit::kMilli},
                                             some({.id = TypeId::kTimestamp, .unit = TimeUnit::kMicro})));
  EXPECT_EQ(units.error().code, ErrorCode::kSchemaMismatch);
}

TEST(ReaderTypes, MissingColumnsAreNullIfTheyMayBe) {
  Case c = with_column({.id = TypeId::kFloat64}, some({.id = TypeId::kInt32}));
  c.file = c.rows.batch;  // without x
  EXPECT_EQ(value_of(read_column(c))->null_count(), 10);
  c.rows.schema.columns.back().nullable = false;
  const auto missing = read_column(c);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kCorruption);
  EXPECT_NE(missing.error().message.find("data/x.parquet: column x is missing"), std::string::npos)
      << missing.error().message;
}

TEST(ReaderTypes, NullsInAColumnThatMayHaveNoneAreCorruption) {
  Case c = with_column({.id = TypeId::kInt64}, some({.id = TypeId::kInt64}));
  ASSERT_GT(c.file->column(4)->null_count(), 0);
  c.rows.schema.columns.back().nullable = false;
  EXPECT_EQ(read_column(c).error().code, ErrorCode::kCorruption);
}

TEST(ReaderTypes, InvalidTextIsCorruption) {
  arrow::BinaryBuilder builder;
  ASSERT_TRUE(builder.Append("ok").ok());
  ASSERT_TRUE(builder.Append("\xC3").ok());  // the two halves of one character
  ASSERT_TRUE(builder.Append("\xA9").ok());
  const auto bytes = *builder.Finish();
  const auto text = arrow::MakeArray(arrow::ArrayData::Make(arrow::utf8(), 3, bytes->data()->buffers, 0));
  EXPECT_EQ(read_column(with_column({.id = TypeId::kUtf8}, text)).error().code, ErrorCode::kCorruption);
}

TEST(ReaderTypes, SchemasFollowTheDialect) {
  const Case c = with_column({.id = TypeId::kUInt64}, some({.id = TypeId::kUInt64}));
  const auto store = make_store();
  write_foreign(*store, kKey, *c.file, parquet::default_writer_properties(), 100);
  const auto reader = value_of(ParquetReader::open(*store, kKey));
  EXPECT_EQ(model::format_type(reader->schema(Dialect::kV7).find("ts")->type), "timestamp[us,UTC]");
  EXPECT_EQ(model::format_type(reader->schema(Dialect::kV1).find("ts")->type), "timestamp[us]");
  EXPECT_EQ(reader->schema(Dialect::kV7).find("x")->type.id, TypeId::kUInt64);
  EXPECT_EQ(reader->schema(Dialect::kV1).find("x")->type.id, TypeId::kInt64);
  EXPECT_FALSE(reader->schema(Dialect::kV7).find("ts")->nullable);
  EXPECT_TRUE(reader->schema(Dialect::kV7).find("x")->nullable);
  // Without the Arrow schema v7, too, has nothing but Parquet's types.
  write_foreign(*store, "data/y.parquet", *c.file, parquet::default_writer_properties(), 100, false);
  const auto plain = value_of(ParquetReader::open(*store, "data/y.parquet"));
  EXPECT_EQ(model::format_type(plain->schema(Dialect::kV7).find("ts")->type), "timestamp[us]");
  EXPECT_EQ(plain->schema(Dialect::kV7).find("x")->type.id, TypeId::kUInt64);
}

TEST(ReaderTypes, ColumnsThatNoTableHoldsDoNotKeepAFileFromOpening) {
  arrow::Date32Builder days;
  ASSERT_TRUE(days.AppendValues({1, 2, 3}).ok());
  const Case c = with_column({.id = TypeId::kInt32}, *days.Finish());
  const auto store = make_store();
  write_foreign(*store, kKey, *c.file, parquet::default_writer_properties(), 100);
  const auto reader = value_of(ParquetReader::open(*store, kKey));
  EXPECT_EQ(reader->schema(Dialect::kV7).find("x")->type.id, TypeId::kOther);
  EXPECT_EQ(reader->schema(Dialect::kV7).find("x")->type.other_name, "date32[day]");
  EXPECT_EQ(reader->schema(Dialect::kV1).find("x")->type.id, TypeId::kInt32);
}

TEST(ReaderTypes, RequestsThatMakeNoSenseAreRefused) {
  const Rows rows = tick_rows(2, 5);
  const auto store = make_store();
  write_segment(*store, kKey, rows);
  const auto reader = value_of(ParquetReader::open(*store, kKey));
  const auto code = [&](const ReadRequest& request) {
    const auto stream = reader->read(rows.schema, rows.index, request);
    EXPECT_FALSE(stream);
    return stream ? ErrorCode::kInternal : stream.error().code;
  };
  EXPECT_EQ(code({.columns = {"nope"}}), ErrorCode::kNotFound);
  EXPECT_EQ(code({.columns = {}, .where = {{.column = "nope", .values = {"1"}}}}), ErrorCode::kNotFound);
  EXPECT_EQ(code({.columns = {}, .where = {{.column = "price", .values = {"1"}}}}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.columns = {}, .from = std::int64_t{5}}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.columns = {}, .batch_rows = 0}), ErrorCode::kInvalidInput);
}

TEST(ReaderTypes, NoColumnsStillCountRows) {
  const Rows rows = tick_rows(2, 50);
  const auto store = make_store();
  write_segment(*store, kKey, rows);
  EXPECT_EQ(value_of(read_segment(*store, kKey, rows, {.columns = {}}))->num_rows(), 100);
  EXPECT_EQ(
      value_of(read_segment(*store, kKey, rows, {.columns = {}, .where = {{.column = "symbol", .values = {"S0001"}}}}))
          ->num_rows(),
      50);
}

}  // namespace
}  // namespace marigram::segment::testing
