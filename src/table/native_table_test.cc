// Tables of native segments. That they give the rows that tables of Parquet files give is for duplicates_test.cc and
// the model test of databases. Without these a program that does not know the format could open such a table, and what
// becomes of it on the way (damage, files that are left over, types it does not hold) would be untried.
#include "table/delete.h"
#include "table/evolve.h"
#include "table/rewrite.h"
#include "table/test_rows.h"
#include "table/vacuum.h"
#include "table/verify.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace marigram::table::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TableOptions native_options() {
  TableOptions options = Fixture::options();
  options.segments = SegmentFormat::kNative;
  return options;
}

std::string only_path(const Engine& engine) {
  EXPECT_EQ(engine.state()->segments.size(), 1U);
  return engine.state()->segments.begin()->second->path;
}

TEST(NativeTableTest, IsWrittenAndReadBack) {
  Fixture fixture;
  const auto engine = fixture.create(native_options());
  EXPECT_TRUE(engine->state()->meta->reader_features.contains(log::kNativeFeature));
  EXPECT_TRUE(engine->state()->meta->writer_features.contains(log::kNativeFeature));
  std::vector<Row> rows = minutes("b", 0, 2'000);
  std::ranges::copy(minutes("a", 500, 20), std::back_inserter(rows));
  rows[7].value.reset();
  const auto appended = append_rows(*engine, rows);
  ASSERT_TRUE(appended) << appended.error().message;
  for (const auto& [path, segment] : engine->state()->segments) {
    EXPECT_THAT(path, EndsWith(".mgs"));
    EXPECT_EQ(segment->format, SegmentFormat::kNative);
  }
  ASSERT_TRUE(engine->log().write_checkpoint(*engine->state()));
  const auto again = Engine::open(fixture.environment(), {});
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->state()->segment_format, SegmentFormat::kNative);
  EXPECT_EQ(scan_rows(**again), expected_rows(rows, {}));
  EXPECT_THAT(verify(fixture.environment(), false)->problems, IsEmpty());
}

TEST(NativeTableTest, IsCompressedAsItSays) {
  std::map<std::string, std::uint64_t> bytes;
  for (const char* const compression :
       {"none", "none:zstd", "gorilla", "delta", "double_delta:lz4", "dictionary", "auto"}) {
    Fixture fixture;
    TableOptions options = native_options();
    options.compression = compression;
    const auto engine = fixture.create(options);
    const std::vector<Row> rows = minutes("a", 0, 1'400);
    ASSERT_TRUE(append_rows(*engine, rows));
    const auto again = Engine::open(fixture.environment(), {});
    ASSERT_TRUE(again);
    EXPECT_EQ((*again)->state()->compression, compression);
    EXPECT_EQ(scan_rows(**again), rows);
    bytes[compression] = *(*again)->state()->segments.begin()->second->file_size;
  }
  EXPECT_LT(bytes["none:zstd"], bytes["none"]);
  EXPECT_LT(bytes["gorilla"], bytes["none"]);
  EXPECT_LE(bytes["auto"], bytes["gorilla"]);
  EXPECT_LE(bytes["auto"], bytes["delta"]);
}

TEST(NativeTableTest, ChangesItsCompression) {
  Fixture fixture;
  const auto engine = fixture.create(native_options());
  ASSERT_TRUE(set_segments(*engine, SegmentFormat::kNative, "gorilla:zstd"));
  ASSERT_TRUE(set_segments(*engine, SegmentFormat::kNative, {}));
  EXPECT_EQ(engine->state()->compression, "gorilla:zstd");
  const auto none = set_segments(*engine, SegmentFormat::kNative, "best");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(none.error().message, HasSubstr("there is no compression 'best'; use none, delta"));
  const auto of_parquet = set_segments(*engine, SegmentFormat::kParquet, "delta");
  ASSERT_FALSE(of_parquet);
  EXPECT_THAT(of_parquet.error().message, HasSubstr("compression 'delta' is of native segments"));
}

TEST(NativeTableTest, IsConvertedByCompaction) {
  Fixture fixture;
  const auto engine = fixture.create();
  const std::vector<Row> rows = minutes("a", 0, 100);
  ASSERT_TRUE(append_rows(*engine, rows));
  const std::uint64_t open_version = engine->state()->version;
  for (const auto format : {SegmentFormat::kNative, SegmentFormat::kParquet, SegmentFormat::kNative}) {
    ASSERT_TRUE(set_segments(*engine, format, {}));
    const auto report = compact(*engine);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->before.segments, 1U);
    EXPECT_THAT(only_path(*engine), EndsWith(format == SegmentFormat::kNative ? ".mgs" : ".parquet"));
    EXPECT_EQ(scan_rows(*engine), rows);
    EXPECT_EQ(compact(*engine)->before.segments, 0U) << "once is enough";
  }
  const auto before = Engine::open(fixture.environment(), {.at = open_version});
  ASSERT_TRUE(before);
  EXPECT_EQ(scan_rows(**before), rows);
  EXPECT_THAT(verify(fixture.environment(), false)->problems, IsEmpty());
}

/// Rows that are staged while another writer gives the table its schema are read back from their native segments.
TEST(NativeTableTest, AFirstAppendThatComesSecondIsWrittenAnew) {
  Fixture fixture;
  const auto engine = fixture.create(native_options());
  const auto other = Engine::open(fixture.environment(), {});
  ASSERT_TRUE(other);
  InterruptedRows rows(to_batch(minutes("a", 100, 5)), [&] { ASSERT_TRUE(append_rows(**other, minutes("b", 0, 5))); });
  const auto appended = append(*engine, rows);
  ASSERT_TRUE(appended) << appended.error().message;
  EXPECT_EQ(scan_rows(*engine)->size(), 10U);
  EXPECT_THAT(verify(fixture.environment(), false)->problems, IsEmpty());
}

/// Blocks of large segments hold more of a series.
TEST(NativeTableTest, CompactionMakesLargeSegments) {
  Fixture fixture;
  TableOptions options = native_options();
  options.duplicates = Duplicates::kAll;
  const auto engine = fixture.create(options);
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < 600'000; ++i) {
    rows.push_back({.time_us = i * 1'000, .series = i % 2 == 0 ? "a" : "b", .value = static_cast<double>(i)});
  }
  ASSERT_TRUE(append_rows(*engine, rows));
  EXPECT_EQ(engine->state()->segments.size(), 3U);
  const auto report = compact(*engine);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->after.segments, 1U);
  EXPECT_EQ(compact(*engine)->before.segments, 0U) << "there is nothing left to do";
  EXPECT_TRUE(scan_rows(*engine) == expected_rows(rows, {}));
  // A deletion leaves one segment, too.
  ASSERT_TRUE(remove_rows(*engine, {.where = {{.column = "series", .values = {"b"}}}}));
  EXPECT_EQ(engine->state()->segments.size(), 1U);
  std::erase_if(rows, [](const Row& row) { return row.series == "b"; });
  EXPECT_TRUE(scan_rows(*engine) == expected_rows(rows, {}));
}

TEST(NativeTableTest, DamageIsReported) {
  Fixture fixture;
  const auto engine = fixture.create(native_options());
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 1'000)));
  const std::string path = only_path(*engine);
  const std::string good = fixture.store->read(path)->bytes;
  for (std::size_t at = 0; at < good.size(); at += 37) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    ASSERT_TRUE(fixture.store->put(path, bad));
    const auto report = verify(fixture.environment(), false);
    ASSERT_TRUE(report);
    ASSERT_THAT(report->problems, ElementsAre(HasSubstr(path))) << at;
  }
}

TEST(NativeTableTest, WhatNoCommitNamesIsVacuumed) {
  Fixture fixture;
  const auto engine = fixture.create(native_options());
  ASSERT_TRUE(append_rows(*engine, minutes("a", 0, 10)));
  const std::string left = "data/_managed/append/01234567-89ab-cdef-0123-456789abcdef.mgs";
  ASSERT_TRUE(fixture.store->put(left, "half"));
  fixture.clock.advance(std::chrono::seconds(100));
  const auto report = vacuum(*engine, 10, false);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_THAT(report->paths, ElementsAre(left));
  EXPECT_EQ(scan_rows(*engine)->size(), 10U);
}

TEST(NativeTableTest, WhatItDoesNotHoldIsRefused) {
  Fixture fixture;
  TableOptions options = native_options();
  options.fields = {{.name = "value", .type = "decimal(10,2)"}};
  const auto created = Engine::create(fixture.environment(), options);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(created.error().message, HasSubstr("value"));
  options = native_options();
  options.dialect = Dialect::kV1;
  EXPECT_EQ(Engine::create(fixture.environment(), options).error().code, ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace marigram::table::testing
