// What is kept how long, and for which series. Without these a changed rule could move rows into a class of which other
// times are gone, a month could be 30 days, or a rule could ask for rollups to go before what they are made of.
#include "model/retention.h"

#include "base/interval_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace marigram::model {
namespace {

const IndexSpec kIndex{.column = "ts", .tags = {"env", "host"}, .kind = TimestampIndex{}};

Interval interval(const char* text) {
  return parse_interval(text, false).value();
}

std::string error_of(const Retention& retention) {
  const Status status = check_retention(retention, kIndex, {"1m", "1h"});
  return status ? "" : status.error().message;
}

TEST(Retention, ARuleThatCannotBeIsRefused) {
  const RetentionClass good{.keep = {{"rows", interval("7d")}, {"1m", interval("1mo")}, {"1h", interval("1y")}}};
  EXPECT_EQ(error_of({good}), "");
  EXPECT_EQ(error_of({{.where = {{"zone", {"eu"}}}, .keep = good.keep}}),
            "cannot keep for a time: `zone` is no tag; tags are: env, host");
  EXPECT_EQ(error_of({{.keep = {{"1d", interval("7d")}}}}),
            "cannot keep for a time: `1d` is neither rows nor a level of rollups; there are: rows, 1m, 1h");
  EXPECT_EQ(error_of({{.keep = {{"rows", interval("7d")}, {"1m", interval("1d")}}}}),
            "cannot keep for a time: 1m for 1d, and rows for 7d; what is coarser is made of what is finer, and kept as "
            "long");
  EXPECT_EQ(error_of({{.keep = {{"rows", interval("7d")}, {"1h", interval("1y")}}}}),
            "cannot keep for a time: 1h for 1y, and 1m for ever; what is coarser is made of what is finer, and kept as "
            "long");
}

TEST(Retention, MonthsAndYearsAreThoseOfTheCalendar) {
  const auto before = [](const char* now, const char* text) {
    return format_rfc3339(moment_before(parse_rfc3339(now).value(), interval(text)));
  };
  EXPECT_EQ(before("2024-03-31T10:00:00Z", "1mo"), "2024-02-29T10:00:00Z");
  EXPECT_EQ(before("2024-02-29T10:00:00.5Z", "1y"), "2023-02-28T10:00:00.500Z");
  EXPECT_EQ(before("1970-01-10T00:00:00Z", "2w"), "1969-12-27T00:00:00Z");
  EXPECT_EQ(before("2024-03-31T10:00:00Z", "36h"), "2024-03-29T22:00:00Z");
}

/// By class: what is gone of a series, and how long it is kept.
std::string fate(const Retention& retention, const SeriesKey& series) {
  for (std::size_t number = 0; number < class_count(retention); ++number) {
    if (!series_of(retention, number).has(series, kIndex)) continue;
    const auto horizon = horizon_of(retention, number, kRows);
    const bool is_kept = number >= retention.size() || retention[number].keep.empty();
    return fmt::format("{} {}", horizon ? format_rfc3339(*horizon) : "-",
                       is_kept ? "for ever" : format_interval(retention[number].keep.begin()->second));
  }
  return "of no class";
}

/// However rules change, what is gone of a series stays what it was, and it is kept as the new rules say.
TEST(Retention, NewRulesKeepWhatIsGone) {
  std::mt19937_64 random(7);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  const auto some = [&](const std::vector<std::string>& values) {
    std::vector<std::string> chosen;
    for (const std::string& value : values) {
      if (below(2) == 0) chosen.push_back(value);
    }
    return chosen;
  };
  const std::vector<std::string> envs = {"dev", "test", "prod"};
  const std::vector<std::string> hosts = {"a", "b", "c"};
  Retention now;
  std::size_t most = 0;
  for (int step = 0; step < 2'000; ++step) {
    Retention wanted(below(4));
    for (RetentionClass& own : wanted) {
      if (below(2) == 0) own.where.push_back({"env", some(envs)});
      if (below(2) == 0) own.where.push_back({"host", some(hosts)});
      if (below(4) > 0) own.keep = {{"rows", Interval(static_cast<std::int64_t>(1 + below(5)) * 86'400'000'000'000)}};
    }
    const auto next = replace_keeps(now, wanted);
    if (!next) {
      ASSERT_NE(next.error().message.find("want at most"), std::string::npos);
      now.clear();
      continue;
    }
    for (const std::string& env : envs) {
      for (const std::string& host : hosts) {
        const SeriesKey series = {env, host};
        const std::string gone = fate(now, series);
        const std::string kept = fate(wanted, series);
        ASSERT_EQ(fate(*next, series), gone.substr(0, gone.find(' ')) + kept.substr(kept.find(' ')));
      }
    }
    now = *next;
    most = std::max(most, now.size());
    if (!now.empty())
      now[below(now.size())].horizons["rows"] = {.seconds = static_cast<std::int64_t>(below(1'000'000))};
  }
  EXPECT_GT(most, 5U);
}

}  // namespace
}  // namespace marigram::model
