// Sequences come back as they were, in hardly more room than the entropy of what they are made of. Without these tests
// a segment could take twice the room that it should, and nobody would know.
#include "codec/sequence.h"

#include "codec/bins.h"
#include "codec/tans.h"
#include "codec/test_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <random>
#include <vector>

namespace marigram::codec::testing {
namespace {

using Numbers = std::vector<std::uint64_t>;

/// Bits a number; the sequence must come back.
double bits_each(const Numbers& numbers) {
  Buffer block;
  put_sequence(numbers, block);
  Bytes bytes(block);
  Numbers decoded(numbers.size());
  EXPECT_TRUE(take_sequence(bytes, decoded));
  EXPECT_TRUE(bytes.empty());
  EXPECT_EQ(decoded, numbers);
  return static_cast<double>(8 * block.size()) / static_cast<double>(numbers.size());
}

/// Of numbers drawn one by one, in bits each.
double entropy(const Numbers& numbers) {
  std::map<std::uint64_t, double> counts;
  for (const std::uint64_t number : numbers) ++counts[number];
  double bits = 0;
  for (const auto& [number, count] : counts) bits -= count * std::log2(count / static_cast<double>(numbers.size()));
  return bits / static_cast<double>(numbers.size());
}

Numbers drawn(auto distribution, std::uint64_t seed) {
  Random random(seed);
  Numbers numbers(8'192);
  for (std::uint64_t& number : numbers) number = static_cast<std::uint64_t>(std::llround(distribution(random)));
  return numbers;
}

/// Each number added to those before.
Numbers added_up(Numbers numbers) {
  std::partial_sum(numbers.begin(), numbers.end(), numbers.begin());
  return numbers;
}

TEST(Sequence, TakesHardlyMoreThanTheEntropy) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    for (const Numbers& numbers :
         {drawn(std::normal_distribution(1e6, 1.0), seed), drawn(std::normal_distribution(1e6, 20.0), seed),
          drawn(std::geometric_distribution<int>(0.3), seed), drawn(std::uniform_int_distribution(0, 200), seed),
          drawn(std::discrete_distribution<int>({98, 1, 1}), seed)}) {
      const double least = entropy(numbers);
      EXPECT_LT(bits_each(numbers), 1.03 * least + 0.06) << seed;
      EXPECT_LT(bits_each(added_up(numbers)), 1.03 * least + 0.06) << seed;
      EXPECT_LT(bits_each(added_up(added_up(numbers))), 1.03 * least + 0.06) << seed;
    }
  }
}

TEST(Sequence, NumbersThatComeAgainTakeTheirPositions) {
  Random random(4);
  Numbers wild(300);
  for (std::uint64_t& number : wild) number = random();
  Numbers numbers(8'192);
  for (std::uint64_t& number : numbers) number = wild[random() % wild.size()];
  EXPECT_LT(bits_each(numbers), 1.03 * std::log2(300) + 300 * 58.0 / 8'192);
}

TEST(Sequence, OnesInTurnTakeTheirDifferences) {
  Random random(5);
  Numbers numbers(8'192);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i % 3 == 0 ? 1'000'000 + random() % 2 : i % 3 * 5'000;
  EXPECT_LT(bits_each(numbers), 1.1);
}

TEST(Sequence, AnyLengthComesBack) {
  Random random(6);
  for (std::size_t count = 1; count < 200; ++count) {
    for (const unsigned width : {0U, 1U, 7U, 40U, 57U, 58U, 63U}) {
      Numbers numbers(count);
      for (std::uint64_t& number : numbers) number = random() >> (63 - width);
      bits_each(numbers);
    }
  }
}

TEST(Sequence, DamageIsHarmless) {
  Random random(7);
  for (const Numbers& numbers :
       {drawn(std::normal_distribution(1e6, 20.0), 8), added_up(drawn(std::geometric_distribution<int>(0.3), 9))}) {
    Buffer block;
    put_sequence(numbers, block);
    for (std::size_t bit = 0; bit < 8 * block.size(); ++bit) {
      Buffer flipped(block);
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      Bytes bytes(flipped);
      Numbers decoded(numbers.size());
      (void)take_sequence(bytes, decoded);
    }
  }
}

TEST(Bins, HoldTheirNumbers) {
  Random random(10);
  for (int round = 0; round < 300; ++round) {
    Numbers numbers(1 + random() % 500);
    for (std::uint64_t& number : numbers) number = random() >> random() % 64;
    const Bins bins = choose_bins(numbers);
    ASSERT_LE(bins.bins.size(), kTansSymbolsMax);
    std::size_t count = 0;
    for (const Bin& bin : bins.bins) count += bin.count;
    ASSERT_EQ(count, numbers.size());
    Buffer block;
    put_binned(numbers, bins, block);
    Bytes bytes(block);
    Numbers decoded(numbers.size());
    ASSERT_TRUE(take_binned(bytes, decoded));
    ASSERT_EQ(decoded, numbers);
  }
}

TEST(Bins, SortAsTheStandardLibraryDoes) {
  Random random(11);
  for (int round = 0; round < 200; ++round) {
    Numbers numbers(1 + random() % 3'000);
    const unsigned shift = random() % 64;
    for (std::uint64_t& number : numbers) number = random() >> shift << random() % 2;
    Numbers sorted(numbers);
    std::ranges::sort(sorted);
    radix_sort(numbers);
    ASSERT_EQ(numbers, sorted);
  }
}

TEST(Tans, WeightsAddUpWhateverTheCounts) {
  Random random(12);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::size_t> counts(1 + random() % 128);
    for (std::size_t& count : counts) count = 1 + (random() >> random() % 64) % 1'000'000;
    for (unsigned log = 8; log <= kTansLogMax; ++log) {
      const auto weights = tans_weights(counts, log);
      ASSERT_EQ(std::accumulate(weights.begin(), weights.end(), 0U), 1U << log);
      ASSERT_GT(*std::ranges::min_element(weights), 0U);
    }
  }
}

}  // namespace
}  // namespace marigram::codec::testing
