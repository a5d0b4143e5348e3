// The calendar under every written time. Without this test a leap-year or era mistake shifts timestamps by a day, and
// an overflow at the ends of int64 goes unseen. Twin: the date library, which implements the same calendar.
#include "base/civil_date.h"

#include <date/date.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>

namespace marigram {
namespace {

TEST(CivilDate, EqualsTheDateLibraryOnEveryDayOfYears0To9999) {
  std::int64_t days = date::sys_days{date::year{0} / 1 / 1}.time_since_epoch().count();
  const std::int64_t end = date::sys_days{date::year{9999} / 12 / 31}.time_since_epoch().count();
  std::int64_t compared = 0;
  for (; days <= end; ++days, ++compared) {
    const date::year_month_day twin{date::sys_days{date::days{days}}};
    const CivilDate date = civil_from_days(days);
    ASSERT_EQ(date.year, static_cast<int>(twin.year())) << days;
    ASSERT_EQ(date.month, static_cast<unsigned>(twin.month())) << days;
    ASSERT_EQ(date.day, static_cast<unsigned>(twin.day())) << days;
    ASSERT_EQ(days_from_civil(date), days);
  }
  EXPECT_EQ(compared, 3'652'425);  // 10,000 years
}

TEST(CivilDate, EndsOfInt64Seconds) {
  const std::int64_t first = floor_div(std::numeric_limits<std::int64_t>::min(), kSecondsPerDay);
  const std::int64_t last = floor_div(std::numeric_limits<std::int64_t>::max(), kSecondsPerDay);
  EXPECT_EQ(civil_from_days(first), (CivilDate{-292'277'022'657, 1, 27}));
  EXPECT_EQ(civil_from_days(last), (CivilDate{292'277'026'596, 12, 4}));
  EXPECT_EQ(days_from_civil(civil_from_days(first)), first);
  EXPECT_EQ(days_from_civil(civil_from_days(last)), last);
}

TEST(CivilDate, LargestYearsDoNotOverflow) {
  for (const std::int64_t year : {kCivilYearMax, -kCivilYearMax}) {
    const CivilDate date{year, 12, 31};
    EXPECT_EQ(civil_from_days(days_from_civil(date)), date);
  }
}

TEST(CivilDate, MonthLengths) {
  EXPECT_EQ(days_in_month(2024, 2), 29u);
  EXPECT_EQ(days_in_month(2023, 2), 28u);
  EXPECT_EQ(days_in_month(1900, 2), 28u);
  EXPECT_EQ(days_in_month(2000, 2), 29u);
  EXPECT_EQ(days_in_month(0, 2), 29u);
  EXPECT_EQ(days_in_month(-4, 2), 29u);
  EXPECT_EQ(days_in_month(-100, 2), 28u);
  EXPECT_EQ(days_in_month(-400, 2), 29u);
  for (std::int64_t year = -801; year <= 801; ++year) {
    for (unsigned month = 1; month <= 12; ++month) {
      const CivilDate next = month == 12 ? CivilDate{year + 1, 1, 1} : CivilDate{year, month + 1, 1};
      ASSERT_EQ(days_in_month(year, month), days_from_civil(next) - days_from_civil({year, month, 1}));
    }
  }
}

TEST(CivilDate, FloorDivRoundsDown) {
  EXPECT_EQ(floor_div(7, 2), 3);
  EXPECT_EQ(floor_div(-7, 2), -4);
  EXPECT_EQ(floor_div(-8, 2), -4);
  EXPECT_EQ(floor_div(0, 5), 0);
  EXPECT_EQ(floor_div(-1, std::numeric_limits<std::int64_t>::max()), -1);
  EXPECT_EQ(floor_div(std::numeric_limits<std::int64_t>::min(), 1), std::numeric_limits<std::int64_t>::min());
}

TEST(CivilDate, FloorModIsNeverNegative) {
  EXPECT_EQ(floor_mod(7, 2), 1);
  EXPECT_EQ(floor_mod(-7, 2), 1);
  EXPECT_EQ(floor_mod(-8, 2), 0);
  EXPECT_EQ(floor_mod(-1, kSecondsPerDay), kSecondsPerDay - 1);
  EXPECT_EQ(floor_mod(std::numeric_limits<std::int64_t>::min(), kSecondsPerDay), 30'592);  // 08:29:52
}

RC_GTEST_PROP(CivilDateProperty, EveryDayOfInt64SecondsIsAValidDateAndComesBack, (std::int64_t seconds)) {
  const std::int64_t days = floor_div(seconds, kSecondsPerDay);
  const CivilDate date = civil_from_days(days);
  RC_ASSERT(date.month >= 1u);
  RC_ASSERT(date.month <= 12u);
  RC_ASSERT(date.day >= 1u);
  RC_ASSERT(date.day <= days_in_month(date.year, date.month));
  RC_ASSERT(days_from_civil(date) == days);
}

}  // namespace
}  // namespace marigram
