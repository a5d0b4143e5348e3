// Without these tests our files could lose what makes them quick to prune elsewhere (statistics, page index, sorting
// columns, pages of equal rows), or appear half-written under their name.
#include "segment/parquet_writer.h"

#include "base/clock.h"
#include "io/fault_store.h"
#include "io/object_store.h"
#include "segment/arrow_schema.h"
#include "segment/input_stream.h"
#include "segment/page_table.h"
#include "segment/parquet_reader.h"
#include "segment/parquet_rows.h"
#include "segment/segment_file.h"
#include "segment/test_rows.h"

#include <marigram/error.h>

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment::testing {
namespace {

constexpr const char* kKey = "data/x.parquet";

TEST(Writer, FilesCarryWhatOtherEnginesPruneBy) {
  const Rows rows = tick_rows(5, 2'000);
  const auto store = make_store();
  write_segment(*store, kKey, rows, {.row_group_rows = 4'000, .page_rows = 1'000}, 777);
  const auto file = value_of(SegmentFile::open(*store, kKey));
  const auto& metadata = *file->metadata();
  EXPECT_EQ(metadata.num_rows(), 10'000);
  ASSERT_EQ(metadata.num_row_groups(), 3);
  EXPECT_EQ(metadata.version(), parquet::ParquetVersion::PARQUET_2_6);
  EXPECT_TRUE(file->has_checksums());
  for (int g = 0; g < 3; ++g) {
    const auto group = metadata.RowGroup(g);
    EXPECT_EQ(group->num_rows(), g < 2 ? 4'000 : 2'000);
    const auto sorting = group->sorting_columns();
    ASSERT_EQ(sorting.size(), 2U);
    EXPECT_EQ(sorting[0].column_idx, 1);  // symbol
    EXPECT_EQ(sorting[1].column_idx, 0);  // ts
    EXPECT_FALSE(sorting[0].descending || sorting[1].descending);
    for (int leaf = 0; leaf < metadata.num_columns(); ++leaf) {
      const auto chunk = group->ColumnChunk(leaf);
      EXPECT_TRUE(chunk->is_stats_set());
      EXPECT_TRUE(chunk->statistics()->HasMinMax());
      EXPECT_TRUE(chunk->GetColumnIndexLocation());
      // Whatever the batches were: pages of the same rows in every column.
      const auto pages = value_of(page_table(*file, g, leaf))->pages;
      ASSERT_FALSE(pages.empty());
      for (std::size_t page = 0; page < pages.size(); ++page) {
        EXPECT_EQ(pages[page].rows.begin, static_cast<std::int64_t>(page) * 1'000);
      }
    }
  }
  EXPECT_TRUE(value_of(ParquetReader::open(*store, kKey))->declared_sorted(rows.index));
}

TEST(Writer, UnsortedFilesDoNotClaimOrder) {
  const Rows rows = tick_rows(2, 100);
  const auto store = make_store();
  write_segment(*store, kKey, rows, {.sorted = false});
  EXPECT_FALSE(value_of(ParquetReader::open(*store, kKey))->declared_sorted(rows.index));
  EXPECT_TRUE(same_rows(*value_of(read_segment(*store, kKey, rows, everything(rows.schema))), *rows.batch));
  // Sorted by (symbol, ts) is not sorted by ts.
  write_segment(*store, "data/y.parquet", rows);
  const model::IndexSpec other{.column = "ts", .tags = {}, .kind = rows.index.kind};
  EXPECT_FALSE(value_of(ParquetReader::open(*store, "data/y.parquet"))->declared_sorted(other));
}

TEST(Writer, ArrowsOwnReaderGivesTheSameRowsAndTypes) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Rows rows = random_rows(random, 500, true);
    rows.schema.metadata = {{"origin", "test"}};
    rows.schema.columns.front().metadata = {{"unit", "s"}};
    const auto store = make_store();
    const std::string bytes = write_segment(*store, kKey, rows, {.row_group_rows = 200}, 90);
    parquet::ReaderProperties properties;
    properties.set_page_checksum_verification(true);
    parquet::arrow::FileReaderBuilder builder;
    ASSERT_TRUE(
        builder.Open(std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes)), properties).ok());
    const auto reader = *builder.Build();
    const auto table = *reader->ReadTable();
    EXPECT_TRUE(same_rows(**table->CombineChunksToBatch(), *rows.batch));
    EXPECT_TRUE(table->schema()->Equals(*value_of(to_arrow(rows.schema)), false)) << table->schema()->ToString();
    EXPECT_EQ(value_of(ParquetReader::open(*store, kKey))->schema(Dialect::kV7), rows.schema);
  }
}

TEST(Writer, AnEmptySegmentIsAFileWithoutRows) {
  const Rows rows = tick_rows(1, 0);
  const auto store = make_store();
  write_segment(*store, kKey, rows);
  const auto reader = value_of(ParquetReader::open(*store, kKey));
  EXPECT_EQ(reader->rows(), 0U);
  EXPECT_EQ(reader->schema(Dialect::kV7).columns.size(), 4U);
  EXPECT_EQ(value_of(read_segment(*store, kKey, rows, everything(rows.schema)))->num_rows(), 0);
}

TEST(Writer, StringsMayComeAsDictionaries) {
  const Rows rows = tick_rows(3, 400);
  const auto encoded = arrow::compute::DictionaryEncode(arrow::Datum(rows.batch->column(1)))->make_array();
  const auto batch = *rows.batch->SetColumn(1, arrow::field("symbol", encoded->type(), false), encoded);
  const auto store = make_store();
  auto writer = value_of(ParquetWriter::create(*store, kKey, rows.schema, rows.index, {.row_group_rows = 500}));
  expect_ok(writer->write(*batch->Slice(0, 450)));  // the first row group holds both kinds
  expect_ok(writer->write(*rows.batch->Slice(450, 300)));
  expect_ok(writer->write(*batch->Slice(750)));
  value_of(writer->finish());
  EXPECT_TRUE(same_rows(*value_of(read_segment(*store, kKey, rows, everything(rows.schema))), *rows.batch));
}

TEST(Writer, TagsOfMoreSeriesThanADictionaryHolds) {
  const Rows rows = tick_rows(70'000, 1);  // "S70000" has more digits: not sorted, which the writer does not check
  const auto store = make_store();
  write_segment(*store, kKey, rows, {.row_group_rows = 131'072, .sorted = false}, 10'000);
  EXPECT_TRUE(same_rows(*value_of(read_segment(*store, kKey, rows, everything(rows.schema))), *rows.batch));
}

TEST(Writer, NothingAppearsBeforeFinish) {
  const Rows rows = tick_rows(1, 1'000);
  const auto store = make_store();
  {
    auto writer = value_of(ParquetWriter::create(*store, kKey, rows.schema, rows.index, {.row_group_rows = 100}));
    expect_ok(writer->write(*rows.batch));
    EXPECT_EQ(store->head(kKey).error().code, ErrorCode::kNotFound);
  }
  EXPECT_EQ(store->head(kKey).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(value_of(store->list("")).empty());
}

TEST(Writer, ASegmentIsNeverReplaced) {
  const Rows rows = tick_rows(1, 10);
  const auto store = make_store();
  write_segment(*store, kKey, rows);
  const auto second = ParquetWriter::create(*store, kKey, rows.schema, rows.index);
  const ErrorCode code = second ? (*second)->finish().error().code : second.error().code;
  EXPECT_EQ(code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(value_of(ParquetReader::open(*store, kKey))->rows(), 10U);
}

TEST(Writer, RefusesWhatDoesNotFit) {
  const Rows rows = tick_rows(1, 10);
  const auto store = make_store();
  const auto create = [&](const ParquetWriterOptions& options) {
    return ParquetWriter::create(*store, kKey, rows.schema, rows.index, options);
  };
  EXPECT_EQ(create({.row_group_rows = 0}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(create({.page_rows = 0}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(create({.compression = "rar"}).error().code, ErrorCode::kInvalidInput);
  model::Schema bad = rows.schema;
  bad.columns[2].type = {.id = model::TypeId::kInt96};
  EXPECT_EQ(ParquetWriter::create(*store, kKey, bad, rows.index).error().code, ErrorCode::kInvalidInput);

  auto writer = value_of(create({}));
  EXPECT_EQ(writer->write(**rows.batch->RemoveColumn(2)).error().code, ErrorCode::kSchemaMismatch);
  const auto& schema = *rows.batch->schema();
  EXPECT_EQ(writer->write(**rows.batch->SetColumn(2, schema.field(3), rows.batch->column(3))).error().code,
            ErrorCode::kSchemaMismatch);
  const auto nulls = *arrow::MakeArrayOfNull(arrow::utf8(), 10);
  EXPECT_EQ(writer->write(**rows.batch->SetColumn(1, schema.field(1)->WithNullable(true), nulls)).error().code,
            ErrorCode::kInvalidInput);
  // A refused batch leaves the writer as it was.
  expect_ok(writer->write(*rows.batch));
  value_of(writer->finish());
  EXPECT_TRUE(same_rows(*value_of(read_segment(*store, kKey, rows, everything(rows.schema))), *rows.batch));
}

TEST(Writer, FailuresOfTheStoreComeThroughAsTheyAre) {
  const Rows rows = tick_rows(2, 3'000);
  for (std::uint64_t point = 0;; ++point) {
    ASSERT_LT(point, 1'000U);
    const auto store = io::make_fault_store(system_clock());
    store->arm(io::FaultStore::Mode::kNoSpaceOnce, point, 1);
    const auto attempt = [&]() -> Result<std::uint64_t> {
      auto writer = ParquetWriter::create(*store, kKey, rows.schema, rows.index, {.row_group_rows = 500});
      if (!writer) return std::unexpected(writer.error());
      for (int i = 0; i < 6; ++i) {
        if (const auto status = (*writer)->write(*rows.batch->Slice(i * 1'000, 1'000)); !status) {
          EXPECT_FALSE((*writer)->finish());
          return std::unexpected(status.error());
        }
      }
      return (*writer)->finish();
    };
    const auto written = attempt();
    if (!store->fired()) {
      EXPECT_GT(point, 2U);
      break;
    }
    if (written) continue;  // the fault hit a step after the object was safe
    EXPECT_EQ(written.error().code, ErrorCode::kResourceExhausted) << written.error().message;
    const auto reader = ParquetReader::open(*store, kKey);
    EXPECT_EQ(reader ? (*reader)->rows() : 6'000U, 6'000U);  // whole, or not there
  }
}

TEST(ParquetRows, StreamWhatTheFileHolds) {
  const Rows rows = tick_rows(3, 1'000);
  const auto store = make_store();
  write_segment(*store, kKey, rows, {.row_group_rows = 700});
  const auto all = value_of(open_parquet_rows(*store, kKey, {}));
  EXPECT_TRUE(same_rows(**(*all->ToTable())->CombineChunksToBatch(), *rows.batch));
  const auto some = value_of(open_parquet_rows(*store, kKey, {"volume", "ts"}));
  const auto table = *some->ToTable();
  EXPECT_EQ(table->num_rows(), 3'000);
  EXPECT_EQ(table->schema()->field_names(), (std::vector<std::string>{"ts", "volume"}));  // the file's order
  EXPECT_EQ(open_parquet_rows(*store, kKey, {"nope"}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(open_parquet_rows(*store, "data/absent", {}).error().code, ErrorCode::kNotFound);
}

TEST(ParquetRows, ErrorsCarryOurs) {
  const Rows rows = tick_rows(3, 1'000);
  const auto store = make_store();
  const auto properties = parquet::WriterProperties::Builder().enable_page_checksum()->disable_dictionary()->build();
  write_foreign(*store, kKey, *rows.batch, properties, 1'000);
  std::string bytes = value_of(store->read(kKey)).bytes;
  const auto file = value_of(SegmentFile::open(*store, kKey));
  const auto chunk = value_of(locate_chunk(*file, *file->metadata()->RowGroup(2), 3));
  const std::uint64_t last_byte = chunk.bytes.offset + chunk.bytes.length - 1;
  bytes[last_byte] = static_cast<char>(bytes[last_byte] ^ 1);
  value_of(store->put(kKey, bytes));
  const auto reader = value_of(open_parquet_rows(*store, kKey, {}));
  const auto table = reader->ToTable();
  ASSERT_FALSE(table.ok());
  const Error error = from_arrow_status(table.status(), "cannot append x", true);
  EXPECT_EQ(error.code, ErrorCode::kCorruption);
  EXPECT_EQ(error.message.find("cannot read data/x.parquet: "), 0U) << error.message;
}

}  // namespace
}  // namespace marigram::segment::testing
