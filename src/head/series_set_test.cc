// Sets of series against std::set. Without this test a set could lose ids at a container's border, a union could forget
// a set, or a complement could reach beyond the series that there are.
#include "head/series_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace marigram::head {
namespace {

std::vector<SeriesId> ids_of(const std::set<SeriesId>& ids) {
  return {ids.begin(), ids.end()};
}

TEST(SeriesSet, AgreesWithAnOrdinarySet) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 200; ++round) {
    const auto count = static_cast<std::uint32_t>(1 + random() % 200'000);
    std::vector<std::set<SeriesId>> expected(3);
    std::vector<SeriesSet> sets(3);
    for (std::size_t i = 0; i < sets.size(); ++i) {
      const auto begin = static_cast<SeriesId>(random() % count);
      for (std::uint64_t n = random() % 300; n > 0; --n) {
        const auto id =
            static_cast<SeriesId>(n % 2 == 0 ? random() % count : std::min<std::uint64_t>(begin + n, count - 1));
        sets[i].add(id);
        expected[i].insert(id);
      }
      ASSERT_EQ(sets[i].ids(), ids_of(expected[i]));
    }
    std::set<SeriesId> united = expected[0];
    united.insert(expected[1].begin(), expected[1].end());
    united.insert(expected[2].begin(), expected[2].end());
    const SeriesSet all = SeriesSet::union_of(std::vector<const SeriesSet*>{&sets[0], &sets[1], &sets[2]});
    ASSERT_EQ(all.ids(), ids_of(united));

    std::set<SeriesId> common;
    std::ranges::set_intersection(expected[0], expected[1], std::inserter(common, common.end()));
    SeriesSet both = sets[0];
    both.intersect(sets[1]);
    ASSERT_EQ(both.ids(), ids_of(common));

    const SeriesSet rest = all.complement(count);
    ASSERT_EQ(rest.size() + all.size(), count);
    ASSERT_TRUE(std::ranges::none_of(rest.ids(), [&](SeriesId id) { return united.contains(id) || id >= count; }));
    ASSERT_EQ(rest.complement(count), all);
  }
}

TEST(SeriesSet, IsAValue) {
  SeriesSet a = {3, 1, 70'000};
  SeriesSet b = a;
  b.add(2);
  EXPECT_EQ(a.ids(), (std::vector<SeriesId>{1, 3, 70'000}));
  EXPECT_NE(a, b);
  a = std::move(b);
  EXPECT_EQ(a.size(), 4U);
  EXPECT_TRUE(a.contains(2));
  EXPECT_FALSE(a.contains(4));
  const SeriesSet& same = a;
  a = same;
  EXPECT_EQ(a.size(), 4U);
}

TEST(SeriesSet, EmptyOnesAreOrdinary) {
  EXPECT_TRUE(SeriesSet().empty());
  EXPECT_TRUE(SeriesSet::range(5, 5).empty());
  EXPECT_TRUE(SeriesSet::range(5, 4).empty());
  EXPECT_TRUE(SeriesSet::union_of({}).empty());
  EXPECT_TRUE(SeriesSet().complement(0).empty());
  EXPECT_EQ(SeriesSet().complement(3).ids(), (std::vector<SeriesId>{0, 1, 2}));
  EXPECT_EQ(SeriesSet::range(1, 3).ids(), (std::vector<SeriesId>{1, 2}));
}

}  // namespace
}  // namespace marigram::head
