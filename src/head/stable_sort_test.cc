// Sorting against the standard library. Without this test rows of several writers could end up out of order, or equal
// ones change places.
#include "head/stable_sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace marigram::head {
namespace {

using Numbered = std::pair<std::uint64_t, std::size_t>;  // key, place before

void expect_sorted_like_the_standard_library(std::vector<Numbered> values) {
  for (std::size_t i = 0; i < values.size(); ++i) values[i].second = i;
  std::vector<Numbered> expected = values;
  std::ranges::stable_sort(expected, {}, &Numbered::first);
  stable_sort_by(std::span(values), [](const Numbered& value) { return value.first; });
  EXPECT_EQ(values, expected);
}

TEST(StableSort, AgreesWithTheStandardLibrary) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<Numbered> values(random() % 300);
    const std::uint64_t keys = 1 + random() % 300;
    const std::uint64_t disorder =
        1 + random() % (round % 2 == 0 ? 4 : 400);  // around the border of what is sorted in place
    for (std::size_t i = 0; i < values.size(); ++i) values[i].first = i * keys / 300 + random() % disorder;
    expect_sorted_like_the_standard_library(values);
    std::ranges::reverse(values);
    expect_sorted_like_the_standard_library(values);
  }
}

}  // namespace
}  // namespace marigram::head
