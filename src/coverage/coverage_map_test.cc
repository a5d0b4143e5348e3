// Coverage of many series: an overlap that is missed doubles rows, one that is not there refuses an append.
#include "coverage/coverage_map.h"

#include "coverage/bucket_set.h"
#include "coverage/test_sets.h"

#include <marigram/series.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace marigram::coverage {
namespace {

using test::Model;
using test::Random;

using ModelMap = std::map<SeriesKey, Model>;

CoverageMap map_of(const ModelMap& model) {
  CoverageMap map;
  for (const auto& [series, ids] : model) map.emplace(series, test::set_of(ids));
  return map;
}

ModelMap random_map(Random& random) {
  ModelMap model;
  for (std::uint64_t i = random.below(6); i-- > 0;) {
    Model ids;
    for (std::uint64_t n = 1 + random.below(8); n-- > 0;) ids.insert(random.below(12));
    model[SeriesKey{std::string(1, static_cast<char>('a' + random.below(5))),
                    static_cast<std::int32_t>(random.below(2))}] = ids;
  }
  return model;
}

TEST(CoverageMap, AgreesWithPlainMapsOfSets) {
  int overlaps = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const ModelMap a = random_map(random);
    const ModelMap b = random_map(random);

    std::optional<Overlap> want;
    for (const auto& [series, ids] : a) {
      for (const std::uint64_t id : ids) {
        if (!b.contains(series) || !b.at(series).contains(id)) continue;
        if (!want) want = Overlap{.buckets = 0, .series = series, .id = id};
        ++want->buckets;
      }
    }
    for (const auto& got : {find_overlap(map_of(a), map_of(b)), find_overlap(map_of(b), map_of(a))}) {
      ASSERT_EQ(got.has_value(), want.has_value());
      if (!want) continue;
      ++overlaps;
      EXPECT_EQ(got->buckets, want->buckets);
      EXPECT_EQ(got->series, want->series);
      EXPECT_EQ(got->id, want->id);
    }

    CoverageMap united = map_of(a);
    unite(united, map_of(b));
    ModelMap both = a;
    for (const auto& [series, ids] : b) both[series].insert(ids.begin(), ids.end());
    EXPECT_TRUE(united == map_of(both));

    CoverageMap rest = map_of(a);
    subtract(rest, map_of(b));
    ModelMap without = a;
    for (const auto& [series, ids] : b) {
      if (!without.contains(series)) continue;
      for (const std::uint64_t id : ids) without[series].erase(id);
      if (without[series].empty()) without.erase(series);
    }
    EXPECT_TRUE(rest == map_of(without));

    Model all;
    for (const auto& [series, ids] : a) all.insert(ids.begin(), ids.end());
    EXPECT_TRUE(across_series(map_of(a)) == test::set_of(all));
  }
  EXPECT_GT(overlaps, 100);
}

TEST(CoverageMap, OperationsWithItself) {
  const ModelMap model = {{{std::string("a")}, {1, 2}}, {{std::string("b")}, {2}}};
  CoverageMap map = map_of(model);
  unite(map, map);
  EXPECT_TRUE(map == map_of(model));
  EXPECT_EQ(find_overlap(map, map)->buckets, 3u);
  subtract(map, map);
  EXPECT_TRUE(map.empty());
}

TEST(CoverageMap, TheTypeOfATagIsPartOfItsSeries) {
  const CoverageMap narrow = map_of({{{std::int32_t{7}}, {1}}});
  const CoverageMap wide = map_of({{{std::int64_t{7}}, {1}}});
  EXPECT_FALSE(find_overlap(narrow, wide));
}

TEST(CoverageMap, TagsThatComeLaterAreAbsentFromAllSeries) {
  const std::string none;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const ModelMap model = random_map(random);
    ModelMap wide;
    for (const auto& [series, ids] : model) wide[{series[0], series[1], none, none}] = ids;
    CoverageMap map = map_of(model);
    fill_absent_tags(map, 4);
    EXPECT_EQ(map, map_of(wide));
    fill_absent_tags(map, 3);  // it has them
    EXPECT_EQ(map, map_of(wide));
    EXPECT_TRUE(drop_absent_tag(map));
    EXPECT_TRUE(drop_absent_tag(map));
    EXPECT_EQ(map, map_of(model));
    EXPECT_EQ(drop_absent_tag(map), model.empty()) << "a number is a value";
    EXPECT_EQ(map, map_of(model));
  }
}

TEST(CoverageMap, ATableWithoutTagsMayGetThem) {
  CoverageMap map = map_of({{SeriesKey{}, {1, 2, 5}}});
  EXPECT_FALSE(drop_absent_tag(map));
  fill_absent_tags(map, 2);
  EXPECT_EQ(map, map_of({{SeriesKey{std::string(), std::string()}, {1, 2, 5}}}));
  map.emplace(SeriesKey{std::string(), std::string("x")}, test::set_of(Model{7}));
  EXPECT_FALSE(drop_absent_tag(map)) << "one series has the tag";
  EXPECT_EQ(map.size(), 2U);
}

}  // namespace
}  // namespace marigram::coverage
