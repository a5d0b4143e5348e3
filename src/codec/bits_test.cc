// What is written bit by bit is read back, and is laid out as packed_bits.h reads it. Without these tests a value could
// lose its highest bits at the border of a word.
#include "codec/bit_reader.h"
#include "codec/bit_writer.h"
#include "codec/test_blocks.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace marigram::codec::testing {
namespace {

std::uint64_t random_bits(Random& random, unsigned width) {
  return width == 0 ? 0 : random() >> (64 - width);
}

TEST(Bits, ValuesOfAnyWidthComeBack) {
  Random random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::pair<std::uint64_t, unsigned>> values(random() % 100);
    Buffer bytes;
    BitWriter writer(bytes);
    std::size_t bits = 0;
    for (auto& [value, width] : values) {
      width = static_cast<unsigned>(random() % 65);
      value = random_bits(random, width);
      writer.put(value, width);
      bits += width;
    }
    writer.finish();
    ASSERT_EQ(bytes.size(), (bits + 7) / 8);
    BitReader reader{Bytes(bytes)};
    for (const auto& [value, width] : values) ASSERT_EQ(reader.take(width), value);
    EXPECT_FALSE(reader.ended_before());
    EXPECT_EQ(reader.bytes_read(), bytes.size());
    EXPECT_EQ(reader.take(64), 0U);
    EXPECT_TRUE(reader.ended_before());
  }
}

TEST(Bits, EqualWidthsAreTheLayoutOfUnpack) {
  Random random(2);
  for (unsigned width = 1; width <= 64; ++width) {
    std::vector<std::uint64_t> values(100);
    Buffer bytes;
    BitWriter writer(bytes);
    for (std::uint64_t& value : values) {
      value = random_bits(random, width);
      writer.put(value, width);
    }
    writer.finish();
    std::vector<std::uint64_t> unpacked(values.size());
    unpack(Bytes(bytes), width, 0, values.size(), unpacked.data());
    EXPECT_EQ(unpacked, values) << width;
  }
}

TEST(Bits, SomeOfManyAreUnpackedWithoutReadingOutside) {
  Random random(5);
  for (int round = 0; round < 20; ++round) {
    for (unsigned width = 1; width <= 64; ++width) {
      std::vector<std::uint64_t> values(1 + random() % 200);
      Buffer bytes;
      BitWriter writer(bytes);
      for (std::uint64_t& value : values) {
        value = random_bits(random, width);
        writer.put(value, width);
      }
      writer.finish();
      const Buffer exact(bytes);  // of no more room, so that the address sanitizer sees a step outside
      const std::size_t begin = random() % values.size();
      const std::size_t count = random() % (values.size() - begin + 1);
      std::vector<std::uint64_t> unpacked(count);
      unpack(Bytes(exact), width, begin, count, unpacked.data());
      ASSERT_TRUE(std::equal(unpacked.begin(), unpacked.end(), values.begin() + static_cast<std::ptrdiff_t>(begin)))
          << width;
    }
  }
}

TEST(Bits, SumsAreThoseOfTheValues) {
  Random random(3);
  for (int round = 0; round < 20; ++round) {
    for (unsigned width = 1; width <= 64; ++width) {
      const std::size_t count = random() % 200;
      Buffer bytes;
      BitWriter writer(bytes);
      std::uint64_t sum = 0;
      for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t value = random_bits(random, width);
        writer.put(value, width);
        sum += value;
      }
      writer.finish();
      ASSERT_EQ(sum_packed(Bytes(bytes), width, count), sum) << width;
    }
  }
}

TEST(Bits, OnesAreCountedUpToAZeroOrALimit) {
  const Buffer bytes{0b1011'0111};
  BitReader reader{Bytes(bytes)};
  EXPECT_EQ(reader.take_ones(5), 3U);
  EXPECT_EQ(reader.take_ones(2), 2U);
  EXPECT_EQ(reader.take_ones(5), 0U);
  EXPECT_EQ(reader.take_ones(5), 1U);
  EXPECT_TRUE(reader.ended_before());
}

TEST(Bits, ZigzagIsOneToOne) {
  Random random(4);
  EXPECT_EQ(zigzag(0), 0U);
  EXPECT_EQ(zigzag(UINT64_MAX), 1U);  // -1
  EXPECT_EQ(zigzag(1), 2U);
  for (unsigned width = 0; width < 64; ++width) {
    const std::uint64_t value = random() >> width;
    EXPECT_EQ(unzigzag(zigzag(value)), value);
    EXPECT_EQ(unzigzag(zigzag(0 - value)), 0 - value);
    Buffer bytes;
    put_uleb128(value, bytes);
    EXPECT_EQ(bytes.size(), uleb128_bytes(value));
    Bytes rest(bytes);
    EXPECT_EQ(take_uleb128(rest), value);
  }
}

}  // namespace
}  // namespace marigram::codec::testing
