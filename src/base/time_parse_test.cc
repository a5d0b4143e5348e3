// Reading times that people, programs and other writers wrote. Without this test a malformed time could be taken for
// another one, an offset applied the wrong way round, or a hostile text overflow the arithmetic.
#include <marigram/time.h>

#include "base/civil_date.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>
#include <utility>

namespace marigram {
namespace {

using ::testing::HasSubstr;

constexpr Instant kNewYear{1'357'020'000, 0};  // 2013-01-01T06:00:00Z

TEST(ParseRfc3339, ReadsTheFormsOfTheHeader) {
  EXPECT_EQ(parse_rfc3339("2013-01-01T06:00:00Z").value(), kNewYear);
  EXPECT_EQ(parse_rfc3339("2013-01-01t06:00:00z").value(), kNewYear);
  EXPECT_EQ(parse_rfc3339("2013-01-01 06:00:00").value(), kNewYear);
  EXPECT_EQ(parse_rfc3339("2013-01-01T06:00:00").value(), kNewYear);
  EXPECT_EQ(parse_rfc3339("2013-01-01").value(), (Instant{1'356'998'400, 0}));
  EXPECT_EQ(parse_rfc3339("2013-01-01T06:00:00.123456789-05:00").value(), (Instant{1'357'038'000, 123'456'789}));
  EXPECT_EQ(parse_rfc3339("+2013-01-01T06:00:00Z").value(), kNewYear);
  EXPECT_EQ(parse_rfc3339("+000000002013-01-01T06:00:00Z").value(), kNewYear);
}

TEST(ParseRfc3339, ReadsEveryFractionLength) {
  const std::string digits = "987654321";
  std::uint32_t nanos = 0;
  std::uint32_t place = 100'000'000;
  for (std::size_t length = 1; length <= 9; ++length, place /= 10) {
    nanos += static_cast<std::uint32_t>(digits[length - 1] - '0') * place;
    EXPECT_EQ(parse_rfc3339("1969-12-31T23:59:59." + digits.substr(0, length) + "Z").value(), (Instant{-1, nanos}));
  }
  EXPECT_FALSE(parse_rfc3339("1969-12-31T23:59:59.Z"));
  EXPECT_FALSE(parse_rfc3339("1969-12-31T23:59:59.9876543210Z"));
  EXPECT_FALSE(parse_rfc3339("1969-12-31T23:59:59,5Z"));
}

TEST(ParseRfc3339, SubtractsTheOffset) {
  EXPECT_EQ(parse_rfc3339("2013-01-01T07:30:00+01:30").value(), kNewYear);
  EXPECT_EQ(parse_rfc3339("2012-12-31T06:01:00-23:59").value(), kNewYear);
  EXPECT_EQ(parse_rfc3339("2013-01-02T05:59:00+23:59").value(), kNewYear);
  EXPECT_EQ(parse_rfc3339("2013-01-01T06:00:00-00:00").value(), kNewYear);
  EXPECT_EQ(parse_rfc3339("2013-01-01T06:00:00+00:00").value(), kNewYear);
}

TEST(ParseRfc3339, KnowsLeapYears) {
  EXPECT_TRUE(parse_rfc3339("2024-02-29"));
  EXPECT_TRUE(parse_rfc3339("2000-02-29"));
  EXPECT_TRUE(parse_rfc3339("0000-02-29"));
  EXPECT_TRUE(parse_rfc3339("-0004-02-29"));
  EXPECT_FALSE(parse_rfc3339("2023-02-29"));
  EXPECT_FALSE(parse_rfc3339("1900-02-29"));
  EXPECT_FALSE(parse_rfc3339("2024-02-30"));
  EXPECT_FALSE(parse_rfc3339("2024-04-31"));
}

TEST(ParseRfc3339, ReachesExactlyTheEndsOfInt64Seconds) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(parse_rfc3339("-292277022657-01-27T08:29:52Z").value(), (Instant{kMin, 0}));
  EXPECT_EQ(parse_rfc3339("+292277026596-12-04T15:30:07.999999999Z").value(), (Instant{kMax, 999'999'999}));
  EXPECT_FALSE(parse_rfc3339("-292277022657-01-27T08:29:51.999999999Z"));
  EXPECT_FALSE(parse_rfc3339("+292277026596-12-04T15:30:08Z"));
  EXPECT_FALSE(parse_rfc3339("-292277022657-01-27"));  // midnight of that day is out of range
  // The offset carries a local time beyond the end back into the range, and the reverse.
  EXPECT_EQ(parse_rfc3339("+292277026596-12-04T16:30:07+01:00").value(), (Instant{kMax, 0}));
  EXPECT_FALSE(parse_rfc3339("+292277026596-12-04T15:30:07-00:01"));
  EXPECT_FALSE(parse_rfc3339("+999999999999-12-31T23:59:59-23:59"));
  EXPECT_FALSE(parse_rfc3339("-999999999999-01-01T00:00:00+23:59"));
}

TEST(ParseRfc3339, RefusesAndNamesThePart) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "year at character 1"},
      {"hello", "year"},
      {"13-01-01", "year"},
      {"10000-01-01", "separator after the year"},
      {"-1-01-01", "year"},
      {"+1234567890123-01-01", "separator after the year"},
      {"2013/01/01", "separator after the year at character 5"},
      {"2013-1-01", "month at character 7"},
      {"2013-00-01", "month"},
      {"2013-13-01", "month"},
      {"2013-01", "separator after the month"},
      {"2013-01-0", "day"},
      {"2013-01-00", "day"},
      {"2013-01-32", "day"},
      {"2013-01-01T", "hour"},
      {"2013-01-01_06:00:00Z", "separator after the date"},
      {"2013-01-01  06:00:00Z", "hour"},
      {"2013-01-01Z", "separator after the date"},
      {"2013-01-01T06", "separator after the hour"},
      {"2013-01-01T06:00", "separator after the minute"},
      {"2013-01-01T0600", "separator after the hour"},
      {"2013-01-01T24:00:00Z", "hour"},
      {"2013-01-01T06:60:00Z", "minute"},
      {"2013-01-01T06:00:61Z", "second"},
      {"2016-12-31T23:59:60Z", "leap second"},
      {"2013-01-01T06:00:00X", "zone"},
      {"2013-01-01T06:00:00 Z", "zone"},
      {"2013-01-01T06:00:00+1", "offset's hours"},
      {"2013-01-01T06:00:00+0100", "separator after the offset's hours"},
      {"2013-01-01T06:00:00+24:00", "offset's hours"},
      {"2013-01-01T06:00:00+01:60", "offset's minutes"},
      {"2013-01-01T06:00:00Z ", "text after the time"},
      {"2013-01-01T06:00:00+01:00Z", "text after the time"},
      {" 2013-01-01", "year"},
      {std::string("2013-01-01T06:00:00Z\0", 21), "text after the time"},
  };
  for (const auto& [text, part] : cases) {
    const auto instant = parse_rfc3339(text);
    ASSERT_FALSE(instant) << text;
    EXPECT_EQ(instant.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(instant.error().message, HasSubstr(part)) << text;
    EXPECT_THAT(instant.error().message, HasSubstr("got '" + text + "'"));
  }
}

TEST(ParseRfc3339, MessageOfALongTextIsShort) {
  const auto instant = parse_rfc3339(std::string(1'000'000, '1'));
  ASSERT_FALSE(instant);
  EXPECT_LT(instant.error().message.size(), 300u);
}

TEST(ParseRfc3339, EveryTruncationOfATimeIsRefusedOrADate) {
  const std::string whole = "2013-01-01T06:00:00.123456789-05:00";
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const bool legal = length == 10 || length == 19 || (length >= 21 && length <= 29);
    EXPECT_EQ(parse_rfc3339(whole.substr(0, length)).has_value(), legal) << whole.substr(0, length);
  }
}

RC_GTEST_PROP(ParseRfc3339Property, AgreesWithTheFieldsItWasMadeOf, ()) {
  const auto year = *rc::gen::inRange<std::int64_t>(-292'277'022'656, 292'277'026'596);
  const auto month = *rc::gen::inRange<unsigned>(1, 13);
  const auto day = *rc::gen::inRange<unsigned>(1, days_in_month(year, month) + 1);
  const auto second_of_day = *rc::gen::inRange<std::int64_t>(0, kSecondsPerDay);
  const auto nanos = *rc::gen::inRange<std::uint32_t>(0, 1'000'000'000);
  const auto offset = *rc::gen::inRange<std::int64_t>(-1'439, 1'440);
  const std::string text =
      fmt::format("{}{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}{}{:02}:{:02}", year < 0 ? '-' : '+', std::abs(year),
                  month, day, second_of_day / 3'600, second_of_day / 60 % 60, second_of_day % 60, nanos,
                  offset < 0 ? '-' : '+', std::abs(offset) / 60, std::abs(offset) % 60);
  const Instant want{days_from_civil({year, month, day}) * kSecondsPerDay + second_of_day - offset * 60, nanos};
  RC_ASSERT(parse_rfc3339(text).value() == want);
}

RC_GTEST_PROP(ParseRfc3339Property, OneChangedCharacterIsRefusedOrReadAsWritten, ()) {
  std::string text = "2013-01-01T06:00:00.123456789-05:00";
  text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
  const auto instant = parse_rfc3339(text);
  if (instant) {
    // What is accepted reads the same after one canonical round.
    RC_ASSERT(parse_rfc3339(format_rfc3339(*instant)).value() == *instant);
  } else {
    RC_ASSERT(instant.error().code == ErrorCode::kInvalidInput);
  }
}

RC_GTEST_PROP(ParseRfc3339Property, AnyTextIsReadOrRefused, (const std::string& text)) {
  const auto instant = parse_rfc3339(text);
  RC_ASSERT((instant || instant.error().code == ErrorCode::kInvalidInput));
}

}  // namespace
}  // namespace marigram
