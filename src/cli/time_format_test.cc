// Without these, imported times could be off by a zone, a fraction or a second before 1970.
#include "cli/time_format.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <marigram/time.h>

#include <fmt/format.h>
#include <cstdint>
#include <string>
#include <string_view>

namespace marigram::cli {
namespace {

std::string read(std::string_view format, std::string_view text) {
  auto parsed = TimeFormat::parse(format);
  if (!parsed) return "format: " + parsed.error().message;
  const auto instant = parsed->read(text);
  return instant ? format_rfc3339(*instant) : instant.error().message;
}

TEST(TimeFormat, ReadsRfc3339ByDefault) {
  TimeFormat format;
  EXPECT_EQ(format.read("2013-01-01T06:00:00Z"), (Instant{1'357'020'000, 0}));
  EXPECT_EQ(format.read("2013-01-01 01:00:00.5-05:00"), (Instant{1'357'020'000, 500'000'000}));
  EXPECT_EQ(format.read("2013-01-01"), (Instant{1'356'998'400, 0}));
  EXPECT_FALSE(format.read("01.01.2013"));
  EXPECT_FALSE(format.read(""));
  EXPECT_EQ(format.name(), "RFC 3339");
}

TEST(TimeFormat, ReadsEpochs) {
  EXPECT_EQ(read("epoch_s", "1357020000"), "2013-01-01T06:00:00Z");
  EXPECT_EQ(read("epoch_ms", "1357020000001"), "2013-01-01T06:00:00.001Z");
  EXPECT_EQ(read("epoch_us", "-1"), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(read("epoch_ns", "9223372036854775807"), "2262-04-11T23:47:16.854775807Z");
}

TEST(TimeFormat, ReadsFractionsOfEpochs) {
  EXPECT_EQ(read("epoch_s", "1357020000.5"), "2013-01-01T06:00:00.500Z");
  EXPECT_EQ(read("epoch_s", "1.123456789"), "1970-01-01T00:00:01.123456789Z");
  EXPECT_EQ(read("epoch_s", "-0.25"), "1969-12-31T23:59:59.750Z");
  EXPECT_EQ(read("epoch_s", "-1.5"), "1969-12-31T23:59:58.500Z");
  EXPECT_EQ(read("epoch_ms", "1.5"), "1970-01-01T00:00:00.001500Z");
  EXPECT_EQ(read("epoch_ns", "7.000"), "1970-01-01T00:00:00.000000007Z");
}

TEST(TimeFormat, RefusesWhatIsNoEpoch) {
  for (const char* text : {"", "x", "1x", "1.x", "+1", " 1", "1e9", "1.-5", "9223372036854775808"}) {
    EXPECT_EQ(read("epoch_s", text), fmt::format("got \"{}\", want a number of s since 1970-01-01T00:00:00Z", text));
  }
  EXPECT_NE(read("epoch_ns", "0.5").find("want a number of ns"), std::string::npos);  // finer than a nanosecond
}

TEST(TimeFormat, ReadsStrptime) {
  EXPECT_EQ(read("%d.%m.%Y %H:%M", "31.12.2013 23:59"), "2013-12-31T23:59:00Z");
  EXPECT_EQ(read("%Y-%m-%d %H:%M:%S", "2013-01-01 06:00:00.125"), "2013-01-01T06:00:00.125Z");
  EXPECT_EQ(read("%Y-%m-%d %H:%M:%S", "2013-01-01 06:00:07"), "2013-01-01T06:00:07Z");
  EXPECT_EQ(read("%Y%m%dT%H%M%S%z", "20130101T010000-0500"), "2013-01-01T06:00:00Z");
  EXPECT_EQ(read("%d %b %Y", "05 Mar 1969"), "1969-03-05T00:00:00Z");
  EXPECT_EQ(read("%m/%d/%Y %I:%M %p", "7/4/2013 3:05 PM"), "2013-07-04T15:05:00Z");
}

TEST(TimeFormat, RefusesWhatDoesNotMatchWhole) {
  for (const char* text : {"", "2013-13-01", "2013-02-30", "2013-01-01x", "2013-01", "x2013-01-01"}) {
    EXPECT_EQ(read("%Y-%m-%d", text), fmt::format("got \"{}\", want a time like %Y-%m-%d", text));
  }
}

TEST(TimeFormat, ReadsOnAfterAFailure) {
  auto format = TimeFormat::parse("%Y-%m-%d");
  ASSERT_TRUE(format);
  EXPECT_FALSE(format->read("nonsense"));
  EXPECT_EQ(format->read("2013-01-01"), (Instant{1'356'998'400, 0}));
}

TEST(TimeFormat, RefusesFormatsWithoutConversions) {
  EXPECT_FALSE(TimeFormat::parse("epoch_m"));
  EXPECT_FALSE(TimeFormat::parse("iso"));
  EXPECT_FALSE(TimeFormat::parse(""));
}

RC_GTEST_PROP(TimeFormat, StrptimeAgreesWithRfc3339, ()) {
  const auto seconds = *rc::gen::inRange<std::int64_t>(-62'135'596'800, 253'402'300'799);  // years 1 to 9999
  const auto nanos = *rc::gen::inRange<std::uint32_t>(0, 1'000'000'000);
  const Instant instant{seconds, nanos};
  auto format = TimeFormat::parse("%Y-%m-%dT%H:%M:%SZ");
  RC_ASSERT(format.has_value());
  const auto read_back = format->read(format_rfc3339(instant));
  RC_ASSERT(read_back.has_value());
  RC_ASSERT(*read_back == instant);
}

}  // namespace
}  // namespace marigram::cli
