// Bucket widths are typed by people and stored in table metadata. Without this test a spelling that the table format
// accepts could be refused, or nonsense ("1.5h", "-1h", a count beyond 32 bits) taken for a width.
#include "base/bucket_width.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <string>

namespace marigram {
namespace {

using Unit = BucketWidth::Unit;
using ::testing::HasSubstr;

TEST(BucketWidth, ReadsEverySpellingOfEveryUnit) {
  const std::pair<Unit, std::vector<std::string>> spellings[] = {
      {Unit::kSecond, {"s", "sec", "secs", "second", "seconds"}},
      {Unit::kMinute, {"m", "min", "mins", "minute", "minutes"}},
      {Unit::kHour, {"h", "hr", "hrs", "hour", "hours"}},
      {Unit::kDay, {"d", "day", "days"}},
  };
  for (const auto& [unit, names] : spellings) {
    for (const std::string& name : names) {
      std::string upper = name;
      for (char& c : upper) c = static_cast<char>(c - 'a' + 'A');
      std::string title = name;
      title[0] = upper[0];
      for (const std::string& spelled : {name, upper, title}) {
        for (const std::string& text : {"7" + spelled, "7 " + spelled, "7 \t " + spelled, "  7" + spelled + "\n"}) {
          const auto width = parse_bucket_width(text);
          ASSERT_TRUE(width) << text << ": " << width.error().message;
          EXPECT_EQ(*width, (BucketWidth{7, unit})) << text;
        }
      }
    }
  }
}

TEST(BucketWidth, ReadsTheExamplesOfTheFormat) {
  EXPECT_EQ(parse_bucket_width("60 Minutes").value(), (BucketWidth{60, Unit::kMinute}));
  EXPECT_EQ(parse_bucket_width("1H").value(), (BucketWidth{1, Unit::kHour}));
  EXPECT_EQ(parse_bucket_width("2 d").value(), (BucketWidth{2, Unit::kDay}));
  EXPECT_EQ(parse_bucket_width("4294967295s").value(), (BucketWidth{4'294'967'295u, Unit::kSecond}));
  EXPECT_EQ(parse_bucket_width("0001h").value(), (BucketWidth{1, Unit::kHour}));
}

TEST(BucketWidth, SameWidthInOtherUnitsIsAnotherBucket) {
  EXPECT_EQ((BucketWidth{60, Unit::kMinute}.seconds()), (BucketWidth{1, Unit::kHour}.seconds()));
  EXPECT_NE((BucketWidth{60, Unit::kMinute}), (BucketWidth{1, Unit::kHour}));
}

TEST(BucketWidth, LargestWidthDoesNotOverflow) {
  EXPECT_EQ((BucketWidth{std::numeric_limits<std::uint32_t>::max(), Unit::kDay}.seconds()), 371'085'174'288'000);
}

TEST(BucketWidth, RefusesTheRestAndSaysWhy) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "empty"},
      {"   ", "empty"},
      {"1w", "unit is unknown"},
      {"-1h", "whole number"},
      {"+1h", "whole number"},
      {"1.5h", "unit is unknown"},
      {"1,5h", "unit is unknown"},
      {"5", "unit is missing"},
      {"5 ", "unit is missing"},
      {"h", "whole number"},
      {"0s", "zero"},
      {"000d", "zero"},
      {"4294967296s", "above 4294967295"},
      {"99999999999999999999999999s", "above 4294967295"},
      {"1h30m", "unit is unknown"},
      {"1 h h", "unit is unknown"},
      {"1 2h", "unit is unknown"},
      {"1ms", "unit is unknown"},
      {"1hourss", "unit is unknown"},
      {"1\xC2\xA0h", "unit is unknown"},
      {std::string("1h\0", 3), "unit is unknown"},
      {"\xD9\xA1h", "whole number"},  // an Arabic-Indic digit one
  };
  for (const auto& [text, why] : cases) {
    const auto width = parse_bucket_width(text);
    ASSERT_FALSE(width) << text;
    EXPECT_EQ(width.error().code, ErrorCode::kInvalidInput) << text;
    EXPECT_THAT(width.error().message, HasSubstr(why)) << text;
    EXPECT_THAT(width.error().message, HasSubstr("got '" + text + "'"));
    EXPECT_THAT(width.error().message, HasSubstr("want a whole number and a unit (s, m, h or d)"));
  }
}

TEST(BucketWidth, MessageOfALongTextIsShort) {
  const auto width = parse_bucket_width(std::string(100'000, 'x'));
  ASSERT_FALSE(width);
  EXPECT_LT(width.error().message.size(), 300u);
}

TEST(BucketWidth, LettersOfTheUnits) {
  EXPECT_EQ(bucket_unit_letter(Unit::kSecond), 'S');
  EXPECT_EQ(bucket_unit_letter(Unit::kMinute), 'M');
  EXPECT_EQ(bucket_unit_letter(Unit::kHour), 'H');
  EXPECT_EQ(bucket_unit_letter(Unit::kDay), 'D');
}

RC_GTEST_PROP(BucketWidthProperty, WhatIsWrittenIsReadBack, ()) {
  const BucketWidth width{*rc::gen::inRange<std::uint32_t>(1, std::numeric_limits<std::uint32_t>::max()),
                          *rc::gen::element(Unit::kSecond, Unit::kMinute, Unit::kHour, Unit::kDay)};
  RC_ASSERT(parse_bucket_width(format_bucket_width(width)).value() == width);
}

RC_GTEST_PROP(BucketWidthProperty, AnyTextIsReadOrRefused, (const std::string& text)) {
  const auto width = parse_bucket_width(text);
  RC_ASSERT((width ? width->count >= 1 : width.error().code == ErrorCode::kInvalidInput));
}

TEST(Duration, ReadsSecondsAndZero) {
  EXPECT_EQ(parse_duration_seconds("0s").value(), 0);
  EXPECT_EQ(parse_duration_seconds("0 days").value(), 0);
  EXPECT_EQ(parse_duration_seconds("7d").value(), 604'800);
  EXPECT_EQ(parse_duration_seconds("12h").value(), 43'200);
  EXPECT_EQ(parse_duration_seconds(" 90 Min ").value(), 5'400);
  for (const char* text : {"", "0", "d", "-1d", "1w", "4294967296s", "1.5h"}) {
    const auto duration = parse_duration_seconds(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(duration.error().message, HasSubstr("cannot read duration"));
  }
}

}  // namespace
}  // namespace marigram
