// Without these tests a decoder could skip to the wrong value, read past a page, or differ from Parquet's own encoders:
// every width, random runs, skips and cuts are compared with values kept beside them.
#include "codec/packed_bits.h"
#include "segment/delta_decoder.h"
#include "segment/hybrid_decoder.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>
#include <parquet/encoding.h>
#include <parquet/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <vector>

namespace marigram::segment {
namespace {

using Random = std::mt19937_64;
using Buffer = std::vector<std::uint8_t>;

std::uint64_t low_bits(std::uint64_t value, unsigned width) {
  return width == 0 ? 0 : value & (~std::uint64_t{0} >> (64 - width));
}

/// Bit by bit. The bytes have exactly the size that they need, so that the address sanitizer sees a step beyond.
Buffer pack(const std::vector<std::uint64_t>& values, unsigned width) {
  Buffer bytes((values.size() * width + 7) / 8);
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (unsigned bit = 0; bit < width; ++bit) {
      const std::size_t at = i * width + bit;
      bytes[at / 8] |= static_cast<std::uint8_t>(((values[i] >> bit) & 1U) << (at % 8));
    }
  }
  return bytes;
}

template <typename T>
void check_unpacking(unsigned width, Random& random) {
  std::vector<std::uint64_t> values(random() % 200);
  for (auto& value : values) value = low_bits(random(), width);
  const Buffer bytes = pack(values, width);
  for (int i = 0; i < 20; ++i) {
    const std::size_t begin = random() % (values.size() + 1);
    const std::size_t count = random() % (values.size() - begin + 1);
    std::vector<T> out(count);
    codec::unpack(codec::Bytes(bytes), width, begin, count, out.data());
    ASSERT_TRUE(std::ranges::equal(out, std::span(values).subspan(begin, count))) << width << ' ' << begin;
  }
}

TEST(PackedBits, EveryWidthUnpacksFromAnywhere) {
  Random random(1);
  for (int round = 0; round < 20; ++round) {
    for (unsigned width = 1; width <= 32; ++width) check_unpacking<std::uint32_t>(width, random);
    for (unsigned width = 1; width <= 64; ++width) check_unpacking<std::uint64_t>(width, random);
  }
}

void append_uleb128(Buffer& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7U) bytes.push_back(static_cast<std::uint8_t>(value | 0x80U));
  bytes.push_back(static_cast<std::uint8_t>(value));
}

TEST(PackedBits, Uleb128) {
  Random random(2);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t value = low_bits(random(), 1 + random() % 64);
    Buffer bytes;
    append_uleb128(bytes, value);
    codec::Bytes rest(bytes);
    EXPECT_EQ(codec::take_uleb128(rest), value);
    EXPECT_TRUE(rest.empty());
    codec::Bytes cut = codec::Bytes(bytes).first(bytes.size() - 1);
    EXPECT_FALSE(codec::take_uleb128(cut));
  }
  const Buffer large(10, 0xFF);
  codec::Bytes rest(large);
  EXPECT_FALSE(codec::take_uleb128(rest));
}

struct Hybrid {
  Buffer bytes;
  std::vector<std::uint32_t> values;
};

Hybrid random_hybrid(Random& random, unsigned width) {
  Hybrid hybrid;
  for (std::uint64_t runs = random() % 8; runs > 0; --runs) {
    if (random() % 2 == 0) {
      const std::uint64_t length = 1 + random() % 300;
      const auto value = static_cast<std::uint32_t>(low_bits(random(), width));
      append_uleb128(hybrid.bytes, length << 1U);
      for (unsigned i = 0; i < (width + 7) / 8; ++i)
        hybrid.bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
      hybrid.values.insert(hybrid.values.end(), length, value);
    } else {
      std::vector<std::uint64_t> values(8 * (1 + random() % 30));
      for (auto& value : values) value = low_bits(random(), width);
      append_uleb128(hybrid.bytes, (values.size() / 8) << 1U | 1U);
      std::ranges::copy(pack(values, width), std::back_inserter(hybrid.bytes));
      std::ranges::copy(values, std::back_inserter(hybrid.values));
    }
  }
  return hybrid;
}

TEST(HybridDecoder, ReadsAndSkipsRandomRuns) {
  Random random(3);
  for (int round = 0; round < 2'000; ++round) {
    const auto width = static_cast<unsigned>(random() % 33);
    const Hybrid hybrid = random_hybrid(random, width);
    HybridDecoder decoder(hybrid.bytes, width);
    for (std::size_t at = 0; at < hybrid.values.size();) {
      const std::size_t count = std::min<std::size_t>(1 + random() % 200, hybrid.values.size() - at);
      if (random() % 2 == 0) {
        ASSERT_TRUE(decoder.skip(count));
      } else {
        std::vector<std::uint32_t> out(count);
        ASSERT_TRUE(decoder.read(out.data(), count));
        ASSERT_TRUE(std::ranges::equal(out, std::span(hybrid.values).subspan(at, count))) << width;
      }
      at += count;
    }
    std::uint32_t more = 0;
    EXPECT_FALSE(decoder.skip(1));
    EXPECT_FALSE(decoder.read(&more, 1));
  }
}

TEST(HybridDecoder, EndsWhereBytesAreCutOrWild) {
  Random random(4);
  for (int round = 0; round < 5'000; ++round) {
    const auto width = static_cast<unsigned>(random() % 33);
    Buffer bytes = random_hybrid(random, width).bytes;
    if (random() % 2 == 0) bytes.resize(random() % (bytes.size() + 1));
    for (std::size_t i = 0; i < bytes.size() && random() % 2 == 0; ++i) bytes[random() % bytes.size()] = random() % 256;
    bytes.shrink_to_fit();
    HybridDecoder decoder(bytes, width);
    std::vector<std::uint32_t> out(64);
    for (int i = 0; i < 200; ++i) {
      if (!(i % 3 == 0 ? decoder.skip(random() % 1'000) : decoder.read(out.data(), out.size()))) break;
    }
  }
}

/// As Parquet's own encoder has it. Regular, nearly regular and wild values take different ways.
std::vector<std::int64_t> random_numbers(Random& random) {
  std::vector<std::int64_t> values(random() % 1'000);
  auto value = static_cast<std::int64_t>(random());
  const auto step = static_cast<std::int64_t>(random() % 1'000'000);
  const auto kind = random() % 4;
  for (auto& next : values) {
    next = value;
    auto delta = static_cast<std::uint64_t>(step);
    if (kind == 1 && random() % 100 == 0) delta = 0 - delta * 70;
    if (kind == 2) delta = random() % 50;
    if (kind == 3) delta = low_bits(random(), 1 + random() % 64);
    value = static_cast<std::int64_t>(static_cast<std::uint64_t>(value) + delta);
  }
  return values;
}

Buffer encode_deltas(const std::vector<std::int64_t>& values) {
  const auto encoder = parquet::MakeTypedEncoder<parquet::Int64Type>(parquet::Encoding::DELTA_BINARY_PACKED);
  encoder->Put(values.data(), static_cast<int>(values.size()));
  const auto buffer = encoder->FlushValues();
  return {buffer->data(), buffer->data() + buffer->size()};
}

TEST(DeltaDecoder, ReadsWhatParquetsEncoderWrites) {
  Random random(5);
  for (int round = 0; round < 2'000; ++round) {
    const std::vector<std::int64_t> values = random_numbers(random);
    const Buffer bytes = encode_deltas(values);
    DeltaDecoder decoder{codec::Bytes(bytes)};
    std::vector<std::int64_t> decoded;
    while (true) {
      DeltaDecoder::Stretch stretch;
      const std::size_t unwanted = random() % 2 == 0 ? 0 : random() % 400;
      ASSERT_TRUE(decoder.next(stretch, unwanted));
      if (stretch.count == 0) break;
      if (stretch.count <= unwanted) {
        for (std::size_t i = 0; i < stretch.count; ++i) decoded.push_back(values[decoded.size()]);
        continue;
      }
      for (std::size_t i = 0; i < stretch.count; ++i) {
        decoded.push_back(
            static_cast<std::int64_t>(stretch.values.empty() ? stretch.first + stretch.step * i : stretch.values[i]));
      }
    }
    ASSERT_EQ(decoded, values);
  }
}

TEST(DeltaDecoder, EndsWhereBytesAreCutOrWild) {
  Random random(6);
  for (int round = 0; round < 5'000; ++round) {
    Buffer bytes = encode_deltas(random_numbers(random));
    if (random() % 2 == 0) bytes.resize(random() % (bytes.size() + 1));
    for (std::size_t i = 0; i < bytes.size() && random() % 2 == 0; ++i) bytes[random() % bytes.size()] = random() % 256;
    bytes.shrink_to_fit();
    DeltaDecoder decoder{codec::Bytes(bytes)};
    DeltaDecoder::Stretch stretch;
    for (int i = 0; i < 2'000 && decoder.next(stretch) && stretch.count > 0; ++i) {
    }
  }
}

}  // namespace
}  // namespace marigram::segment
