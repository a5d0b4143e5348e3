// Without these tests a reader that prunes a wanted page, slips rows of one column against another, rounds a bound, or
// loses a null would go unnoticed: random tables are written in many layouts and read back through random requests, and
// each answer is compared with a filter that looks at every row.
#include "io/object_store.h"
#include "model/schema.h"
#include "segment/parquet_reader.h"
#include "segment/parquet_writer.h"
#include "segment/test_rows.h"

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>
#include <string>

namespace marigram::segment::testing {
namespace {

ParquetWriterOptions random_options(Random& random) {
  static constexpr std::int64_t kGroupRows[] = {7, 50, 333, 1'024, 131'072};
  static constexpr std::int64_t kPageRows[] = {1, 10, 64, 100, 8'192};
  static const char* const kCodecs[] = {"auto", "zstd", "lz4", "snappy", "none"};
  ParquetWriterOptions options;
  options.row_group_rows = kGroupRows[random() % 5];
  options.page_rows = kPageRows[random() % 5];
  options.compression = kCodecs[random() % 5];
  options.sorted = random() % 2 == 0;
  return options;
}

void check_requests(io::ObjectStore& store, const std::string& key, const Rows& rows, Random& random) {
  for (int i = 0; i < 12; ++i) {
    const ReadRequest request = i == 0 ? everything(rows.schema) : random_request(random, rows);
    ReadStatistics statistics;
    const auto actual = value_of(read_segment(store, key, rows, request, &statistics));
    const auto expected = read_naively(rows, request);
    ASSERT_TRUE(same_rows(*actual, *expected)) << rows.batch->schema()->ToString();
    EXPECT_EQ(statistics.rows_returned, static_cast<std::uint64_t>(expected->num_rows()));
    EXPECT_LE(statistics.rows_decoded, static_cast<std::uint64_t>(rows.batch->num_rows()));
    EXPECT_GE(statistics.rows_decoded, statistics.rows_returned);
    EXPECT_LE(statistics.pages_read, statistics.pages);
  }
}

TEST(ReaderRandom, OurFilesGiveWhatANaiveFilterGives) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Rows rows = random_rows(random, static_cast<std::int64_t>(random() % 1'500), seed % 2 == 0);
    const auto store = make_store();
    const ParquetWriterOptions options = random_options(random);
    write_segment(*store, "data/x.parquet", rows, options, 1 + static_cast<std::int64_t>(random() % 700));
    check_requests(*store, "data/x.parquet", rows, random);
    if (HasFatalFailure()) return;
  }
}

/// The rows with two more tags, which none of their series has.
Rows with_absent_tags(const Rows& rows) {
  Rows wide = rows;
  for (const std::string name : {"late tag", "later tag"}) {
    wide.schema.columns.push_back({.name = name, .type = {.id = model::TypeId::kUtf8}});
    wide.index.tags.push_back(name);
    const auto values = *arrow::MakeArrayFromScalar(arrow::StringScalar(""), rows.batch->num_rows());
    wide.batch = *wide.batch->AddColumn(wide.batch->num_columns(), arrow::field(name, arrow::utf8()), values);
  }
  return wide;
}

TEST(ReaderRandom, TagsThatAFileLacksAreEmptyInAllRows) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 77);
    const Rows rows = random_rows(random, static_cast<std::int64_t>(random() % 1'500), seed % 2 == 0);
    const auto store = make_store();
    const ParquetWriterOptions options = random_options(random);
    write_segment(*store, "data/x.parquet", rows, options);
    const Rows wide = with_absent_tags(rows);
    check_requests(*store, "data/x.parquet", wide, random);
    const auto reader = value_of(ParquetReader::open(*store, "data/x.parquet"));
    EXPECT_EQ(reader->declared_sorted(wide.index), reader->declared_sorted(rows.index));
    ReadRequest nothing = everything(wide.schema);
    nothing.where = {{.column = "late tag", .values = {"", "x"}}, {.column = "later tag", .values = {"x"}}};
    ReadStatistics statistics;
    EXPECT_EQ(value_of(read_segment(*store, "data/x.parquet", wide, nothing, &statistics))->num_rows(), 0);
    EXPECT_EQ(statistics.rows_decoded, 0U) << "a constant needs no row to judge by";
    if (HasFatalFailure()) return;
  }
}

std::shared_ptr<parquet::WriterProperties> random_foreign_properties(Random& random) {
  static constexpr parquet::Compression::type kCodecs[] = {
      parquet::Compression::UNCOMPRESSED, parquet::Compression::SNAPPY, parquet::Compression::GZIP,
      parquet::Compression::BROTLI,       parquet::Compression::ZSTD,   parquet::Compression::LZ4};
  parquet::WriterProperties::Builder builder;
  builder.compression(kCodecs[random() % 6]);
  builder.data_page_version(random() % 2 == 0 ? parquet::ParquetDataPageVersion::V1
                                              : parquet::ParquetDataPageVersion::V2);
  builder.write_batch_size(1 + static_cast<std::int64_t>(random() % 100));
  builder.max_rows_per_page(1 + static_cast<std::int64_t>(random() % 200));
  builder.data_pagesize(1 + static_cast<std::int64_t>(random() % 5'000));
  builder.dictionary_pagesize_limit(1 + static_cast<std::int64_t>(random() % 2'000));
  if (random() % 3 == 0) builder.disable_dictionary();
  if (random() % 3 == 0) builder.disable_statistics();
  if (random() % 3 == 0) builder.disable_write_page_index();
  if (random() % 2 == 0) builder.enable_page_checksum();
  return builder.build();
}

TEST(ReaderRandom, ForeignFilesGiveWhatANaiveFilterGives) {
  for (std::uint64_t seed = 1; seed <= 80; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed * 1'000);
    const Rows rows = random_rows(random, static_cast<std::int64_t>(random() % 1'500), seed % 2 == 0);
    const auto store = make_store();
    // Types that Parquet alone cannot tell apart need the stored schema, as in the reference implementation.
    write_foreign(*store, "data/y.parquet", *rows.batch, random_foreign_properties(random),
                  1 + static_cast<std::int64_t>(random() % 900));
    check_requests(*store, "data/y.parquet", rows, random);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace marigram::segment::testing
