// Which segments a range may touch, against looking at each. Without these a scan could pass over a long segment that
// reaches into a range from far before it.
#include "table/segment_list.h"

#include "table/scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace marigram::table {
namespace {

Instant second(std::int64_t at) {
  return Instant::from_units(at, TimeUnit::kSecond);
}

log::TableState random_state(std::mt19937_64& random) {
  log::TableState state;
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n));
  };
  const std::int64_t count = below(30);
  for (std::int64_t i = 0; i < count; ++i) {
    model::SegmentMeta segment;
    segment.path = "data/" + std::to_string(i);
    const std::int64_t begin = below(60) - 30;
    segment.min = second(begin);
    segment.max = second(begin + below(below(4) == 0 ? 50 : 5));
    state.segments.emplace(segment.path, std::make_shared<const model::SegmentMeta>(segment));
  }
  return state;
}

class SegmentListTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(SegmentListTest, GivesAllThatMayMatch) {
  std::mt19937_64 random(GetParam());
  const log::TableState state = random_state(random);
  const SegmentList list(state);
  const auto all = list.between({}, {});
  ASSERT_EQ(all.size(), state.segments.size());
  for (std::int64_t from = -32; from < 32; ++from) {
    for (std::int64_t to = from + 1; to < 34; to += 3) {
      const auto between = list.between(second(from), second(to));
      const auto match = [&](const SegmentPtr& segment) {
        return segment_may_match(*segment, {}, second(from), second(to), {});
      };
      ASSERT_EQ(std::ranges::count_if(between, match), std::ranges::count_if(all, match)) << from << " to " << to;
      if (between.empty()) continue;
      EXPECT_TRUE(match(between.front()));
      EXPECT_FALSE(second(to) <= std::get<Instant>(between.back()->min));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SegmentListTest, ::testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace marigram::table
