// Rows chosen for charts. Without this a chart could lose a peak, gain a point that no row has, or mix two series.
#include "query/downsample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

namespace marigram::query {
namespace {

using ::testing::ElementsAre;

struct Points {
  std::vector<std::int64_t> times;
  std::vector<double> values;
};

Points random_points(std::mt19937_64& random, std::size_t count) {
  Points points;
  std::int64_t time = -1'000;
  for (std::size_t i = 0; i < count; ++i) {
    time += static_cast<std::int64_t>(random() % 100);
    points.times.push_back(time);
    points.values.push_back(static_cast<double>(random() % 1'000) / 7);
  }
  return points;
}

/// As the paper has it, by floats: the reference.
std::vector<std::uint32_t> naive_triangles(const Points& points, std::size_t wanted) {
  const std::size_t count = points.times.size();
  std::vector<std::vector<std::uint32_t>> parts(wanted);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t part = i == 0 ? 0 : i == count - 1 ? wanted - 1 : 1;
    while (part > 0 && part < wanted - 1 && i >= 1 + part * (count - 2) / (wanted - 2)) ++part;
    parts[part].push_back(static_cast<std::uint32_t>(i));
  }
  std::vector<std::uint32_t> kept = {0};
  for (std::size_t part = 1; part + 1 < wanted; ++part) {
    double x = 0;
    double y = 0;
    for (const std::uint32_t i : parts[part + 1]) {
      x += static_cast<double>(points.times[i] - points.times[0]) / static_cast<double>(parts[part + 1].size());
      y += points.values[i] / static_cast<double>(parts[part + 1].size());
    }
    const auto area = [&](std::uint32_t i) {
      const auto ax = static_cast<double>(points.times[kept.back()] - points.times[0]);
      const auto bx = static_cast<double>(points.times[i] - points.times[0]);
      return std::abs((ax - x) * (points.values[i] - points.values[kept.back()]) -
                      (ax - bx) * (y - points.values[kept.back()]));
    };
    kept.push_back(*std::ranges::max_element(parts[part], {}, area));
  }
  kept.push_back(static_cast<std::uint32_t>(count - 1));
  return kept;
}

TEST(Downsample, TrianglesAreThoseOfThePaper) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 300; ++round) {
    const Points points = random_points(random, 4 + random() % 500);
    const std::size_t wanted = 3 + random() % (points.times.size() - 3);
    EXPECT_EQ(largest_triangles(points.times, points.values, wanted), naive_triangles(points, wanted));
  }
}

TEST(Downsample, FewPointsStay) {
  const Points points{.times = {1, 2, 3}, .values = {5, 6, 7}};
  EXPECT_THAT(largest_triangles(points.times, points.values, 3), ElementsAre(0, 1, 2));
  EXPECT_THAT(extremes(points.times, points.values, 3), ElementsAre(0, 1, 2));
  EXPECT_TRUE(largest_triangles({}, {}, 3).empty());
}

TEST(Downsample, NoExtremeIsLost) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 300; ++round) {
    const Points points = random_points(random, 5 + random() % 500);
    const std::size_t wanted = 4 + random() % 40;
    const auto kept = extremes(points.times, points.values, wanted);
    EXPECT_LE(kept.size(), std::max(wanted, std::size_t{3}));
    EXPECT_TRUE(std::ranges::is_sorted(kept));
    EXPECT_EQ(std::set(kept.begin(), kept.end()).size(), kept.size());
    const auto value = [&](std::uint32_t i) { return points.values[i]; };
    EXPECT_EQ(value(*std::ranges::min_element(kept, {}, value)), std::ranges::min(points.values));
    EXPECT_EQ(value(*std::ranges::max_element(kept, {}, value)), std::ranges::max(points.values));
  }
}

TEST(Downsample, TimesOfTheWholeRangeDoNotOverflow) {
  const Points points{.times = {INT64_MIN, -1, 0, 1, INT64_MAX}, .values = {0, 5, -5, 1, 0}};
  EXPECT_THAT(largest_triangles(points.times, points.values, 4), ElementsAre(0, 1, 2, 4));
  EXPECT_THAT(extremes(points.times, points.values, 4), ElementsAre(0, 1, 2, 3));
}

}  // namespace
}  // namespace marigram::query
