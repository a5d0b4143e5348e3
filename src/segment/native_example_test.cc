// The worked example of docs/format/segment.md, byte for byte. Without this test the page could describe a format that
// nobody writes, and a change of it could go unnoticed.
#include "coverage/coverage_map.h"
#include "segment/arrow_schema.h"
#include "segment/coverage_builder.h"
#include "segment/native_reader.h"
#include "segment/native_writer.h"
#include "segment/test_rows.h"

#include <arrow/api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace marigram::segment::testing {
namespace {

constexpr const char* kKey = "example.mgs";

/// Three trades of two symbols, one of them without a price.
Rows example() {
  Rows rows = tick_rows(1, 0);
  rows.schema.columns.pop_back();
  const auto schema = value_of(to_arrow(rows.schema));
  arrow::TimestampBuilder times(schema->field(0)->type(), arrow::default_memory_pool());
  arrow::StringBuilder symbols;
  arrow::DoubleBuilder prices;
  EXPECT_TRUE(times.AppendValues({1'704'067'200'000'000, 1'704'067'201'000'000, 1'704'067'200'000'000}).ok());
  EXPECT_TRUE(symbols.AppendValues({"A", "A", "B"}).ok());
  EXPECT_TRUE(prices.AppendValues({10.25, 10.5, 0}, {true, true, false}).ok());
  rows.batch = arrow::RecordBatch::Make(schema, 3, {*times.Finish(), *symbols.Finish(), *prices.Finish()});
  return rows;
}

codec::Buffer presence(const Rows& rows) {
  CoverageBuilder builder(Dialect::kV7, rows.index, CoverageBuilder::Duplicates::kReject, "the example");
  expect_ok(builder.add(*rows.batch));
  const std::string bytes = coverage::encode(Dialect::kV7, rows.index, builder.finish().coverage);
  return {bytes.begin(), bytes.end()};
}

std::string written(const Rows& rows) {
  const auto store = make_store();
  const auto writer = value_of(NativeWriter::create(*store, kKey, rows.schema, rows.index, presence(rows)));
  expect_ok(writer->write(*rows.batch));
  value_of(writer->finish());
  return value_of(store->read(kKey)).bytes;
}

/// The bytes on the page: in lines that begin with four blanks and an offset, up to two blanks in a row.
std::string documented() {
  std::ifstream page(MARIGRAM_SOURCE_DIR "/docs/format/segment.md");
  std::string bytes;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("    0x")) continue;
    std::string hex = line.substr(line.find("  ", 4) + 2);
    hex = hex.substr(0, hex.find("  "));
    std::istringstream words(hex);
    for (std::string word; words >> word;) bytes.push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
  }
  return bytes;
}

std::string hex_of(const std::string& bytes) {
  std::string hex;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    hex += fmt::format("{}{:02x}", i % 16 == 0 ? "\n" : " ", static_cast<unsigned char>(bytes[i]));
  }
  return hex;
}

TEST(NativeExample, IsAsDocumented) {
  const Rows rows = example();
  EXPECT_EQ(hex_of(written(rows)), hex_of(documented()));
  const auto store = make_store();
  value_of(store->put(kKey, documented()));
  const auto reader = NativeReader::open(*store, kKey);
  ASSERT_TRUE(reader) << reader.error().message;
  const auto stream = value_of((*reader)->read(rows.schema, rows.index, everything(rows.schema)));
  EXPECT_TRUE(same_rows(*value_of(drain(*stream, everything(rows.schema), rows)), *rows.batch));
}

}  // namespace
}  // namespace marigram::segment::testing
