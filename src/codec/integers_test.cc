// Integers come back as they were, whatever they are, and damaged blocks are harmless. Without these tests a timestamp
// could change in the last digit, or a flipped bit could make a reader leave its block.
#include "codec/integers.h"

#include "codec/test_blocks.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace marigram::codec::testing {
namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

using Values = std::vector<std::int64_t>;

constexpr std::array kMethods{Method::kQuick,       Method::kAuto,    Method::kDelta,
                              Method::kDoubleDelta, Method::kGorilla, Method::kDictionary};

Buffer encoded(const Values& values, std::int64_t base = 0, Method method = Method::kQuick) {
  Buffer block;
  encode_integers(values, base, block, method);
  return block;
}

void expect_same(const Values& values, std::int64_t base, Method method) {
  Buffer block{7};
  encode_integers(values, base, block, method);
  block.push_back(9);
  Bytes bytes = Bytes(block).subspan(1);
  Values decoded(values.size());
  ASSERT_TRUE(decode_integers(bytes, base, decoded));
  ASSERT_EQ(decoded, values);
  ASSERT_EQ(bytes.size(), 1U);  // the block, and nothing else
  ASSERT_EQ(bytes.front(), 9);
}

/// Of all kinds: regular with and without gaps or jitter, walks, few distinct ones, noise of any width, extremes.
Values random_values(Random& random) {
  Values values(static_cast<std::size_t>(1 + below(random, below(random, 2) == 0 ? 5 : 1'100)));
  const auto width = static_cast<unsigned>(below(random, 64));
  const auto noise = [&] { return static_cast<std::int64_t>(random() >> width); };
  const std::int64_t step = below(random, 3) == 0 ? 1 : 1 + (noise() >> 8U);
  const std::int64_t kind = below(random, 9);
  std::int64_t value = noise();
  for (std::int64_t& next : values) {
    switch (kind) {
      case 0:
        value += step;
        break;
      case 1:
        value += step * (1 + below(random, 4));
        break;
      case 2:
        value += step + below(random, 10) - 5;
        break;
      case 3:
        value = noise();
        break;
      case 4:
        value = (below(random, 3) - 1) * step;
        break;
      case 5:
        value = below(random, 2) == 0 ? kLeast + below(random, 3) : kLargest - below(random, 3);
        break;
      case 6:
        value = below(random, 20) == 0 ? noise() : value + (below(random, 5) - 2) * below(random, 3);
        break;
      case 7:  // a few wild numbers, in turn
        value = (&next - values.data()) % 7 * (step & 0xFFFF) +
                (below(random, 9) == 0 ? (noise() & 15) * (kLargest / 20) : 0);
        break;
      default:
        break;
    }
    next = value;
    value &= kLargest >> 1U;  // no overflow in the test itself
  }
  return values;
}

class IntegersTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(IntegersTest, ComeBack) {
  Random random(GetParam());
  for (int i = 0; i < 50; ++i) {
    const Values values = random_values(random);
    const std::int64_t base = below(random, 2) == 0 ? 0 : values.front() / 2 - below(random, 100);
    for (const Method method : kMethods) {
      ASSERT_NO_FATAL_FAILURE(expect_same(values, base, method)) << "seed " << GetParam() << " round " << i;
    }
  }
}

TEST_P(IntegersTest, DamageIsHarmless) {
  Random random(GetParam() + 1'000);
  const Values values = random_values(random);
  for (const Method method : kMethods) {
    expect_damage_is_harmless(encoded(values, 0, method), random, [&](Bytes& bytes) {
      Values decoded(values.size());
      return decode_integers(bytes, 0, decoded);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, IntegersTest, ::testing::Range<std::uint64_t>(1, 61));

RC_GTEST_PROP(Integers, AnyValuesComeBack, (Values values, std::int64_t base, unsigned method)) {
  RC_PRE(!values.empty());
  const Buffer block = encoded(values, base, kMethods[method % kMethods.size()]);
  Bytes bytes(block);
  Values decoded(values.size());
  RC_ASSERT(decode_integers(bytes, base, decoded));
  RC_ASSERT(decoded == values);
  RC_ASSERT(bytes.empty());
}

TEST(Integers, ExtremesComeBack) {
  for (const Values& values :
       {Values{kLeast}, Values{kLargest}, Values{kLeast, kLargest}, Values{kLargest, kLeast},
        Values{kLeast, 0, kLargest}, Values{kLargest, kLeast, kLargest, kLeast, 0}, Values{0, kLargest, 0, kLeast, -1},
        Values{kLeast, kLeast + 1, kLargest - 1, kLargest}}) {
    for (const std::int64_t base : {std::int64_t{0}, kLeast, kLargest, std::int64_t{-1}}) {
      for (const Method method : kMethods) expect_same(values, base, method);
    }
  }
}

TEST(Integers, UsualSeriesAreSmall) {
  Values regular;
  for (std::int64_t i = 0; i < 1'000; ++i) regular.push_back(1'700'000'000'000'000'000 + i * 1'000'000'000);
  EXPECT_LE(encoded(regular, 1'699'920'000'000'000'000).size(), 12U);
  EXPECT_LE(encoded(Values(1'000, 42)).size(), 2U);
  Values with_gaps(regular);
  std::erase_if(with_gaps, [](std::int64_t time) { return time / 1'000'000'000 % 17 == 0; });
  EXPECT_LE(encoded(with_gaps, 1'699'920'000'000'000'000).size(), 140U);  // a bit a second
  Values narrow;
  for (std::int64_t i = 0; i < 1'000; ++i) narrow.push_back(5'000'000 + i * 7'919 % 16 * 100);
  EXPECT_LE(encoded(narrow).size(), 510U);  // four bits each
}

}  // namespace
}  // namespace marigram::codec::testing
