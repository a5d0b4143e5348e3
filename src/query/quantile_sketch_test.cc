// Sketches of quantiles against sorted numbers. Without this an estimate could be further off than is promised, a
// merged sketch could differ from one of all numbers, and bytes of a damaged file could be taken for one.
#include "query/quantile_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace marigram::query {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double exact(std::vector<double> values, double fraction) {
  std::ranges::sort(values);
  const double position = fraction * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const double weight = position - static_cast<double>(below);
  return weight == 0 ? values[below] : values[below] * (1 - weight) + values[below + 1] * weight;
}

std::vector<double> random_values(std::mt19937_64& random, std::size_t count) {
  std::vector<double> values(count);
  const auto kind = random() % 5;
  for (double& value : values) {
    const double unit = std::uniform_real_distribution<double>()(random);
    value = kind == 0   ? unit * 1e6
            : kind == 1 ? std::exp(unit * 600 - 300)
            : kind == 2 ? std::floor(unit * 10)
            : kind == 3 ? 1 + unit / 1e9
                        : std::lognormal_distribution<double>(0, 3)(random);
  }
  return values;
}

TEST(QuantileSketch, EstimatesAreWithinOnePercent) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 200; ++round) {
    const std::vector<double> values = random_values(random, 1 + random() % 3'000);
    QuantileSketch sketch;
    for (const double value : values) sketch.add(value);
    for (const double fraction : {0.0, 0.01, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const double want = exact(values, fraction);
      EXPECT_LE(std::abs(sketch.quantile(fraction).value() - want), want * QuantileSketch::kError * (1 + 1e-9))
          << round << " " << fraction;
    }
  }
}

TEST(QuantileSketch, NegativeNumbersAndZerosHaveTheirPlace) {
  QuantileSketch sketch;
  for (const double value : {-1e300, -2.0, -1.0, 0.0, -0.0, 5e-324, 1.0, 2.0, 1e300}) sketch.add(value);
  EXPECT_NEAR(sketch.quantile(0).value(), -1e300, 1e298);
  EXPECT_NEAR(sketch.quantile(0.125).value(), -2, 0.02);
  EXPECT_EQ(sketch.quantile(0.5), 0.0);
  EXPECT_NEAR(sketch.quantile(1).value(), 1e300, 1e298);
  sketch.add(kInfinity);
  sketch.add(-kInfinity);
  EXPECT_EQ(sketch.quantile(0), -kInfinity);
  EXPECT_EQ(sketch.quantile(1), kInfinity);
  sketch.add(std::nan(""));
  EXPECT_TRUE(std::isnan(sketch.quantile(0.5).value()));
}

TEST(QuantileSketch, NothingHasNoQuantiles) {
  EXPECT_EQ(QuantileSketch().quantile(0.5), std::nullopt);
  EXPECT_TRUE(QuantileSketch().empty());
}

TEST(QuantileSketch, MergedSketchesAreOneOfAll) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 50; ++round) {
    QuantileSketch all;
    QuantileSketch merged;
    for (int part = 0; part < 5; ++part) {
      QuantileSketch own;
      for (double value : random_values(random, random() % 100)) {
        if (random() % 3 == 0) value = -value;
        own.add(value);
        all.add(value);
      }
      if (part % 2 == 0) {
        merged.merge(own);
      } else {
        ASSERT_TRUE(merged.merge_bytes(own.bytes()));
      }
    }
    EXPECT_EQ(merged, all);
    QuantileSketch again;
    ASSERT_TRUE(again.merge_bytes(all.bytes()));
    EXPECT_EQ(again, all);
  }
}

TEST(QuantileSketch, OtherBytesAreNone) {
  QuantileSketch sketch;
  for (int i = -50; i < 50; ++i) sketch.add(i * 3.5);
  const std::string bytes = sketch.bytes();
  const QuantileSketch before = sketch;
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(sketch.merge_bytes(bytes.substr(0, size)));
  EXPECT_FALSE(sketch.merge_bytes(bytes + "x"));
  EXPECT_FALSE(sketch.merge_bytes("\x02" + bytes.substr(1)));
  EXPECT_FALSE(sketch.merge_bytes(std::string(1, 1) + std::string(40, '\xff')));
  EXPECT_EQ(sketch, before);
  std::mt19937_64 random(3);
  for (int round = 0; round < 20'000; ++round) {  // no crash, whatever comes of it
    std::string other = bytes;
    for (auto i = random() % 5; i > 0; --i) other[random() % other.size()] = static_cast<char>(random());
    QuantileSketch any;
    if (any.merge_bytes(other)) static_cast<void>(any.quantile(0.5));
  }
}

}  // namespace
}  // namespace marigram::query
