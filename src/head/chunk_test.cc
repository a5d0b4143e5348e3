// Chunks: what goes in comes out bit for bit, and damage is harmless.
#include "head/chunk.h"

#include "codec/test_blocks.h"
#include "head/test_rows.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace marigram::head {
namespace {

using testing::Random;

/// Rows of one series, in order.
Rows random_rows(Random& random, const Fields& fields, std::size_t count, StringArena& arena, unsigned nulls) {
  Rows rows(fields);
  std::int64_t time = static_cast<std::int64_t>(random());
  for (std::size_t row = 0; row < count; ++row) {
    rows.times.push_back(time);
    if (time < std::numeric_limits<std::int64_t>::max() - 1'000) time += static_cast<std::int64_t>(random() % 1'000);
    for (Column& column : rows.columns) {
      const bool null = random() % 100 < nulls;
      column.valid.push_back(null ? 0 : 1);
      if (column.is_text()) {
        column.strings.push_back(null ? std::string_view() : arena.put("s" + std::to_string(random() % 10)));
      } else {
        column.cells.push_back(null ? 0 : testing::random_cell(random, column.type));
      }
    }
  }
  return rows;
}

std::vector<std::uint32_t> all_of(std::size_t count) {
  std::vector<std::uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

TEST(Chunk, ComesBackAsItWas) {
  Random random(1);
  const Fields fields = testing::all_kinds();
  for (int i = 0; i < 300; ++i) {
    StringArena arena;
    const std::size_t count = i == 0 ? 1 : 1 + random() % kChunkRowsMax;
    const unsigned nulls = i % 3 == 0 ? 0 : (i % 3 == 1 ? 100 : 30);
    const Rows rows = random_rows(random, fields, count, arena, nulls);
    codec::Buffer bytes;
    const ChunkInfo info = encode_chunk(rows, 0, count, bytes);
    bytes.push_back(0);  // of the next chunk
    Rows back(fields);
    ASSERT_TRUE(decode_chunk(bytes, info, fields, all_of(fields.size()), back));
    EXPECT_EQ(testing::to_model(back), testing::to_model(rows));
  }
}

TEST(Chunk, GivesTheColumnsThatAreAskedFor) {
  Random random(2);
  const Fields fields = testing::all_kinds();
  StringArena arena;
  const Rows rows = random_rows(random, fields, 100, arena, 10);
  codec::Buffer bytes;
  const ChunkInfo info = encode_chunk(rows, 20, 80, bytes);
  const std::vector<std::uint32_t> chosen{2, 7, 0};  // 7: a field that was added later
  Fields asked{fields[2], {.name = "later"}, fields[0]};
  Rows back(asked);
  ASSERT_TRUE(decode_chunk(bytes, info, fields, chosen, back));
  Rows expected(asked);
  expected.append(rows, 20, 60, chosen);
  EXPECT_EQ(testing::to_model(back), testing::to_model(expected));
}

TEST(Chunk, SurvivesDamage) {
  Random random(3);
  const Fields fields = testing::all_kinds();
  for (int i = 0; i < 20; ++i) {
    StringArena arena;
    const Rows rows = random_rows(random, fields, 50, arena, i % 2 == 0 ? 0 : 30);
    codec::Buffer bytes;
    const ChunkInfo info = encode_chunk(rows, 0, 50, bytes);
    codec::testing::expect_damage_is_harmless(bytes, random, [&](codec::Bytes block) {
      Rows back(fields);
      return decode_chunk(block, info, fields, all_of(fields.size()), back);
    });
  }
}

TEST(Chunk, KeepsEveryBitOfDoubles) {
  const Fields fields{{.name = "v"}};
  Rows rows(fields);
  const std::vector<std::uint64_t> bits{
      0, 1, std::uint64_t{1} << 63, 0x7ff0'0000'0000'0000, 0x7ff8'0000'dead'beef, 0xfff0'0000'0000'0001};
  for (const std::uint64_t cell : bits) {
    rows.times.push_back(std::numeric_limits<std::int64_t>::max());
    rows.columns[0].cells.push_back(cell);
    rows.columns[0].valid.push_back(1);
  }
  codec::Buffer bytes;
  const ChunkInfo info = encode_chunk(rows, 0, bits.size(), bytes);
  Rows back(fields);
  ASSERT_TRUE(decode_chunk(bytes, info, fields, all_of(1), back));
  EXPECT_EQ(back.columns[0].cells, bits);
  EXPECT_EQ(back.times, rows.times);
}

}  // namespace
}  // namespace marigram::head
