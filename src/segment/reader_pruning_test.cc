// Without these tests the reader could decode a whole file to answer for an hour, and only a bench would tell; and it
// could skip row groups of files whose statistics say nothing.
#include "io/object_store.h"
#include "segment/parquet_reader.h"
#include "segment/parquet_writer.h"
#include "segment/test_rows.h"

#include <marigram/time.h>

#include <arrow/api.h>
#include <gtest/gtest.h>
#include <parquet/properties.h>

#include <cstdint>
#include <memory>
#include <string>

namespace marigram::segment::testing {
namespace {

constexpr const char* kKey = "data/x.parquet";
constexpr std::int64_t kStart = 1'704'067'200;

ReadRequest between(const Rows& rows, std::int64_t from, std::int64_t to) {
  ReadRequest request = everything(rows.schema);
  request.from = Instant{.seconds = kStart + from, .nanos = 0};
  request.to = Instant{.seconds = kStart + to, .nanos = 0};
  return request;
}

ReadStatistics statistics_of(io::ObjectStore& store, const Rows& rows, const ReadRequest& request) {
  ReadStatistics statistics;
  const auto actual = value_of(read_segment(store, kKey, rows, request, &statistics));
  EXPECT_TRUE(same_rows(*actual, *read_naively(rows, request)));
  return statistics;
}

TEST(ReaderPruning, AnHourOfAMillionRowsDecodesOnlyItsPages) {
  const Rows rows = tick_rows(1, 1'000'000);
  const auto store = make_store();
  write_segment(*store, kKey, rows, {}, 65'536);
  // Rows 500,000 to 503,600 lie in row group 3 (from row 393,216), in its page 6 (from row 98,304 of the group).
  const ReadStatistics statistics = statistics_of(*store, rows, between(rows, 500'000, 503'600));
  EXPECT_EQ(statistics.row_groups, 8U);
  EXPECT_EQ(statistics.row_groups_read, 1U);
  EXPECT_EQ(statistics.pages, 8U);
  EXPECT_EQ(statistics.pages_read, 1U);
  EXPECT_EQ(statistics.rows_decoded, 16'384U);
  EXPECT_EQ(statistics.rows_returned, 3'600U);
}

TEST(ReaderPruning, ARangeAcrossRowGroupsReadsTheirEdgesOnly) {
  const Rows rows = tick_rows(1, 300'000);
  const auto store = make_store();
  write_segment(*store, kKey, rows, {}, 65'536);
  const ReadStatistics statistics = statistics_of(*store, rows, between(rows, 131'000, 132'000));
  EXPECT_EQ(statistics.row_groups_read, 2U);
  EXPECT_EQ(statistics.pages_read, 2U);
  EXPECT_EQ(statistics.rows_decoded, 2 * 16'384U);
  EXPECT_EQ(statistics.rows_returned, 1'000U);
}

TEST(ReaderPruning, ASeriesAmongManyReadsItsPagesOnly) {
  const Rows rows = tick_rows(100, 3'000);
  const auto store = make_store();
  write_segment(*store, kKey, rows, {.page_rows = 1'024}, 65'536);
  ReadRequest request = between(rows, 1'000, 1'060);
  request.where = {{.column = "symbol", .values = {"S0042"}}};
  const ReadStatistics statistics = statistics_of(*store, rows, request);
  EXPECT_EQ(statistics.row_groups_read, 1U);
  // Its own page, and the two that it shares with its neighbours, whose times span the whole range.
  EXPECT_EQ(statistics.pages_read, 3U);
  EXPECT_EQ(statistics.rows_decoded, 3 * 1'024U);
  EXPECT_EQ(statistics.rows_returned, 60U);
}

TEST(ReaderPruning, AnAbsentSeriesReadsNothing) {
  const Rows rows = tick_rows(10, 1'000);
  const auto store = make_store();
  write_segment(*store, kKey, rows);
  ReadRequest request = everything(rows.schema);
  request.where = {{.column = "symbol", .values = {"T0001", "A"}}};
  EXPECT_EQ(statistics_of(*store, rows, request).row_groups_read, 0U);
  request.where = {{.column = "symbol", .values = {}}};
  EXPECT_EQ(statistics_of(*store, rows, request).row_groups_read, 0U);
}

TEST(ReaderPruning, EmptyAndImpossibleRangesReadNothing) {
  const Rows rows = tick_rows(1, 1'000);
  const auto store = make_store();
  write_segment(*store, kKey, rows);
  EXPECT_EQ(statistics_of(*store, rows, between(rows, 10, 10)).rows_decoded, 0U);
  EXPECT_EQ(statistics_of(*store, rows, between(rows, 20, 10)).rows_decoded, 0U);
  EXPECT_EQ(statistics_of(*store, rows, between(rows, 5'000, 6'000)).rows_decoded, 0U);
  ReadRequest request = everything(rows.schema);
  request.from = Instant{.seconds = INT64_MAX, .nanos = 0};  // beyond what microseconds can express
  EXPECT_EQ(statistics_of(*store, rows, request).rows_decoded, 0U);
  request.from = Instant{.seconds = INT64_MIN, .nanos = 0};
  request.to = Instant{.seconds = INT64_MAX, .nanos = 0};
  EXPECT_EQ(statistics_of(*store, rows, request).rows_returned, 1'000U);
}

TEST(ReaderPruning, BoundsBetweenTwoTicksRoundUp) {
  const Rows rows = tick_rows(1, 10);  // microseconds
  const auto store = make_store();
  write_segment(*store, kKey, rows);
  ReadRequest request = everything(rows.schema);
  request.from = Instant{.seconds = kStart + 3, .nanos = 1};
  request.to = Instant{.seconds = kStart + 5, .nanos = 1};
  EXPECT_EQ(statistics_of(*store, rows, request).rows_returned, 2U);  // ticks 4 and 5
}

TEST(ReaderPruning, WithoutStatisticsEverythingIsReadAndNothingLost) {
  const Rows rows = tick_rows(4, 500);
  const auto store = make_store();
  parquet::WriterProperties::Builder builder;
  builder.disable_statistics()->disable_write_page_index();
  write_foreign(*store, kKey, *rows.batch, builder.build(), 300);
  const ReadStatistics statistics = statistics_of(*store, rows, between(rows, 100, 110));
  EXPECT_EQ(statistics.row_groups_read, statistics.row_groups);
  EXPECT_EQ(statistics.pages, 0U);
  EXPECT_EQ(statistics.rows_decoded, 2'000U);
  EXPECT_EQ(statistics.rows_returned, 40U);
}

TEST(ReaderPruning, HugeRowGroupsAreJudgedPieceByPiece) {
  const Rows rows = tick_rows(13, 100'000);
  const auto store = make_store();
  parquet::WriterProperties::Builder builder;
  builder.disable_write_page_index();
  write_foreign(*store, kKey, *rows.batch, builder.build(), 2'000'000);
  ReadRequest request = between(rows, 48'000, 52'000);
  EXPECT_EQ(statistics_of(*store, rows, request).rows_returned, 13U * 4'000U);
  request.where = {{.column = "symbol", .values = {"S0010", "S0002"}}};  // one in either piece
  EXPECT_EQ(statistics_of(*store, rows, request).rows_returned, 2U * 4'000U);
}

TEST(ReaderPruning, ColumnsThatNobodyAsksForAreNotRead) {
  const Rows rows = tick_rows(2, 5'000);
  const auto store = make_store();
  std::string bytes = write_segment(*store, kKey, rows, {.compression = "none"});
  // Damage all of the file but the first column chunks (ts, symbol) and the end: a count of times must not notice.
  ReadRequest request;
  request.columns = {"ts"};
  const auto expected = read_naively(rows, request);
  for (std::size_t at = bytes.size() / 2; at < bytes.size() * 3 / 4; ++at)
    bytes[at] = static_cast<char>(bytes[at] ^ 0xFF);
  value_of(store->put(kKey, bytes));
  EXPECT_TRUE(same_rows(*value_of(read_segment(*store, kKey, rows, request)), *expected));
  EXPECT_FALSE(read_segment(*store, kKey, rows, everything(rows.schema)));
}

TEST(ReaderPruning, StreamsOfOneReaderRunSideBySide) {
  const Rows rows = tick_rows(3, 2'000);
  const auto store = make_store();
  write_segment(*store, kKey, rows, {.row_group_rows = 1'000});
  const auto reader = value_of(ParquetReader::open(*store, kKey));
  EXPECT_EQ(reader->rows(), 6'000U);
  ReadRequest request = everything(rows.schema);
  request.batch_rows = 100;
  auto a = value_of(reader->read(rows.schema, rows.index, request));
  auto b = value_of(reader->read(rows.schema, rows.index, request));
  std::int64_t seen = 0;
  while (true) {
    const auto from_a = value_of(a->next());
    const auto from_b = value_of(b->next());
    ASSERT_EQ(from_a == nullptr, from_b == nullptr);
    if (from_a == nullptr) break;
    EXPECT_TRUE(from_a->Equals(*from_b));
    seen += from_a->num_rows();
  }
  EXPECT_EQ(seen, 6'000);
  EXPECT_EQ(value_of(a->next()), nullptr);
}

TEST(ReaderPruning, AStreamOutlivesItsReader) {
  const Rows rows = tick_rows(1, 100);
  const auto store = make_store();
  write_segment(*store, kKey, rows);
  auto stream =
      value_of(value_of(ParquetReader::open(*store, kKey))->read(rows.schema, rows.index, everything(rows.schema)));
  EXPECT_EQ(value_of(stream->next())->num_rows(), 100);
}

}  // namespace
}  // namespace marigram::segment::testing
