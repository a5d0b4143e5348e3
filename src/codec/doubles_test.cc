// Doubles come back bit for bit, and damaged blocks are harmless. Without these tests the payload of a NaN, the sign of
// a zero or the last digit of a decimal could be lost.
#include "codec/doubles.h"

#include "codec/test_blocks.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace marigram::codec::testing {
namespace {

using Values = std::vector<double>;
using Limits = std::numeric_limits<double>;

std::vector<std::uint64_t> bits_of(const Values& values) {
  std::vector<std::uint64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<std::uint64_t>(value));
  return bits;
}

constexpr std::array kMethods{Method::kQuick,       Method::kAuto,    Method::kDelta,
                              Method::kDoubleDelta, Method::kGorilla, Method::kDictionary};

Buffer encoded(const Values& values, Method method = Method::kQuick) {
  Buffer block;
  encode_doubles(values, block, method);
  return block;
}

void expect_same(const Values& values) {
  for (const Method method : kMethods) {
    Buffer block{7};
    encode_doubles(values, block, method);
    block.push_back(9);
    Bytes bytes = Bytes(block).subspan(1);
    std::vector<std::uint64_t> decoded(values.size());
    ASSERT_TRUE(decode_doubles(bytes, decoded));
    ASSERT_EQ(decoded, bits_of(values));
    ASSERT_EQ(bytes.size(), 1U);
    ASSERT_EQ(bytes.front(), 9);
  }
}

/// Of all kinds: decimals, also among others, integers, measurements, few distinct ones, floats, any bits.
Values random_values(Random& random) {
  Values values(static_cast<std::size_t>(1 + below(random, below(random, 2) == 0 ? 5 : 1'100)));
  const std::int64_t kind = below(random, 11);
  const std::int64_t others = 2 + below(random, 200);
  const double power = std::pow(10.0, static_cast<double>(below(random, 17)));
  const std::int64_t range = 1 + below(random, 1'000'000);
  double walk = 20;
  for (double& value : values) {
    switch (kind) {
      case 0:
        value = static_cast<double>(below(random, range) - range / 2) / power;
        break;
      case 1:
        value = walk += static_cast<double>(below(random, 1'000) - 500) * 1e-5;
        break;
      case 2:
        value = static_cast<double>(below(random, 5)) * 0.1234567890123;
        break;
      case 3:
        value = static_cast<double>(static_cast<float>(below(random, range)) * 0.37F);
        break;
      case 4:
        value = std::bit_cast<double>(random());
        break;
      case 5:
        value = std::array{
            0.0,           -0.0, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min(),
            Limits::max(), 1.0}[random() % 8];
        break;
      case 6:
        value = below(random, others) == 0 ? std::bit_cast<double>(random())
                                           : static_cast<double>(below(random, range) - range / 2) / power;
        break;
      case 7:  // sums of decimals
        value = static_cast<double>(below(random, range)) / power + 0.1 + 0.2;
        break;
      case 8:  // decimals of single precision
        value = static_cast<double>(static_cast<float>(static_cast<double>(below(random, range) - range / 2) / power));
        break;
      case 9:  // often the same ones
        value = std::sin(static_cast<double>(below(random, others)));
        break;
      default:
        value = 0.1;
        break;
    }
  }
  return values;
}

class DoublesTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(DoublesTest, ComeBackBitForBit) {
  Random random(GetParam());
  for (int i = 0; i < 50; ++i) {
    ASSERT_NO_FATAL_FAILURE(expect_same(random_values(random))) << "seed " << GetParam() << " round " << i;
  }
}

TEST_P(DoublesTest, DamageIsHarmless) {
  Random random(GetParam() + 1'000);
  const Values values = random_values(random);
  for (const Method method : kMethods) {
    expect_damage_is_harmless(encoded(values, method), random, [&](Bytes& bytes) {
      std::vector<std::uint64_t> decoded(values.size());
      return decode_doubles(bytes, decoded);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, DoublesTest, ::testing::Range<std::uint64_t>(1, 61));

RC_GTEST_PROP(Doubles, AnyBitsComeBack, (const std::vector<std::uint64_t>& bits, unsigned method)) {
  RC_PRE(!bits.empty());
  Values values;
  for (const std::uint64_t word : bits) values.push_back(std::bit_cast<double>(word));
  const Buffer block = encoded(values, kMethods[method % kMethods.size()]);
  Bytes bytes(block);
  std::vector<std::uint64_t> decoded(values.size());
  RC_ASSERT(decode_doubles(bytes, decoded));
  RC_ASSERT(decoded == bits);
  RC_ASSERT(bytes.empty());
}

TEST(Doubles, NaNPayloadsAndSignsOfZeroAreKept) {
  Values values;
  for (const std::uint64_t payload :
       {0x7ff8000000000000U, 0x7ff0000000000001U, 0xfff8dead0000beefU, 0xffffffffffffffffU}) {
    values.insert(values.end(), {std::bit_cast<double>(payload), 0.0, -0.0, 1.5});
  }
  expect_same(values);
  expect_same({-0.0});
  expect_same({0.0, -0.0});
}

TEST(Doubles, UsualSeriesAreSmall) {
  EXPECT_LE(encoded(Values(1'000, 0.0)).size(), 2U);
  EXPECT_LE(encoded(Values(1'000, 1.0 / 3)).size(), 140U);  // a bit each
  Values cents;
  for (int i = 0; i < 1'000; ++i) cents.push_back((10'000 + i * 7'919 % 256) / 100.0);
  EXPECT_LE(encoded(cents).size(), 1'010U);  // a byte each
  cents[500] = Limits::quiet_NaN();
  cents[700] = 1.0 / 3;
  EXPECT_LE(encoded(cents).size(), 1'050U);
}

}  // namespace
}  // namespace marigram::codec::testing
