// The search of as-of joins against a count of all times. There are two ways, for bounds that are close and for bounds
// that are far apart, each for two kinds of processors. Without these one could err where another answers: at the first
// rows and the last, among equal times, at the ends of what an int64 holds.
#include "query/asof_times.h"

#include "base/processors.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace marigram::query {
namespace {

class FindRowsTest : public ::testing::TestWithParam<Processor> {
 protected:
  void SetUp() override {
    if (!use_processor(GetParam())) GTEST_SKIP() << "this processor cannot";
  }
  void TearDown() override { use_processor(best_); }

  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }

  std::vector<std::int64_t> random_times(std::int64_t count, std::int64_t range) {
    std::vector<std::int64_t> times;
    for (std::int64_t i = 0; i < count; ++i) times.push_back(below(range) - range / 2);
    if (below(4) == 0 && count > 0) times[static_cast<std::size_t>(below(count))] = INT64_MIN;
    if (below(4) == 0 && count > 0) times[static_cast<std::size_t>(below(count))] = INT64_MAX;
    std::ranges::sort(times);
    return times;
  }

  static AsofRow expected(AsofSide side, const std::vector<std::int64_t>& times, std::int64_t first,
                          std::int64_t bound) {
    AsofRow best;
    for (std::size_t i = 0; i < times.size(); ++i) {
      const AsofRow row{first + static_cast<std::int64_t>(i), times[i]};
      if (side == AsofSide::kBefore && times[i] <= bound) best = row;
      if (side == AsofSide::kAfter && times[i] >= bound && !best.is_there()) best = row;
    }
    return best;
  }

  std::mt19937_64 random_{7};

 private:
  const Processor best_ = processor();
};

TEST_P(FindRowsTest, EqualsACountOfAllTimes) {
  for (int round = 0; round < 3'000; ++round) {
    const std::int64_t range = below(2) == 0 ? 1 + below(40) : std::int64_t{1} << below(62);
    const auto times = random_times(below(300), range);
    const auto bounds = random_times(below(below(2) == 0 ? 4 : 60), range);
    const std::int64_t first = below(1'000);
    for (const AsofSide side : {AsofSide::kBefore, AsofSide::kAfter}) {
      std::vector<AsofRow> found(bounds.size());
      find_rows(side, times, first, bounds, found);
      for (std::size_t i = 0; i < bounds.size(); ++i) {
        const AsofRow wanted = expected(side, times, first, bounds[i]);
        ASSERT_EQ(found[i].row, wanted.row) << fmt::format("round {}, bound {} of {}", round, i, bounds.size());
        ASSERT_EQ(found[i].time, wanted.time);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Processors, FindRowsTest, ::testing::Values(Processor::kAny, Processor::kWide));

}  // namespace
}  // namespace marigram::query
