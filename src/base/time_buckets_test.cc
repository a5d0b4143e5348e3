// Buckets of time in all zones. Without these a day could be lost, counted twice, or begin an hour off where clocks are
// set; that zones are as another program knows them is for tests/interop/time_zones_test.py.
#include "base/time_buckets.h"

#include <marigram/time.h>

#include <date/tz.h>

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace marigram {
namespace {

using Bucket = TimeBuckets::Bucket;

constexpr std::int64_t kHour = 3'600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kNano = 1'000'000'000;
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

std::int64_t seconds_of(const char* utc) {
  return parse_rfc3339(utc).value().seconds;
}

TimeBuckets in_seconds(const Interval& width, const std::string& zone, std::optional<std::int64_t> origin = {}) {
  auto buckets = TimeBuckets::make(width, zone, origin, 1);
  EXPECT_TRUE(buckets) << buckets.error().message;
  return *std::move(buckets);
}

Interval hours(std::int64_t count) {
  return {count * kHour * kNano};
}

std::string day_text(std::int64_t seconds) {
  return format_rfc3339({.seconds = seconds});
}

TEST(TimeBucketsTest, WithoutAZoneTheyAreMultiplesOfTheirWidth) {
  TimeBuckets none;
  EXPECT_FALSE(none.any());
  EXPECT_TRUE(none.of(5).holds(kMin));
  TimeBuckets tens(10);
  for (const std::int64_t time : {kMin, kMin + 9, std::int64_t{-1}, std::int64_t{0}, std::int64_t{19}, kMax}) {
    const Bucket bucket = tens.of(time);
    EXPECT_TRUE(bucket.holds(time));
    EXPECT_EQ(bucket.width, 10U);
    EXPECT_EQ(bucket.start == kMin || bucket.start % 10 == 0, true);
  }
  EXPECT_EQ(tens.of(-1).start, -10);
  EXPECT_FALSE(tens.of(-1).holds(0));
  TimeBuckets from_three = in_seconds({10 * kNano}, "", 23);
  EXPECT_EQ(from_three.of(2).start, -7);
  EXPECT_EQ(from_three.of(3).start, 3);
  EXPECT_EQ(from_three.of(12).start, 3);
}

TEST(TimeBucketsTest, DaysOfAZoneAreAsLongAsItsClocksMakeThem) {
  TimeBuckets days = in_seconds(Interval::of_days(1), "Europe/Berlin");
  const auto expect = [&](const char* time, const char* start, std::int64_t length) {
    const Bucket bucket = days.of(seconds_of(time));
    EXPECT_EQ(day_text(bucket.start), day_text(seconds_of(start)));
    EXPECT_EQ(bucket.width, static_cast<std::uint64_t>(length));
  };
  expect("2024-01-01T12:00:00Z", "2023-12-31T23:00:00Z", kDay);
  expect("2024-03-31T12:00:00Z", "2024-03-30T23:00:00Z", 23 * kHour);
  expect("2024-10-27T00:30:00Z", "2024-10-26T22:00:00Z", 25 * kHour);
  TimeBuckets samoa = in_seconds(Interval::of_days(1), "Pacific/Apia");  // skipped 2011-12-30
  EXPECT_EQ(day_text(samoa.of(seconds_of("2011-12-30T09:59:59Z")).start), "2011-12-29T10:00:00Z");
  EXPECT_EQ(day_text(samoa.of(seconds_of("2011-12-30T10:00:00Z")).start), "2011-12-30T10:00:00Z");
  EXPECT_EQ(samoa.of(seconds_of("2011-12-30T10:00:00Z")).width, static_cast<std::uint64_t>(kDay));
}

TEST(TimeBucketsTest, HoursThatClocksShowTwiceAreTwo) {
  TimeBuckets hourly = in_seconds(hours(1), "Europe/Berlin");
  EXPECT_EQ(day_text(hourly.of(seconds_of("2024-10-27T00:30:00Z")).start), "2024-10-27T00:00:00Z");
  EXPECT_EQ(day_text(hourly.of(seconds_of("2024-10-27T01:30:00Z")).start), "2024-10-27T01:00:00Z");
  TimeBuckets fours = in_seconds(hours(4), "Europe/Berlin");
  EXPECT_EQ(fours.of(seconds_of("2024-10-27T01:30:00Z")).width, static_cast<std::uint64_t>(5 * kHour));
  EXPECT_EQ(fours.of(seconds_of("2024-03-31T01:30:00Z")).width, static_cast<std::uint64_t>(3 * kHour));
  TimeBuckets india = in_seconds(hours(1), "Asia/Kolkata");
  EXPECT_EQ(day_text(india.of(seconds_of("2024-01-01T00:00:00Z")).start), "2023-12-31T23:30:00Z");
}

TEST(TimeBucketsTest, WeeksBeginOnMondayAndMonthsOnTheFirst) {
  TimeBuckets weeks = in_seconds(Interval::of_weeks(1), "America/New_York");
  EXPECT_EQ(day_text(weeks.of(seconds_of("2024-03-11T03:59:59Z")).start), "2024-03-04T05:00:00Z");
  EXPECT_EQ(day_text(weeks.of(seconds_of("2024-03-11T04:00:00Z")).start), "2024-03-11T04:00:00Z");
  TimeBuckets months = in_seconds(Interval::of_months(1), "");
  EXPECT_EQ(day_text(months.of(seconds_of("2024-02-29T23:59:59Z")).start), "2024-02-01T00:00:00Z");
  EXPECT_EQ(months.of(seconds_of("2024-02-29T23:59:59Z")).width, static_cast<std::uint64_t>(29 * kDay));
  TimeBuckets quarters = in_seconds(Interval::of_months(3), "", seconds_of("2000-11-15T00:00:00Z"));
  EXPECT_EQ(day_text(quarters.of(seconds_of("2024-07-31T00:00:00Z")).start), "2024-05-01T00:00:00Z");
  TimeBuckets years = in_seconds(Interval::of_years(1), "");
  EXPECT_EQ(day_text(years.of(seconds_of("1969-12-31T23:59:59Z")).start), "1969-01-01T00:00:00Z");
}

TEST(TimeBucketsTest, BadOnesAreRefusedByName) {
  const auto message = [](const Interval& width, const std::string& zone, std::int64_t per_second = 1) {
    const auto made = TimeBuckets::make(width, zone, {}, per_second);
    return made ? std::string("none") : made.error().message;
  };
  EXPECT_NE(message(hours(1), "Mars/Olympus").find("Mars/Olympus"), std::string::npos);
  EXPECT_NE(message({-kNano}, "").find("negative"), std::string::npos);
  EXPECT_NE(message({kNano / 2}, "").find("multiple"), std::string::npos);
  EXPECT_EQ(message({kNano / 2}, "", 1'000), "none");
  Interval two = Interval::of_days(1);
  two.months = 1;
  EXPECT_NE(message(two, "").find("several"), std::string::npos);
}

/// Buckets meet, and the same is found from wherever one looks.
void expect_partition(TimeBuckets& fresh, std::int64_t time) {
  TimeBuckets buckets = fresh;
  const Bucket bucket = buckets.of(time);
  ASSERT_TRUE(bucket.holds(time)) << time;
  const auto first = static_cast<std::int64_t>(bucket.begin);
  const auto next = static_cast<std::int64_t>(bucket.begin + bucket.width);
  ASSERT_EQ(first, bucket.start);
  ASSERT_LT(first, next);
  TimeBuckets again = fresh;
  ASSERT_EQ(again.of(first).start, first) << time;
  ASSERT_EQ(again.of(next - 1).start, first) << time;
  again = fresh;
  ASSERT_EQ(again.of(next).start, next) << time;
  again = fresh;
  ASSERT_EQ(again.of(first - 1).begin + again.of(first - 1).width, bucket.begin) << time;
}

TEST(TimeBucketsTest, MeetInAllZonesWhereverClocksAreSet) {
  const date::sys_seconds begin = date::sys_days(date::year(1900) / 1 / 1);
  const date::sys_seconds end = date::sys_days(date::year(2038) / 1 / 1);
  std::mt19937_64 random(7);
  std::size_t changes = 0;
  for (const date::time_zone& zone : date::get_tzdb().zones) {
    SCOPED_TRACE(zone.name());
    std::vector<TimeBuckets> all;
    for (const Interval& width : {Interval{900 * kNano}, hours(1), hours(4), hours(24), Interval::of_days(1),
                                  Interval::of_weeks(2), Interval::of_months(1)}) {
      all.push_back(in_seconds(width, zone.name()));
    }
    for (date::sys_info info = zone.get_info(begin); info.end < end; info = zone.get_info(info.end)) {
      ++changes;
      const std::int64_t at = info.end.time_since_epoch().count();
      for (TimeBuckets& buckets : all) {
        for (const std::int64_t apart : {-kDay, -kHour, std::int64_t{-1}, std::int64_t{0}, kHour, kDay}) {
          expect_partition(buckets, at + apart);
        }
        expect_partition(buckets,
                         at - kDay + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2 * kDay)));
        if (HasFatalFailure()) return;
      }
    }
  }
  EXPECT_GT(changes, 30'000U);
}

TEST(TimeBucketsTest, TheEndsOfTheDomain) {
  for (const std::int64_t per_second : {std::int64_t{1}, kNano}) {
    for (const Interval& width : {hours(1), Interval::of_days(1), Interval::of_months(1)}) {
      auto buckets = TimeBuckets::make(width, "Europe/Berlin", {}, per_second);
      ASSERT_TRUE(buckets);
      for (const std::int64_t time : {kMin, kMin + 1, kMax - 1, kMax}) {
        EXPECT_TRUE(buckets->of(time).holds(time));
        EXPECT_LE(buckets->of(time).start, time);
      }
    }
  }
}

}  // namespace
}  // namespace marigram
