// Intervals are typed by people and name levels of rollups in the log. Without this a width could be taken for another,
// or a level could not be found under its name again.
#include "base/interval_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace marigram {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(IntervalText, FixedWidthsAndThoseOfACalendar) {
  EXPECT_EQ(parse_interval("90s", false).value(), Interval(90 * kSecond));
  EXPECT_EQ(parse_interval("5m", true).value(), Interval(300 * kSecond));
  EXPECT_EQ(parse_interval("1d", false).value(), Interval(86'400 * kSecond));
  EXPECT_EQ(parse_interval("1d", true).value(), Interval::of_days(1));
  EXPECT_EQ(parse_interval("2w", false).value(), Interval::of_weeks(2));
  EXPECT_EQ(parse_interval("3mo", false).value(), Interval::of_months(3));
  EXPECT_EQ(parse_interval("2y", false).value(), Interval::of_months(24));
}

TEST(IntervalText, WhatIsWrittenIsReadAgain) {
  for (const std::string text : {"90s", "5m", "1h", "36h", "1w", "2mo", "5y"}) {
    EXPECT_EQ(format_interval(parse_interval(text, false).value()), text);
  }
  EXPECT_EQ(format_interval(parse_interval("24h", false).value()), "1d");
  EXPECT_EQ(format_interval(parse_interval("12mo", true).value()), "1y");
  EXPECT_EQ(format_interval(Interval::of_days(3)), "3d");
}

TEST(IntervalText, OtherTextsAreErrorsThatShowThem) {
  for (const std::string text : {"", "m", "0w", "0m", "-1d", "1.5h", "1 fortnight", "1000001mo", "99999999999999d"}) {
    const auto interval = parse_interval(text, true);
    ASSERT_FALSE(interval) << text;
    EXPECT_EQ(interval.error().code, ErrorCode::kInvalidInput);
    EXPECT_NE(interval.error().message.find(text), std::string::npos) << interval.error().message;
  }
}

}  // namespace
}  // namespace marigram
