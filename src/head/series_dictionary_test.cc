// Series by their tags, against a naive map. Without this test a series could get two numbers or share one, a tag that
// is added later could change what series there are, a condition could select others than a look at every series would,
// or the limit could leave a series half added.
#include "head/series_dictionary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::head {
namespace {

constexpr std::uint64_t kPlenty = 1'000'000;

std::vector<model::Matcher> compile(const std::vector<TagMatcher>& conditions) {
  return model::compile_matchers(conditions).value();
}

/// A dictionary with tags a, b and c.
struct Abc {
  explicit Abc(std::uint64_t max = kPlenty) : budget("lab", max) {
    for (const char* name : {"b", "a", "c"}) series.add_tag(name);
  }
  SeriesBudget budget;
  SeriesDictionary series{budget};
};

TEST(SeriesDictionary, NumbersAreDenseAndStay) {
  Abc abc;
  const Tags first = {{"a", "1"}, {"b", "2"}};
  const Tags second = {{"a", "2"}, {"b", "1"}};
  EXPECT_EQ(abc.series.resolve(first), 0U);
  EXPECT_EQ(abc.series.resolve(second), 1U);
  EXPECT_EQ(abc.series.resolve(Tags{}), 2U);
  EXPECT_EQ(abc.series.resolve(first), 0U);
  EXPECT_EQ(abc.series.resolve(Tags{}), 2U);
  EXPECT_EQ(abc.series.find(second), 1U);
  EXPECT_EQ(abc.series.find(Tags{{"a", "1"}}), std::nullopt);
  EXPECT_EQ(abc.series.find(Tags{{"a", "1"}, {"b", "2"}, {"c", "3"}}), std::nullopt);
  EXPECT_EQ(abc.series.find(Tags{{"a", "1"}, {"b", "2"}, {"d", "3"}}), std::nullopt);
  EXPECT_EQ(abc.series.size(), 3U);
  EXPECT_EQ(abc.budget.used(), 3U);
  EXPECT_EQ(abc.series.tags(1), second);
  EXPECT_EQ(abc.series.tags(2), Tags());
}

TEST(SeriesDictionary, TagsMayComeLater) {
  Abc abc;
  const SeriesId old = abc.series.resolve(Tags{{"a", "1"}}).value();
  EXPECT_EQ(abc.series.find_tag("aa"), std::nullopt);
  EXPECT_EQ(abc.series.add_tag("aa"), 3U);
  EXPECT_EQ(abc.series.add_tag("aa"), 3U);
  EXPECT_EQ(abc.series.add_tag("b"), 0U);
  EXPECT_EQ(abc.series.tag_names(), (std::vector<std::string_view>{"b", "a", "c", "aa"}));
  const SeriesId young = abc.series.resolve(Tags{{"a", "1"}, {"aa", "x"}}).value();
  EXPECT_NE(old, young);
  EXPECT_EQ(abc.series.resolve(Tags{{"a", "1"}}), old);
  EXPECT_EQ(abc.series.value(old, 3), "");
  EXPECT_EQ(abc.series.value(young, 3), "x");
  EXPECT_EQ(abc.series.select(compile({{.name = "aa", .op = MatchOp::kEqual, .value = ""}})), SeriesSet({old}));
}

TEST(SeriesDictionary, RefusesTagsThatItsCallerShouldNotSend) {
  Abc abc;
  for (const Tags& bad : std::vector<Tags>{{{"d", "1"}},
                                           {{"a", "1"}, {"d", "1"}},
                                           {{"a", ""}},
                                           {{"b", "1"}, {"a", "1"}},
                                           {{"a", "1"}, {"a", "2"}},
                                           {{"a", "1"}, {"a", "1"}}}) {
    const auto id = abc.series.resolve(bad);
    ASSERT_FALSE(id);
    EXPECT_EQ(id.error().code, ErrorCode::kInternal);
  }
  EXPECT_EQ(abc.series.resolve(Tags{{"d", "1"}}).error().message,
            "cannot add a series: the dictionary lacks the tag; got d=`1`");
  EXPECT_EQ(abc.series.size(), 0U);
  EXPECT_EQ(abc.budget.used(), 0U);
}

TEST(SeriesDictionary, ABatchIsAddedWholeOrNotAtAll) {
  Abc abc(4);
  std::vector<SeriesId> ids(3);
  const std::vector<Tags> three = {{{"a", "1"}}, {{"a", "2"}}, {{"a", "1"}}};
  ASSERT_TRUE(abc.series.resolve(three, ids));
  EXPECT_EQ(ids, (std::vector<SeriesId>{0, 1, 0}));
  EXPECT_EQ(abc.budget.used(), 2U);

  const std::vector<Tags> too_many = {{{"a", "2"}}, {{"a", "3"}}, {{"a", "4"}}, {{"a", "5"}}};
  ids.resize(4);
  const Status full = abc.series.resolve(too_many, ids);
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kResourceExhausted);
  EXPECT_EQ(full.error().message,
            "cannot add 3 series to namespace lab: it has 2 and its limit is 4; raise the namespace's series limit, "
            "drop tables, or keep values that never repeat out of the tags");
  EXPECT_EQ(abc.series.size(), 2U);
  EXPECT_EQ(abc.budget.used(), 2U);
  EXPECT_EQ(abc.series.find(too_many[1]), std::nullopt);
  EXPECT_EQ(abc.series.values(1), (std::vector<std::string_view>{"1", "2"}));

  ids.resize(2);
  ASSERT_FALSE(abc.series.resolve(std::vector<Tags>{{{"a", "9"}}, {{"d", "1"}}}, ids));
  EXPECT_EQ(abc.series.find(Tags{{"a", "9"}}), std::nullopt);
  ASSERT_TRUE(abc.series.resolve(std::vector<Tags>{{{"a", "3"}}, {{"a", "4"}}}, ids));
  EXPECT_FALSE(abc.series.resolve(Tags{{"a", "5"}}));
  EXPECT_TRUE(abc.series.resolve(Tags{{"a", "4"}}));
}

TEST(SeriesDictionary, TablesShareABudget) {
  SeriesBudget budget("lab", 3);
  auto one = std::make_unique<SeriesDictionary>(budget);
  SeriesDictionary two(budget);
  one->add_tag("a");
  two.add_tag("a");
  ASSERT_TRUE(one->resolve(Tags{{"a", "1"}}));
  ASSERT_TRUE(one->resolve(Tags{{"a", "2"}}));
  ASSERT_TRUE(two.resolve(Tags{{"a", "1"}}));
  EXPECT_FALSE(two.resolve(Tags{{"a", "2"}}));
  one.reset();
  EXPECT_EQ(budget.used(), 1U);
  EXPECT_TRUE(two.resolve(Tags{{"a", "2"}}));
  EXPECT_EQ(SeriesBudget("lab", UINT64_MAX).max(), kSeriesMax);
}

TEST(SeriesDictionary, TextsStayWhereTheyAre) {
  Abc abc;
  abc.series.resolve(Tags{{"a", "first"}}).value();
  const std::string_view value = abc.series.value(0, 1);
  const std::string_view name = abc.series.tag_names()[1];
  const std::string long_value(3 << 20, 'x');
  for (int i = 0; i < 20'000; ++i) abc.series.resolve(Tags{{"a", std::to_string(i)}}).value();
  const SeriesId longest = abc.series.resolve(Tags{{"a", long_value}}).value();
  for (int i = 0; i < 200; ++i) abc.series.add_tag("t" + std::to_string(i));
  EXPECT_EQ(value, "first");
  EXPECT_EQ(value.data(), abc.series.value(0, 1).data());
  EXPECT_EQ(name.data(), abc.series.tag_names()[1].data());
  EXPECT_EQ(abc.series.value(longest, 1), long_value);
  EXPECT_GT(abc.series.memory_bytes(), long_value.size());
}

/// Values may hold any bytes, and tuples that read alike when joined are different series.
TEST(SeriesDictionary, BordersOfTextsCount) {
  Abc abc;
  const std::vector<Tags> all = {{{"a", "b"}, {"c", "d"}},
                                 {{"a", std::string("b\0c", 3)}, {"c", "d"}},
                                 {{"a", "bc"}},
                                 {{"a", "b"}, {"b", "c"}},
                                 {{"a", std::string(1, '\0')}},
                                 {{"a", std::string(2, '\0')}},
                                 {{"a", "x"}},
                                 {{"b", "x"}},
                                 {{"c", "x"}},
                                 {{"a", "x"}, {"b", "x"}, {"c", "x"}}};
  std::vector<SeriesId> ids(all.size());
  ASSERT_TRUE(abc.series.resolve(all, ids));
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(ids[i], i);
    EXPECT_EQ(abc.series.tags(static_cast<SeriesId>(i)), all[i]);
  }
}

// ---- Against a naive map ----

/// The series as a list of maps; whatever is asked, all of it is looked through.
struct NaiveDictionary {
  std::vector<std::map<std::string, std::string>> series;

  std::string value(std::size_t id, const std::string& tag) const {
    const auto found = series[id].find(tag);
    return found == series[id].end() ? "" : found->second;
  }

  std::vector<SeriesId> select(const std::vector<model::Matcher>& matchers) const {
    std::vector<SeriesId> ids;
    for (std::size_t id = 0; id < series.size(); ++id) {
      const bool all = std::ranges::all_of(
          matchers, [&](const model::Matcher& matcher) { return matcher.matches(value(id, matcher.tag())); });
      if (all) ids.push_back(static_cast<SeriesId>(id));
    }
    return ids;
  }

  std::set<std::string> values(const std::string& tag, const std::vector<model::Matcher>& matchers) const {
    std::set<std::string> values;
    for (const SeriesId id : select(matchers)) {
      if (!value(id, tag).empty()) values.insert(value(id, tag));
    }
    return values;
  }
};

class RandomSeries {
 public:
  explicit RandomSeries(std::uint64_t seed) : random_(seed), budget_("lab", kPlenty), dictionary_(budget_) {}

  void run() {
    for (int step = 0; step < 600; ++step) {
      if (step % 30 == 0) add_tag();
      if (pick(5) == 0) {
        resolve_batch();
      } else {
        resolve_one();
      }
      if (pick(4) == 0) ask();
    }
  }

 private:
  std::uint64_t pick(std::uint64_t count) { return random_() % count; }

  void add_tag() {
    std::string name(1 + pick(3), ' ');
    for (char& c : name) c = static_cast<char>('a' + pick(3));
    const auto known = std::ranges::find(names_, name);
    EXPECT_EQ(dictionary_.add_tag(name), known - names_.begin());
    if (known == names_.end()) names_.push_back(name);
  }

  /// Tags of different numbers of values, from two to hundreds.
  std::string random_value(std::size_t tag) { return "v" + std::to_string(pick(std::uint64_t{2} << tag % 9)); }

  std::map<std::string, std::string> random_tags() {
    std::map<std::string, std::string> tags;
    for (std::size_t tag = 0; tag < names_.size(); ++tag) {
      if (pick(3) != 0) tags[names_[tag]] = random_value(tag);
    }
    return tags;
  }

  static Tags to_tags(const std::map<std::string, std::string>& map) {
    Tags tags;
    for (const auto& [name, value] : map) tags.push_back({.name = name, .value = value});
    return tags;
  }

  void expect_id(const std::map<std::string, std::string>& tags, SeriesId id) {
    const auto known = std::ranges::find(naive_.series, tags);
    EXPECT_EQ(id, known - naive_.series.begin());
    if (known == naive_.series.end()) naive_.series.push_back(tags);
  }

  void resolve_one() {
    const auto tags = random_tags();
    const bool known = std::ranges::find(naive_.series, tags) != naive_.series.end();
    EXPECT_EQ(dictionary_.find(to_tags(tags)).has_value(), known);
    expect_id(tags, dictionary_.resolve(to_tags(tags)).value());
    EXPECT_EQ(dictionary_.resolve(to_tags(tags)).value(), dictionary_.find(to_tags(tags)));
  }

  /// New series, and known ones: any, or stretches of them in the order of their numbers.
  void resolve_batch() {
    std::vector<std::map<std::string, std::string>> maps(pick(60));
    std::vector<Tags> series;
    std::size_t known = 0;
    for (auto& tags : maps) {
      known = pick(8) == 0 ? pick(naive_.series.size() + 1) : known + 1;
      tags = known < naive_.series.size() && pick(20) > 0 ? naive_.series[known] : random_tags();
      series.push_back(to_tags(tags));
    }
    std::vector<SeriesId> ids(series.size());
    ASSERT_TRUE(dictionary_.resolve(series, ids));
    for (std::size_t i = 0; i < ids.size(); ++i) expect_id(maps[i], ids[i]);
  }

  TagMatcher random_condition() {
    const std::size_t tag = pick(names_.size());
    const std::string name = pick(10) == 0 ? "unknown" : names_[tag];
    const auto op = static_cast<MatchOp>(pick(4));
    if (op == MatchOp::kEqual || op == MatchOp::kNotEqual) {
      return {.name = name, .op = op, .value = pick(4) == 0 ? "" : random_value(tag)};
    }
    const std::vector<std::string> expressions = {
        "v1.*",        ".*",          ".+",         "",           random_value(tag) + "|" + random_value(tag),
        "|v1|nothing", "v[0-9]*[13]", "(v1|v2.*)?", "v(1|2|3)|x", random_value(tag) + "?"};
    return {.name = name, .op = op, .value = expressions[pick(expressions.size())]};
  }

  void ask() {
    std::vector<TagMatcher> conditions(pick(4));
    std::ranges::generate(conditions, [this] { return random_condition(); });
    const auto matchers = compile(conditions);
    ASSERT_EQ(dictionary_.select(matchers).ids(), naive_.select(matchers));
    const std::size_t tag = pick(names_.size());
    const auto values = dictionary_.values(static_cast<TagNumber>(tag), matchers);
    const auto expected = naive_.values(names_[tag], matchers);
    ASSERT_TRUE(std::ranges::equal(values, expected));
    ASSERT_EQ(dictionary_.size(), naive_.series.size());
    if (naive_.series.empty()) return;
    const std::size_t id = pick(naive_.series.size());
    ASSERT_EQ(dictionary_.tags(static_cast<SeriesId>(id)), to_tags(naive_.series[id]));
    ASSERT_EQ(dictionary_.value(static_cast<SeriesId>(id), static_cast<TagNumber>(tag)), naive_.value(id, names_[tag]));
  }

  std::mt19937_64 random_;
  SeriesBudget budget_;
  SeriesDictionary dictionary_;
  NaiveDictionary naive_;
  std::vector<std::string> names_;
};

TEST(SeriesDictionary, AgreesWithANaiveOne) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    RandomSeries(seed).run();
    if (HasFailure()) return;
  }
}

/// More series than one container of a bitmap holds.
TEST(SeriesDictionary, SelectsAmongManySeries) {
  Abc abc;
  constexpr std::uint32_t kSeries = 150'000;
  for (std::uint32_t i = 0; i < kSeries; ++i) {
    abc.series.resolve(Tags{{"a", std::to_string(i)}, {"b", std::to_string(i % 3)}}).value();
  }
  const auto third = abc.series.select(compile({{.name = "b", .op = MatchOp::kEqual, .value = "1"}}));
  EXPECT_EQ(third.size(), kSeries / 3);
  EXPECT_TRUE(std::ranges::all_of(third.ids(), [](SeriesId id) { return id % 3 == 1; }));
  const auto rest = abc.series.select(compile({{.name = "b", .op = MatchOp::kNotRegex, .value = "1.*"}}));
  EXPECT_EQ(rest, third.complement(kSeries));
  const auto few = compile(
      {{.name = "a", .op = MatchOp::kRegex, .value = "14999."}, {.name = "b", .op = MatchOp::kNotEqual, .value = "0"}});
  EXPECT_EQ(abc.series.select(few).ids(),
            (std::vector<SeriesId>{149'990, 149'992, 149'993, 149'995, 149'996, 149'998, 149'999}));
  EXPECT_EQ(abc.series.values(1, few).size(), 7U);
  const auto all = abc.series.select(compile({{.name = "c", .op = MatchOp::kEqual, .value = ""}}));
  EXPECT_EQ(all.size(), kSeries);
}

}  // namespace
}  // namespace marigram::head
