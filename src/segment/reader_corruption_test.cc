// Without these tests damaged files could crash the reader, or give wrong rows: every truncation, and flipped bits in
// every byte, of small files of ours and of others.
#include "io/object_store.h"
#include "model/schema.h"
#include "segment/checksums.h"
#include "segment/parquet_reader.h"
#include "segment/parquet_rows.h"
#include "segment/parquet_writer.h"
#include "segment/test_rows.h"

#include <marigram/error.h>

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/properties.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace marigram::segment::testing {
namespace {

constexpr const char* kKey = "data/x.parquet";

void replace(io::ObjectStore& store, const std::string& bytes) {
  value_of(store.put(kKey, bytes));
}

/// Ticks with a nested column and nulls, so that every way of reading is taken.
Rows small_rows() {
  Random random(3);
  Rows rows = tick_rows(3, 40);
  model::DataType list{.id = model::TypeId::kList};
  list.children = {{.name = "element", .type = {.id = model::TypeId::kInt32}}};
  const model::Column columns[] = {{.name = "note", .type = {.id = model::TypeId::kUtf8}},
                                   {.name = "flags", .type = {.id = model::TypeId::kBool}},
                                   {.name = "list", .type = list}};
  arrow::FieldVector fields = rows.batch->schema()->fields();
  arrow::ArrayVector arrays = rows.batch->columns();
  for (const model::Column& column : columns) {
    rows.schema.columns.push_back(column);
    arrays.push_back(random_array(random, column.type, rows.batch->num_rows(), 5));
    fields.push_back(arrow::field(column.name, arrays.back()->type()));
  }
  rows.batch = arrow::RecordBatch::Make(arrow::schema(fields), rows.batch->num_rows(), arrays);
  return rows;
}

/// What a reader may not do: answer with other rows. Returns whether it noticed the damage.
bool notices_or_agrees(io::ObjectStore& store, const Rows& rows, const ReadRequest& request,
                       const arrow::RecordBatch& expected, std::uint64_t& silent_changes) {
  const auto actual = read_segment(store, kKey, rows, request);
  if (!actual) {
    EXPECT_TRUE(actual.error().code == ErrorCode::kCorruption || actual.error().code == ErrorCode::kResourceExhausted ||
                actual.error().code == ErrorCode::kSchemaMismatch || actual.error().code == ErrorCode::kInvalidInput)
        << error_code_name(actual.error().code) << ": " << actual.error().message;
    EXPECT_NE(actual.error().message.find(kKey), std::string::npos) << actual.error().message;
    return true;
  }
  if (!same_rows(**actual, expected)) ++silent_changes;
  return false;
}

TEST(ReaderCorruption, EveryTruncationOfOurFileIsAnError) {
  const Rows rows = small_rows();
  const auto store = make_store();
  const std::string bytes = write_segment(*store, kKey, rows, {.row_group_rows = 70, .page_rows = 16});
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    replace(*store, bytes.substr(0, length));
    const auto reader = ParquetReader::open(*store, kKey);
    ASSERT_FALSE(reader) << length;
    EXPECT_EQ(reader.error().code, ErrorCode::kCorruption) << reader.error().message;
  }
}

TEST(ReaderCorruption, EveryFlippedBitOfOurFileIsNoticedOrHarmless) {
  const Rows rows = small_rows();
  const auto store = make_store();
  const std::string bytes = write_segment(*store, kKey, rows, {.row_group_rows = 70, .page_rows = 16});
  ReadRequest ranged = everything(rows.schema);
  ranged.from = Instant{.seconds = 1'704'067'210, .nanos = 0};
  ranged.to = Instant{.seconds = 1'704'067'215, .nanos = 0};
  ranged.where = {{.column = "symbol", .values = {"S0001"}}};
  const ReadRequest requests[] = {everything(rows.schema), ranged};
  std::uint64_t silent_changes = 0;
  std::uint64_t unnoticed = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    replace(*store, damaged);
    for (const ReadRequest& request : requests) {
      const auto expected = read_naively(rows, request);
      const bool noticed = notices_or_agrees(*store, rows, request, *expected, silent_changes);
      unnoticed += !noticed && &request == &requests[0] ? 1 : 0;
    }
  }
  EXPECT_EQ(silent_changes, 0U);
  EXPECT_EQ(unnoticed, 0U) << "bytes whose damage a full read does not notice";
}

TEST(ReaderCorruption, AFooterWhoseChecksumsAreCutOutIsRefused) {
  const Rows rows = small_rows();
  const auto store = make_store();
  std::string bytes = write_segment(*store, kKey, rows);
  const std::size_t magic = bytes.rfind("MARIGCRC");
  ASSERT_NE(magic, std::string::npos);
  bytes[magic] = 'X';
  replace(*store, bytes);
  const auto reader = ParquetReader::open(*store, kKey);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, ErrorCode::kCorruption);
}

/// Foreign files carry no checksums of headers and footers, so that other rows may come out; but no crash, and no rows
/// beyond what the table's types allow (drain validates each batch).
void damage_foreign(const parquet::WriterProperties::Builder& builder) {
  const Rows rows = small_rows();
  const auto store = make_store();
  parquet::WriterProperties::Builder copy = builder;
  write_foreign(*store, kKey, *rows.batch, copy.build(), 70);
  const std::string bytes = value_of(store->read(kKey)).bytes;
  const ReadRequest request = everything(rows.schema);
  const auto expected = read_naively(rows, request);
  ReadRequest part = request;  // of each series
  part.from = Instant::from_units(1'704'067'210, TimeUnit::kSecond);
  part.to = Instant::from_units(1'704'067'230, TimeUnit::kSecond);
  const auto expected_part = read_naively(rows, part);
  std::uint64_t silent_changes = 0;
  for (std::size_t length = 0; length < bytes.size(); length += 7) {
    replace(*store, bytes.substr(0, length));
    notices_or_agrees(*store, rows, request, *expected, silent_changes);
    notices_or_agrees(*store, rows, part, *expected_part, silent_changes);
  }
  EXPECT_EQ(silent_changes, 0U) << "truncations";
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    replace(*store, damaged);
    if (at % 2 == 0) {
      notices_or_agrees(*store, rows, request, *expected, silent_changes);
    } else {
      notices_or_agrees(*store, rows, part, *expected_part, silent_changes);
    }
    if (at % 8 != 0) continue;
    const auto all = open_parquet_rows(*store, kKey, {});
    if (all) (void)(*all)->ToTable();
  }
}

TEST(ReaderCorruption, DamagedForeignFilesDoNotCrash) {
  parquet::WriterProperties::Builder v1;
  v1.max_rows_per_page(16)->compression(parquet::Compression::SNAPPY);
  damage_foreign(v1);
  parquet::WriterProperties::Builder v2;
  v2.max_rows_per_page(16)->data_page_version(parquet::ParquetDataPageVersion::V2)->disable_dictionary();
  damage_foreign(v2);
  parquet::WriterProperties::Builder packed;
  packed.max_rows_per_page(50)->data_page_version(parquet::ParquetDataPageVersion::V2);
  for (const char* column : {"ts", "volume"}) {
    packed.disable_dictionary(column)->encoding(column, parquet::Encoding::DELTA_BINARY_PACKED);
  }
  damage_foreign(packed);
}

TEST(ReaderCorruption, PageChecksumsOfForeignFilesAreVerified) {
  const Rows rows = tick_rows(2, 50);
  const auto store = make_store();
  parquet::WriterProperties::Builder builder;
  builder.enable_page_checksum()->disable_dictionary();
  write_foreign(*store, kKey, *rows.batch, builder.build(), 1'000);
  std::string bytes = value_of(store->read(kKey)).bytes;
  // Prices are stored as they are: find the first, and damage it.
  const double price = static_cast<const arrow::DoubleArray&>(*rows.batch->GetColumnByName("price")).Value(0);
  const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&price), sizeof(price)));
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  replace(*store, bytes);
  const auto damaged = read_segment(*store, kKey, rows, everything(rows.schema));
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::kCorruption);
}

TEST(ReaderCorruption, WhatIsNotParquetIsRefusedByName) {
  const auto store = make_store();
  const Rows rows = tick_rows(1, 1);
  const std::string cases[] = {"",
                               "PAR1",
                               "PAR1PAR1",
                               "PAR1\4\0\0\0PAR1",
                               std::string("PAR1\0\0\0\0PAR1", 12),
                               "PAR1xxxx\xFF\xFF\xFF\xFFPAR1",
                               "PAR1xxxxxxxxPARE",
                               std::string(100, 'x')};
  for (const std::string& bytes : cases) {
    replace(*store, bytes);
    const auto reader = ParquetReader::open(*store, kKey);
    ASSERT_FALSE(reader) << bytes;
    EXPECT_EQ(reader.error().code, ErrorCode::kCorruption);
    EXPECT_NE(reader.error().message.find(kKey), std::string::npos) << reader.error().message;
  }
  EXPECT_EQ(ParquetReader::open(*store, "data/absent.parquet").error().code, ErrorCode::kNotFound);
}

/// Another project's test files: a checkout of apache/parquet-testing beside the project or where
/// MARIGRAM_PARQUET_TESTING says.
TEST(ReaderCorruption, FilesOfOthersOpenOrAreRefused) {
  const char* named = std::getenv("MARIGRAM_PARQUET_TESTING");
  const std::filesystem::path folder =
      named != nullptr ? named : MARIGRAM_SOURCE_DIR "/../shared/suites/parquet-testing";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "there is no " << folder;
  const auto store = make_store();
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".parquet") continue;
    ++files;
    SCOPED_TRACE(entry.path().filename());
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    replace(*store, bytes);
    const auto reader = ParquetReader::open(*store, kKey);
    const auto all = open_parquet_rows(*store, kKey, {});
    if (!reader) continue;
    // Whatever column can be an index is one; then every column that a table can hold is read.
    for (const Dialect dialect : {Dialect::kV1, Dialect::kV7}) {
      Rows rows{.schema = {}, .index = {}, .batch = nullptr};
      for (const model::Column& column : (*reader)->schema(dialect).columns) {
        if (model::validate_schema({.columns = {column}, .metadata = {}})) rows.schema.columns.push_back(column);
      }
      for (const model::Column& column : rows.schema.columns) {
        if (column.type.id == model::TypeId::kTimestamp) rows.index.kind = model::TimestampIndex{};
        if (column.type.id == model::TypeId::kInt64) rows.index.kind = model::Int64Index{};
        if (column.type.id != model::TypeId::kTimestamp && column.type.id != model::TypeId::kInt64) continue;
        rows.index.column = column.name;
        const ReadRequest request = everything(rows.schema);
        const auto stream = (*reader)->read(rows.schema, rows.index, request);
        ASSERT_TRUE(stream) << stream.error().message;
        const auto batch = drain(**stream, request, rows);
        if (!batch) {
          EXPECT_EQ(batch.error().code, ErrorCode::kCorruption) << batch.error().message;
        }
        break;
      }
    }
    for (std::size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 300) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
      replace(*store, damaged);
      const auto rows = open_parquet_rows(*store, kKey, {});
      if (rows) (void)(*rows)->ToTable();
    }
  }
  EXPECT_GE(files, 10);
}

}  // namespace
}  // namespace marigram::segment::testing
