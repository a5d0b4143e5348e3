// Whatever processor loops are compiled for, the same bytes and the same values come of them, to the last bit. Without
// these tests a file could be read otherwise on another machine.
#include "base/processors.h"

#include "codec/doubles.h"
#include "codec/integers.h"
#include "codec/quotients.h"
#include "codec/test_blocks.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::codec::testing {
namespace {

using Cells = std::vector<std::uint64_t>;

constexpr std::array kMethods{Method::kQuick,       Method::kAuto,    Method::kDelta,
                              Method::kDoubleDelta, Method::kGorilla, Method::kDictionary};

class Processors : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!use_processor(Processor::kWide)) GTEST_SKIP() << "this processor has but one way";
  }
  void TearDown() override { use_processor(best_); }

 private:
  Processor best_ = processor();
};

/// What work() gives on each; both must be equal.
template <typename Work>
auto on_each(Work work) {
  EXPECT_TRUE(use_processor(Processor::kAny));
  auto any = work();
  EXPECT_TRUE(use_processor(Processor::kWide));
  auto wide = work();
  EXPECT_TRUE(any == wide);
  return any;
}

template <typename Values>
Buffer encoded(const Values& values, Method method) {
  Buffer block;
  if constexpr (std::is_same_v<Values, std::vector<double>>) {
    encode_doubles(values, block, method);
  } else {
    encode_integers(values, 0, block, method);
  }
  return block;
}

/// The values and how many bytes are left; nothing if the block is damaged.
template <typename Values>
std::optional<std::pair<Cells, std::size_t>> decoded(const Buffer& block, std::size_t count) {
  Bytes bytes(block);
  Cells cells(count);
  const bool whole =
      std::is_same_v<Values, std::vector<double>> ? decode_doubles(bytes, cells) : decode_integers(bytes, 0, cells);
  if (!whole) return std::nullopt;
  return std::pair(cells, bytes.size());
}

/// Blocks of the values, and damaged ones.
template <typename Values>
void expect_same_on_each(const Values& values, Random& random, int damaged) {
  for (const Method method : kMethods) {
    const Buffer block = on_each([&] { return encoded(values, method); });
    const auto whole = on_each([&] { return decoded<Values>(block, values.size()); });
    ASSERT_TRUE(whole.has_value());
    for (std::size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(whole->first[i], std::bit_cast<std::uint64_t>(values[i])) << i;
    }
    for (int i = 0; i < damaged; ++i) {
      Buffer flipped(block);
      flipped[random() % flipped.size()] ^= static_cast<std::uint8_t>(1U << random() % 8);
      on_each([&] { return decoded<Values>(flipped, values.size()); });
    }
  }
}

std::vector<std::int64_t> random_integers(Random& random) {
  std::vector<std::int64_t> values(1 + random() % (random() % 2 == 0 ? 40 : 3'000));
  const std::uint64_t step = random() >> random() % 64 | 1U;
  const unsigned shift = random() % 64;
  const std::uint64_t kind = random() % 5;
  std::uint64_t last = random();
  std::uint64_t delta = 0;
  for (std::int64_t& value : values) {
    const std::uint64_t number = random() >> shift;
    if (kind == 0) last = number * step;
    if (kind == 1) last += number % 200 * step;
    if (kind == 2) last += delta += number % 3 - 1;
    if (kind == 3 && number % 4 == 0) last += step;
    if (kind == 4) last = std::array<std::uint64_t, 4>{0, 1U, 1ULL << 63U, ~0ULL}[random() % 4];
    value = static_cast<std::int64_t>(last);
  }
  return values;
}

std::vector<double> random_doubles(Random& random) {
  using Limits = std::numeric_limits<double>;
  std::vector<double> values(1 + random() % (random() % 2 == 0 ? 40 : 3'000));
  const double power = std::pow(10.0, static_cast<double>(random() % 17));
  const unsigned shift = 10 + random() % 54;
  const std::uint64_t kind = random() % 7;
  double walk = 50;
  for (double& value : values) {
    const auto integer = static_cast<std::int64_t>(random()) >> shift;
    const double decimal = static_cast<double>(integer) / power;
    if (kind == 0) value = decimal;
    if (kind == 1) value = random() % 30 == 0 ? std::bit_cast<double>(random()) : decimal;
    if (kind == 2) value = static_cast<double>(static_cast<float>(decimal));
    if (kind == 3) value = walk += decimal;
    if (kind == 4) value = std::sin(static_cast<double>(random() % 12));
    if (kind == 5) value = std::bit_cast<double>(random());
    if (kind == 6) value = std::array{-0.0, 0.0, Limits::infinity(), Limits::quiet_NaN(), 1e300, 5e-324}[random() % 6];
  }
  return values;
}

TEST_F(Processors, IntegersAreTheSame) {
  Random random(1);
  for (int i = 0; i < 150; ++i) ASSERT_NO_FATAL_FAILURE(expect_same_on_each(random_integers(random), random, 5)) << i;
}

TEST_F(Processors, DoublesAreTheSame) {
  Random random(2);
  for (int i = 0; i < 150; ++i) ASSERT_NO_FATAL_FAILURE(expect_same_on_each(random_doubles(random), random, 5)) << i;
}

TEST_F(Processors, SeriesOfTheWorldAreTheSame) {
  const std::filesystem::path folder = std::filesystem::path(MARIGRAM_SOURCE_DIR) / "../shared/data/nab/data";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  Random random(3);
  int series = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".csv") continue;
    std::ifstream file(entry.path());
    std::vector<double> values;
    std::string line;
    for (std::getline(file, line); std::getline(file, line);)
      values.push_back(std::stod(line.substr(line.find(',') + 1)));
    ASSERT_NO_FATAL_FAILURE(expect_same_on_each(values, random, 0)) << entry.path();
    ++series;
  }
  EXPECT_GT(series, 0);
}

/// Against a division, on all processors.
class Quotients : public ::testing::TestWithParam<Processor> {
 protected:
  void SetUp() override {
    if (!use_processor(GetParam())) GTEST_SKIP() << "this processor cannot";
  }
  void TearDown() override { use_processor(best_); }

 private:
  Processor best_ = processor();
};

void expect_quotients(const Cells& integers) {
  for (unsigned exponent = 0; exponent < kExponentsOfTen; ++exponent) {
    Cells quotients(integers);
    to_quotients(quotients, exponent);
    for (std::size_t i = 0; i < integers.size(); ++i) {
      const auto integer = static_cast<std::int64_t>(integers[i]);
      const double quotient = static_cast<double>(integer) / power_of_ten(exponent);
      ASSERT_EQ(quotients[i], std::bit_cast<std::uint64_t>(quotient)) << integer << " by ten to the " << exponent;
    }
  }
}

TEST_P(Quotients, AreThoseOfADivision) {
  Cells integers;
  for (unsigned bit = 0; bit < 64; ++bit) {  // where roundings change
    for (std::uint64_t near = 0; near < 8; ++near) {
      integers.push_back((std::uint64_t{1} << bit) + near - 4);
      integers.push_back(0 - integers.back());
      integers.push_back((std::uint64_t{3} << bit) + near - 4);
    }
  }
  std::uint64_t power = 1;
  for (int digits = 0; digits < 19; ++digits, power *= 10) {
    for (std::uint64_t times = 1; times < 100; ++times) {
      for (const std::uint64_t near : {0U, 1U, 2U}) integers.push_back(times * power + near - 1);
    }
  }
  ASSERT_NO_FATAL_FAILURE(expect_quotients(integers));
  Random random(4);
  for (int round = 0; round < 20; ++round) {
    Cells drawn(1 + random() % 2'000);
    for (std::uint64_t& integer : drawn)
      integer = static_cast<std::uint64_t>(static_cast<std::int64_t>(random()) >> random() % 64);
    ASSERT_NO_FATAL_FAILURE(expect_quotients(drawn));
  }
}

INSTANTIATE_TEST_SUITE_P(OnEach, Quotients, ::testing::Values(Processor::kAny, Processor::kWide));

}  // namespace
}  // namespace marigram::codec::testing
