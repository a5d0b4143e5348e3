// Native segments written and read back through random requests, against a filter that looks at every row. Without this
// test a page could be passed over that holds wanted rows, a row could get another's value or series, and rows that are
// out of order could be written, which no reader would find.
#include "segment/native_file.h"
#include "segment/native_stream.h"
#include "segment/native_types.h"
#include "segment/native_writer.h"
#include "segment/test_rows.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

namespace marigram::segment::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kKey = "data/x.mgs";

bool holds(const model::Schema& schema) {
  return std::ranges::all_of(schema.columns,
                             [](const model::Column& column) { return value_kind(column.type.id).has_value(); });
}

/// Rows of types that native segments hold, each with a time.
Rows native_rows(Random& random, std::int64_t rows) {
  for (;;) {
    Rows made = random_rows(random, rows, false);
    if (holds(made.schema) && made.batch->GetColumnByName(made.index.column)->null_count() == 0) return made;
  }
}

Status write(io::ObjectStore& store, const Rows& rows, const Compression& compression, std::int64_t batch_rows) {
  auto writer = value_of(NativeWriter::create(store, kKey, rows.schema, rows.index, {1, 2, 3}, compression));
  for (std::int64_t at = 0; at < rows.batch->num_rows(); at += batch_rows) {
    if (const Status written = writer->write(*rows.batch->Slice(at, batch_rows)); !written) return written;
  }
  const auto bytes = writer->finish();
  if (!bytes) return std::unexpected(bytes.error());
  EXPECT_EQ(*bytes, value_of(store.head(kKey)).size);
  return {};
}

std::shared_ptr<arrow::RecordBatch> read(const std::shared_ptr<const NativeFile>& file, const Rows& rows,
                                         const ReadRequest& request, ReadStatistics* statistics = nullptr) {
  const auto stream = value_of(read_native(file, rows.schema, rows.index, request));
  auto batch = value_of(drain(*stream, request, rows));
  if (statistics != nullptr) *statistics = stream->statistics();
  return batch;
}

/// Each of all, in turn.
Compression compression(std::uint64_t number) {
  constexpr std::array kMethods{"none", "auto", "delta", "double_delta", "gorilla", "dictionary"};
  constexpr std::array kCodecs{"", ":zstd", ":lz4", ":snappy"};
  const std::string text = std::string(kMethods[number % 6]) + kCodecs[number / 6 % 4];
  return value_of(parse_compression(text, "test"));
}

TEST(NativeSegment, GivesWhatANaiveFilterGives) {
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Rows rows = native_rows(random, static_cast<std::int64_t>(random() % (seed % 10 == 0 ? 30'000 : 1'500)));
    const auto store = make_store();
    expect_ok(write(*store, rows, compression(seed), 1 + static_cast<std::int64_t>(random() % 700)));
    const auto file = value_of(NativeFile::open(*store, kKey));
    EXPECT_EQ(file->structure().rows(), static_cast<std::uint64_t>(rows.batch->num_rows()));
    EXPECT_EQ(file->structure().presence, (codec::Buffer{1, 2, 3}));
    for (int i = 0; i < 12; ++i) {
      const ReadRequest request = i == 0 ? everything(rows.schema) : random_request(random, rows);
      ReadStatistics statistics;
      const auto actual = read(file, rows, request, &statistics);
      const auto expected = read_naively(rows, request);
      ASSERT_TRUE(same_rows(*actual, *expected)) << rows.batch->schema()->ToString();
      EXPECT_EQ(statistics.rows_returned, static_cast<std::uint64_t>(expected->num_rows()));
      EXPECT_GE(statistics.rows_decoded, statistics.rows_returned);
      EXPECT_LE(statistics.pages_read, statistics.pages);
    }
  }
}

/// Long series have pages of their own, short ones share.
TEST(NativeSegment, PagesFollowSeries) {
  const auto pages_of = [](int series, std::int64_t rows_each) {
    const auto store = make_store();
    const Rows rows = tick_rows(series, rows_each);
    expect_ok(write(*store, rows, {}, 1'000));
    const auto file = value_of(NativeFile::open(*store, kKey));
    std::vector<std::size_t> pages;
    for (std::size_t page = 0; page < file->structure().pages(); ++page) pages.push_back(file->page_rows(page));
    EXPECT_TRUE(same_rows(*read(file, rows, everything(rows.schema)), *rows.batch));
    return pages;
  };
  EXPECT_EQ(pages_of(2, 10'000), (std::vector<std::size_t>{5'000, 5'000, 5'000, 5'000}));
  EXPECT_EQ(pages_of(2, 8'193), (std::vector<std::size_t>{4'097, 4'096, 4'097, 4'096}));
  EXPECT_EQ(pages_of(1, 16'384), (std::vector<std::size_t>{8'192, 8'192}));
  EXPECT_EQ(pages_of(1, 16'385), (std::vector<std::size_t>{8'192, 4'097, 4'096}));
  EXPECT_EQ(pages_of(2, 8'192), (std::vector<std::size_t>{8'192, 8'192}));
  EXPECT_EQ(pages_of(3, 1'024), (std::vector<std::size_t>{1'024, 1'024, 1'024}));
  EXPECT_EQ(pages_of(17, 1'000),
            (std::vector<std::size_t>{2'000, 2'000, 2'000, 2'000, 2'000, 2'000, 2'000, 2'000, 1'000}));
  EXPECT_EQ(pages_of(500, 10), (std::vector<std::size_t>{2'040, 2'040, 920}));
}

TEST(NativeSegment, PagesOfOtherTimesAndSeriesAreNotRead) {
  const auto store = make_store();
  const Rows rows = tick_rows(4, 20'000);
  expect_ok(write(*store, rows, {}, 1 << 20));
  const auto file = value_of(NativeFile::open(*store, kKey));
  ReadRequest request = everything(rows.schema);
  request.where = {{.column = "symbol", .values = {std::string(file->structure().tags[0].values.texts[2])}}};
  ReadStatistics statistics;
  EXPECT_EQ(read(file, rows, request, &statistics)->num_rows(), 20'000);
  EXPECT_EQ(statistics.pages_read, 3U);
  EXPECT_EQ(statistics.pages, 12U);
}

TEST(NativeSegment, ManyShortSeriesCostLittleMoreThanFewLongOnes) {
  const auto bytes_of = [](int series, std::int64_t rows_each) {
    const auto store = make_store();
    expect_ok(write(*store, tick_rows(series, rows_each), {}, 1 << 20));
    return value_of(store->head(kKey)).size;
  };
  const auto series_bytes = [](int series) { return static_cast<std::uint64_t>(series) * 6; };  // their names
  EXPECT_LT(bytes_of(10'000, 10), bytes_of(10, 10'000) * 12 / 10 + series_bytes(10'000));
}

// ---- what is refused ----

TEST(NativeSegment, RowsOutOfOrderAreRefused) {
  const Rows rows = tick_rows(2, 10);
  for (const std::vector<std::int64_t>& pieces : std::vector<std::vector<std::int64_t>>{{10, 0}, {1, 0}}) {
    const auto store = make_store();
    auto writer = value_of(NativeWriter::create(*store, kKey, rows.schema, rows.index, {}, {}));
    expect_ok(writer->write(*rows.batch->Slice(pieces[0], 1)));
    const Status written = writer->write(*rows.batch->Slice(pieces[1], 1));
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code, ErrorCode::kInvalidInput);
    EXPECT_EQ(writer->finish().error().code, ErrorCode::kInternal) << "nothing half-done";
    EXPECT_FALSE(store->head(kKey));
  }
}

TEST(NativeSegment, RowsWithoutATimeAreRefused) {
  Random random(5);
  Rows rows = native_rows(random, 1);
  rows.schema.columns.front().nullable = true;
  auto columns = rows.batch->columns();
  columns.front() = *arrow::MakeArrayOfNull(columns.front()->type(), 1);
  auto fields = rows.batch->schema()->fields();
  fields.front() = fields.front()->WithNullable(true);
  const auto store = make_store();
  auto writer = value_of(NativeWriter::create(*store, kKey, rows.schema, rows.index, {}, {}));
  const Status written = writer->write(*arrow::RecordBatch::Make(arrow::schema(fields), 1, columns));
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr("row 0 has no time"));
}

TEST(NativeSegment, TypesThatItCannotHoldAreNamed) {
  Rows rows = tick_rows(1, 1);
  rows.schema.columns.push_back({.name = "cost", .type = {.id = model::TypeId::kDecimal, .precision = 10, .scale = 2}});
  const auto store = make_store();
  const auto writer = NativeWriter::create(*store, kKey, rows.schema, rows.index, {}, {});
  ASSERT_FALSE(writer);
  EXPECT_THAT(writer.error().message, HasSubstr("column cost is of type decimal(10,2)"));
}

TEST(NativeSegment, ACompressionThatThereIsNotIsNamed) {
  for (const char* const text : {"", "lzma", "auto:", "auto:gzip", ":zstd", "auto:zstd:lz4", "Auto"}) {
    const auto parsed = parse_compression(text, "cannot do it");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(parsed.error().message, HasSubstr("cannot do it: there is no compression '" + std::string(text) + "'"));
  }
}

/// Every bit of a small file: an error, or the right answer.
TEST(NativeSegment, NoDamageGivesWrongRows) {
  for (const char* const text : {"none", "auto", "none:zstd", "dictionary:lz4"}) {
    Random random(*text == 'n' ? 3 : 4);
    const Rows rows = native_rows(random, 40);
    const auto store = make_store();
    expect_ok(write(*store, rows, value_of(parse_compression(text, "test")), 1'000));
    const std::string bytes = value_of(store->read(kKey)).bytes;
    const auto expected = read_naively(rows, everything(rows.schema));
    const auto check = [&](const std::string& damaged) {
      value_of(store->put("data/damaged.mgs", damaged));
      const auto file = NativeFile::open(*store, "data/damaged.mgs");
      if (!file) return;
      const auto stream = read_native(*file, rows.schema, rows.index, everything(rows.schema));
      if (!stream) return;
      const auto batch = drain(**stream, everything(rows.schema), rows);
      EXPECT_TRUE(!batch || same_rows(**batch, *expected));
    };
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
      std::string damaged = bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      check(damaged);
    }
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      value_of(store->put("data/damaged.mgs", bytes.substr(0, size)));
      EXPECT_FALSE(NativeFile::open(*store, "data/damaged.mgs")) << size;
    }
  }
}

}  // namespace
}  // namespace marigram::segment::testing
