// Instants, units and their text form. Without this test a rounded or overflowed timestamp, or one that a reader of the
// table format cannot parse, would be written to tables.
#include <marigram/time.h>

#include "base/civil_date.h"

#include <date/date.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <limits>
#include <random>
#include <sstream>

namespace marigram {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::array kUnits = {TimeUnit::kSecond, TimeUnit::kMilli, TimeUnit::kMicro, TimeUnit::kNano};

rc::Gen<Instant> any_instant() {
  return rc::gen::build<Instant>(
      rc::gen::set(&Instant::seconds, rc::gen::oneOf(rc::gen::arbitrary<std::int64_t>(),
                                                     rc::gen::inRange<std::int64_t>(-9'300'000'000, 9'300'000'000))),
      rc::gen::set(&Instant::nanos,
                   rc::gen::oneOf(rc::gen::inRange<std::uint32_t>(0, 1'000'000'000),
                                  rc::gen::element<std::uint32_t>(0, 1, 999'999'999, 1'000, 1'000'000, 500'000'000))));
}

/// "+05:30".
std::string offset_text(std::int64_t minutes) {
  return fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60, std::abs(minutes) % 60);
}

TEST(TimeUnit, NamesAreReadBack) {
  for (const TimeUnit unit : kUnits) EXPECT_EQ(parse_time_unit(time_unit_name(unit)).value(), unit);
  for (const char* text : {"", "S", "sec", "m", "nanos", " ns"}) {
    const auto unit = parse_time_unit(text);
    ASSERT_FALSE(unit);
    EXPECT_EQ(unit.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(unit.error().message, HasSubstr("want s, ms, us or ns"));
  }
}

TEST(Instant, ExtremesOfEveryUnitComeBack) {
  for (const TimeUnit unit : kUnits) {
    for (const std::int64_t value :
         {kMin, kMin + 1, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, kMax - 1, kMax}) {
      const Instant instant = Instant::from_units(value, unit);
      EXPECT_LT(instant.nanos, 1'000'000'000u);
      EXPECT_EQ(to_units_floor(instant, unit).value(), value);
      EXPECT_EQ(to_units_ceil(instant, unit).value(), value);
      EXPECT_EQ(to_units_exact(instant, unit).value(), value);
      EXPECT_EQ(parse_rfc3339(format_rfc3339(instant)).value(), instant) << format_rfc3339(instant);
    }
  }
}

TEST(Instant, WritesTheExtremes) {
  EXPECT_EQ(format_rfc3339(Instant::from_units(kMin, TimeUnit::kSecond)), "-292277022657-01-27T08:29:52Z");
  EXPECT_EQ(format_rfc3339(Instant{kMax, 999'999'999}), "+292277026596-12-04T15:30:07.999999999Z");
  EXPECT_EQ(format_rfc3339(Instant::from_units(kMin, TimeUnit::kNano)), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(format_rfc3339(Instant::from_units(kMax, TimeUnit::kNano)), "2262-04-11T23:47:16.854775807Z");
}

TEST(Instant, RoundsTowardsTheAskedSide) {
  const Instant before{-1, 999'999'999};  // one nanosecond before 1970
  EXPECT_EQ(to_units_floor(before, TimeUnit::kSecond).value(), -1);
  EXPECT_EQ(to_units_ceil(before, TimeUnit::kSecond).value(), 0);
  EXPECT_EQ(to_units_floor(before, TimeUnit::kMicro).value(), -1);
  EXPECT_EQ(to_units_ceil(before, TimeUnit::kMicro).value(), 0);
  const Instant after{0, 1};
  EXPECT_EQ(to_units_floor(after, TimeUnit::kMilli).value(), 0);
  EXPECT_EQ(to_units_ceil(after, TimeUnit::kMilli).value(), 1);
  const auto exact = to_units_exact(after, TimeUnit::kMilli);
  ASSERT_FALSE(exact);
  EXPECT_EQ(exact.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(exact.error().message, HasSubstr("1970-01-01T00:00:00.000000001Z"));
}

TEST(Instant, OneNanosecondBeyondTheRangeOfAUnit) {
  const Instant last = Instant::from_units(kMax, TimeUnit::kMilli);
  const Instant beyond{last.seconds, last.nanos + 1};
  EXPECT_EQ(to_units_floor(beyond, TimeUnit::kMilli).value(), kMax);
  EXPECT_FALSE(to_units_ceil(beyond, TimeUnit::kMilli));

  const Instant first = Instant::from_units(kMin, TimeUnit::kMilli);
  const Instant below{first.seconds, first.nanos - 1};
  EXPECT_FALSE(to_units_floor(below, TimeUnit::kMilli));
  EXPECT_EQ(to_units_ceil(below, TimeUnit::kMilli).value(), kMin);

  const auto far = to_units_floor(Instant{kMax, 0}, TimeUnit::kNano);
  ASSERT_FALSE(far);
  EXPECT_EQ(far.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(far.error().message, HasSubstr("want 1677-09-21T00:12:43.145224192Z to 2262-04-11T23:47:16.854775807Z"));
  EXPECT_FALSE(to_units_exact(Instant{kMin, 0}, TimeUnit::kMicro));
  EXPECT_FALSE(to_units_ceil(Instant{kMax, 999'999'999}, TimeUnit::kSecond));
}

TEST(Instant, WritesThreeSixOrNineDigits) {
  EXPECT_EQ(format_rfc3339({0, 0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339({0, 1}), "1970-01-01T00:00:00.000000001Z");
  EXPECT_EQ(format_rfc3339({0, 10}), "1970-01-01T00:00:00.000000010Z");
  EXPECT_EQ(format_rfc3339({0, 1'000}), "1970-01-01T00:00:00.000001Z");
  EXPECT_EQ(format_rfc3339({0, 100'000}), "1970-01-01T00:00:00.000100Z");
  EXPECT_EQ(format_rfc3339({0, 1'000'000}), "1970-01-01T00:00:00.001Z");
  EXPECT_EQ(format_rfc3339({0, 500'000'000}), "1970-01-01T00:00:00.500Z");
  EXPECT_EQ(format_rfc3339({-1, 999'000'000}), "1969-12-31T23:59:59.999Z");
}

TEST(Instant, WritesYearsAsChronoDoes) {
  const std::pair<CivilDate, const char*> cases[] = {
      {{0, 1, 1}, "0000-01-01T00:00:00Z"},         {{33, 4, 3}, "0033-04-03T00:00:00Z"},
      {{9999, 12, 31}, "9999-12-31T00:00:00Z"},    {{10'000, 1, 1}, "+10000-01-01T00:00:00Z"},
      {{-1, 12, 31}, "-0001-12-31T00:00:00Z"},     {{-9999, 1, 1}, "-9999-01-01T00:00:00Z"},
      {{-10'000, 1, 1}, "-10000-01-01T00:00:00Z"}, {{262'142, 12, 31}, "+262142-12-31T00:00:00Z"},
  };
  for (const auto& [date, text] : cases) {
    const Instant instant{days_from_civil(date) * kSecondsPerDay, 0};
    EXPECT_EQ(format_rfc3339(instant), text);
    EXPECT_EQ(parse_rfc3339(text).value(), instant);
  }
}

TEST(Instant, EqualsTheDateLibraryInYears0To9999) {
  const std::int64_t first = date::sys_days{date::year{0} / 1 / 1}.time_since_epoch().count() * kSecondsPerDay;
  const std::int64_t last = date::sys_days{date::year{10'000} / 1 / 1}.time_since_epoch().count() * kSecondsPerDay - 1;
  std::mt19937_64 random(20'240'229);
  std::uniform_int_distribution<std::int64_t> seconds(first, last);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t value = i == 0 ? first : i == 1 ? last : seconds(random);
    const date::sys_seconds twin{std::chrono::seconds{value}};
    const std::string text = date::format("%FT%TZ", twin);
    ASSERT_EQ(format_rfc3339({value, 0}), text);
    ASSERT_EQ(parse_rfc3339(text).value(), (Instant{value, 0}));

    // The library's parser reads what we write, with a fraction and an offset.
    const auto offset_minutes = static_cast<std::int64_t>(random() % (2 * 1'439 + 1)) - 1'439;
    const std::string local = date::format("%FT%T", twin) + offset_text(offset_minutes);
    const auto parsed = parse_rfc3339(local);
    ASSERT_TRUE(parsed) << local;
    date::sys_seconds back;
    std::istringstream stream(local);
    stream >> date::parse("%FT%T%Ez", back);
    ASSERT_FALSE(stream.fail()) << local;
    ASSERT_EQ(*parsed, (Instant{back.time_since_epoch().count(), 0})) << local;
  }
}

TEST(IndexValue, IsWrittenByItsKind) {
  EXPECT_EQ(format_index_value(Instant{1, 0}), "1970-01-01T00:00:01Z");
  EXPECT_EQ(format_index_value(kMin), "-9223372036854775808");
  EXPECT_EQ(format_index_value(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
}

RC_GTEST_PROP(InstantProperty, TextComesBack, ()) {
  const Instant instant = *any_instant();
  RC_ASSERT(parse_rfc3339(format_rfc3339(instant)).value() == instant);
}

RC_GTEST_PROP(InstantProperty, UnitsComeBackAndKeepTheOrder, (std::int64_t a, std::int64_t b)) {
  const TimeUnit unit = *rc::gen::elementOf(kUnits);
  RC_ASSERT(to_units_exact(Instant::from_units(a, unit), unit).value() == a);
  RC_ASSERT((Instant::from_units(a, unit) < Instant::from_units(b, unit)) == (a < b));
}

RC_GTEST_PROP(InstantProperty, FloorAndCeilEncloseTheInstant, ()) {
  const Instant instant = *any_instant();
  const TimeUnit unit = *rc::gen::elementOf(kUnits);
  const auto floor = to_units_floor(instant, unit);
  const auto ceil = to_units_ceil(instant, unit);
  const auto exact = to_units_exact(instant, unit);
  if (floor && ceil) {
    RC_ASSERT(Instant::from_units(*floor, unit) <= instant);
    RC_ASSERT(instant <= Instant::from_units(*ceil, unit));
    RC_ASSERT(*ceil - *floor == (exact ? 0 : 1));
  }
  if (exact) RC_ASSERT((floor.value() == *exact && ceil.value() == *exact));
}

}  // namespace
}  // namespace marigram
