// Without these tests we might read only what we write: the segments of tables that the reference implementations wrote
// are read here, and their coverage is compared with the bytes that they stored beside them.
#include "base/clock.h"
#include "coverage/coverage_map.h"
#include "io/local_store.h"
#include "segment/coverage_builder.h"
#include "segment/parquet_reader.h"
#include "segment/parquet_rows.h"
#include "segment/test_rows.h"

#include <marigram/table.h>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace marigram::segment::testing {
namespace {

namespace fs = std::filesystem;

fs::path data() {
  return fs::path(MARIGRAM_SOURCE_DIR) / "tests" / "data";
}

std::vector<fs::path> segments_under(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".parquet") files.push_back(entry.path());
  }
  return files;
}

TEST(Fixtures, EverySegmentReadsTheSameBothWays) {
  std::size_t files = 0;
  for (const char* version : {"tstable-0.2.2", "tstable-0.9.0"}) {
    const auto store = value_of(io::make_local_store(data() / version));
    for (const fs::path& path : segments_under(data() / version)) {
      SCOPED_TRACE(path);
      const std::string key = fs::relative(path, data() / version).generic_string();
      const auto reader = value_of(ParquetReader::open(*store, key));
      Rows rows{.schema = reader->schema(Dialect::kV7), .index = {}, .batch = nullptr};
      for (const model::Column& column : rows.schema.columns) {
        if (column.type.id == model::TypeId::kTimestamp) {
          rows.index = {.column = column.name, .tags = {}, .kind = model::TimestampIndex{}};
        }
      }
      if (rows.index.column.empty()) continue;  // integer indexes are read below
      rows.batch = *(*value_of(open_parquet_rows(*store, key, {}))->ToTable())->CombineChunksToBatch();
      const ReadRequest request = everything(rows.schema);
      EXPECT_TRUE(same_rows(*value_of(read_segment(*store, key, rows, request)), *read_naively(rows, request)));
      EXPECT_EQ(reader->rows(), static_cast<std::uint64_t>(rows.batch->num_rows()));
      ++files;
    }
  }
  EXPECT_GT(files, 30U);
}

/// The only coverage file of a table's segments.
std::string stored_coverage(const fs::path& table) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(table / "_coverage" / "segments")) files.push_back(entry.path());
  EXPECT_EQ(files.size(), 1U);
  std::ifstream in(files.at(0), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Table {
  const char* folder;
  Dialect dialect;
  model::IndexSpec index;
};

model::TimestampIndex bucket(std::uint32_t count, BucketWidth::Unit unit) {
  return {.bucket = {.count = count, .unit = unit}, .timezone = {}};
}

TEST(Fixtures, CoverageOfSegmentsIsWhatTheReferenceStored) {
  using enum BucketWidth::Unit;
  const Table tables[] = {
      {"tstable-0.2.2/bucket_30s_ms", Dialect::kV1, {.column = "ts", .tags = {}, .kind = bucket(30, kSecond)}},
      {"tstable-0.2.2/bucket_5m_us", Dialect::kV1, {.column = "ts", .tags = {}, .kind = bucket(5, kMinute)}},
      {"tstable-0.2.2/bucket_1h_ns", Dialect::kV1, {.column = "ts", .tags = {}, .kind = bucket(1, kHour)}},
      {"tstable-0.2.2/bucket_7d_ms", Dialect::kV1, {.column = "ts", .tags = {}, .kind = bucket(7, kDay)}},
      {"tstable-0.9.0/gran_30s_ms", Dialect::kV7, {.column = "ts", .tags = {"symbol"}, .kind = bucket(30, kSecond)}},
      {"tstable-0.9.0/gran_1h_ns", Dialect::kV7, {.column = "ts", .tags = {"symbol"}, .kind = bucket(1, kHour)}},
      {"tstable-0.9.0/pre_epoch", Dialect::kV7, {.column = "ts", .tags = {"symbol"}, .kind = bucket(1, kHour)}},
  };
  for (const Table& table : tables) {
    SCOPED_TRACE(table.folder);
    const fs::path folder = data() / table.folder;
    const auto store = value_of(io::make_local_store(folder));
    const std::vector<fs::path> files = segments_under(folder);
    ASSERT_EQ(files.size(), 1U);
    const std::string key = fs::relative(files[0], folder).generic_string();
    const auto rows = value_of(open_parquet_rows(*store, key, {}));
    CoverageBuilder builder(
        table.dialect, table.index,
        table.dialect == Dialect::kV1 ? CoverageBuilder::Duplicates::kAllow : CoverageBuilder::Duplicates::kReject,
        key);
    std::shared_ptr<arrow::RecordBatch> batch;
    while (rows->ReadNext(&batch).ok() && batch) expect_ok(builder.add(*batch));
    EXPECT_EQ(coverage::encode(table.dialect, table.index, builder.finish().coverage), stored_coverage(folder));
  }
}

}  // namespace
}  // namespace marigram::segment::testing
