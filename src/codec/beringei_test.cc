// Gorilla's own data: 5,000 short series of the monitoring system that it was made for (samples of Beringei's tests).
// Without this test the encodings could get larger and nobody would know.
#include "codec/doubles.h"
#include "codec/integers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace marigram::codec {
namespace {

constexpr std::int64_t kPartition = 86'400;  // seconds
constexpr std::size_t kChunkRows = 1'024;

TEST(Beringei, TakesLessThanGorilla) {
  const std::filesystem::path path =
      std::filesystem::path(MARIGRAM_SOURCE_DIR) / "../shared/suites/beringei/samples5000.txt";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path;
  std::ifstream file(path);
  std::size_t points = 0;
  std::size_t time_bytes = 0;
  std::size_t value_bytes = 0;
  for (std::size_t count = 0; file >> count;) {
    std::vector<std::int64_t> times(count);
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(file >> times[i] >> values[i]);
    for (std::size_t begin = 0; begin < count; begin += kChunkRows) {
      const std::size_t rows = std::min(kChunkRows, count - begin);
      Buffer time_block;
      Buffer value_block;
      encode_integers(std::span(times).subspan(begin, rows), times[begin] / kPartition * kPartition, time_block);
      encode_doubles(std::span(values).subspan(begin, rows), value_block);
      time_bytes += time_block.size();
      value_bytes += value_block.size();
    }
    points += count;
  }
  ASSERT_EQ(points, 128'517U);
  const double bytes_each = static_cast<double>(time_bytes + value_bytes) / static_cast<double>(points);
  RecordProperty("bytes_each", std::to_string(bytes_each));
  RecordProperty("time_bytes_each", std::to_string(static_cast<double>(time_bytes) / static_cast<double>(points)));
  EXPECT_LE(bytes_each, 1.37);  // Gorilla's, over two hours of each series (VLDB 2015, figure 6)
}

}  // namespace
}  // namespace marigram::codec
