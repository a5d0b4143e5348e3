// Many threads on one dictionary. Without this test two threads could give one series two numbers, a reader could see
// a series before its tags, or a budget could be overdrawn by those who draw at once.
#include "head/series_dictionary.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace marigram::head {
namespace {

void in_threads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

/// The tags of one of 2,000 series; every tenth has one more.
Tags tags_of(std::uint64_t number) {
  Tags tags = {{"host", "h" + std::to_string(number)}, {"zone", "z" + std::to_string(number % 7)}};
  if (number % 10 == 0) tags.insert(tags.begin(), {"extra", "yes"});
  return tags;
}

/// What a reader may rely on at any moment.
void expect_consistent(const SeriesDictionary& dictionary, const std::vector<model::Matcher>& zone) {
  const std::vector<SeriesId> selected = dictionary.select(zone).ids();
  const TagNumber host = dictionary.find_tag("host").value();
  std::set<std::string_view> hosts;
  for (const SeriesId series : selected) {
    const std::string_view name = dictionary.value(series, host);
    ASSERT_EQ(std::stoull(std::string(name.substr(1))) % 7, 3U);
    ASSERT_EQ(dictionary.find(dictionary.tags(series)), series);
    hosts.insert(name);
  }
  ASSERT_EQ(hosts.size(), selected.size());
  ASSERT_GE(dictionary.values(host, zone).size(), selected.size());
  ASSERT_GT(dictionary.memory_bytes(), 0U);
}

TEST(ConcurrentSeriesDictionary, WritersAgreeAndReadersSeeWholeSeries) {
  constexpr std::uint64_t kSeries = 2'000;
  SeriesBudget budget("lab", kSeries);
  SeriesDictionary dictionary(budget);
  dictionary.add_tag("host");
  dictionary.add_tag("zone");
  const auto zone =
      model::compile_matchers(std::vector<TagMatcher>{{.name = "zone", .op = MatchOp::kRegex, .value = "z[3]"}});
  std::vector<std::vector<SeriesId>> seen(4, std::vector<SeriesId>(kSeries));
  std::atomic<int> writing = 4;
  in_threads(6, [&](int me) {
    if (me >= 4) {
      while (writing > 0) expect_consistent(dictionary, *zone);
      return;
    }
    auto& ids = seen[static_cast<std::size_t>(me)];
    dictionary.add_tag("extra");
    for (std::uint64_t i = 0; i < kSeries; i += 4) {  // each starts elsewhere, alternates between one and many
      const std::uint64_t first = (i + static_cast<std::uint64_t>(me) * kSeries / 4) % kSeries;
      if (i % 8 == 0) {
        const std::vector<Tags> four = {tags_of(first), tags_of(first + 1), tags_of(first + 2), tags_of(first + 3)};
        ASSERT_TRUE(dictionary.resolve(four, std::span(ids).subspan(first, 4)));
      } else {
        for (std::uint64_t n = first; n < first + 4; ++n) ids[n] = dictionary.resolve(tags_of(n)).value();
      }
    }
    --writing;
  });
  EXPECT_EQ(dictionary.size(), kSeries);
  EXPECT_EQ(budget.used(), kSeries);
  for (const auto& ids : seen) EXPECT_EQ(ids, seen[0]);
  EXPECT_EQ(std::set<SeriesId>(seen[0].begin(), seen[0].end()).size(), kSeries);
  expect_consistent(dictionary, *zone);
}

TEST(ConcurrentSeriesDictionary, TheBudgetIsNeverOverdrawn) {
  constexpr std::uint64_t kMax = 500;
  SeriesBudget budget("lab", kMax);
  SeriesDictionary one(budget);
  SeriesDictionary other(budget);
  one.add_tag("t");
  other.add_tag("t");
  std::atomic<int> refused = 0;
  in_threads(4, [&](int me) {
    SeriesDictionary& mine = me % 2 == 0 ? one : other;
    for (int i = 0; i < 300; ++i) {
      const auto id = mine.resolve(Tags{{"t", std::to_string(me) + "/" + std::to_string(i)}});
      if (!id) ++refused;
      ASSERT_LE(budget.used(), kMax);
    }
  });
  EXPECT_EQ(one.size() + other.size(), kMax);
  EXPECT_EQ(refused, 4 * 300 - static_cast<int>(kMax));
}

}  // namespace
}  // namespace marigram::head
