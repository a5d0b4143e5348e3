// Without these tests a damaged footer could pass for a sound one.
#include "segment/checksums.h"

#include "base/hash.h"
#include "segment/test_rows.h"

#include <marigram/error.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace marigram::segment::testing {
namespace {

constexpr std::string_view kFooter{"\x15\x04some thrift\x00", 14};

std::string random_bytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

FileChecksums checksum(std::string_view bytes, std::size_t step) {
  BlockChecksummer checksummer;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    checksummer.add(std::as_bytes(std::span(bytes.substr(at, step))));
  }
  return checksummer.finish();
}

TEST(Checksums, BlocksAreTheSameHoweverTheBytesCome) {
  Random random(1);
  for (const std::size_t size : {0UZ, 1UZ, 16'383UZ, 16'384UZ, 16'385UZ, 100'000UZ}) {
    const std::string bytes = random_bytes(random, size);
    const FileChecksums sums = checksum(bytes, size + 1);
    EXPECT_EQ(sums.covered, size);
    ASSERT_EQ(sums.blocks.size(), (size + sums.block_bytes - 1) / sums.block_bytes);
    for (std::size_t i = 0; i < sums.blocks.size(); ++i) {
      EXPECT_EQ(sums.blocks[i], crc32c(std::string_view(bytes).substr(i * sums.block_bytes, sums.block_bytes)));
    }
    for (const std::size_t step : {1UZ, 7UZ, 16'384UZ, 50'000UZ}) EXPECT_EQ(checksum(bytes, step).blocks, sums.blocks);
  }
}

TEST(Checksums, ComeBackFromTheFooter) {
  Random random(2);
  for (const std::size_t size : {0UZ, 10UZ, 16'384UZ, 2'000'000UZ}) {
    const FileChecksums sums = checksum(random_bytes(random, size), 4'096);
    const std::string footer = add_checksums(kFooter, sums);
    EXPECT_EQ(footer.substr(0, kFooter.size() - 1), kFooter.substr(0, kFooter.size() - 1));
    EXPECT_EQ(footer.back(), '\0');
    const auto back = value_of(read_checksums(footer, size, "cannot read x"));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->covered, sums.covered);
    EXPECT_EQ(back->block_bytes, sums.block_bytes);
    EXPECT_EQ(back->blocks, sums.blocks);
  }
}

TEST(Checksums, ForeignFootersHaveNone) {
  EXPECT_FALSE(value_of(read_checksums(kFooter, 100, "cannot read x")));
  EXPECT_FALSE(value_of(read_checksums(std::string_view("\0", 1), 100, "cannot read x")));
  Random random(3);
  for (std::size_t size = 1; size < 300; ++size) {
    EXPECT_FALSE(value_of(read_checksums(random_bytes(random, size), 100, "cannot read x")));
  }
}

TEST(Checksums, EveryFlippedBitOfTheFooterIsNoticed) {
  Random random(4);
  const std::string footer = add_checksums(kFooter, checksum(random_bytes(random, 50'000), 1'000));
  for (std::size_t bit = 0; bit < footer.size() * 8; ++bit) {
    std::string damaged = footer;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const auto sums = read_checksums(damaged, 50'000, "cannot read x");
    // Without the magic the footer looks like a foreign one; SegmentFile knows better by the writer's name.
    const bool magic_gone = bit / 8 + 9 >= footer.size() && bit / 8 + 1 < footer.size();
    ASSERT_TRUE(magic_gone ? sums && !*sums : !sums) << bit;
    if (sums) continue;
    EXPECT_EQ(sums.error().code, ErrorCode::kCorruption);
  }
  EXPECT_FALSE(read_checksums(footer, 49'999, "cannot read x")) << "of another file";
}

}  // namespace
}  // namespace marigram::segment::testing
