// The proleptic Gregorian calendar over the whole int64 range of seconds, without time zones.
//
// Both conversions are Howard Hinnant's (https://howardhinnant.github.io/date_algorithms.html): years are counted from
// March, so that the leap day is the last of its year, in eras of 400 years (146,097 days).
#pragma once

#include <cstdint>

namespace marigram {

inline constexpr std::int64_t kSecondsPerDay = 86'400;

/// A day of the calendar. Year 0 is 1 BC.
struct CivilDate {
  std::int64_t year = 1970;
  unsigned month = 1;  ///< 1..12
  unsigned day = 1;    ///< 1..31

  friend constexpr bool operator==(const CivilDate&, const CivilDate&) = default;
};

/// Largest |year| whose days_from_civil does not overflow, with room to spare; int64 seconds reach year
/// 292,277,026,596.
inline constexpr std::int64_t kCivilYearMax = 1'000'000'000'000;

/// Days since 1970-01-01 of a valid date with |year| <= kCivilYearMax.
constexpr std::int64_t days_from_civil(const CivilDate& date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;                                                      // 0..399
  const std::int64_t month_from_march = date.month > 2 ? date.month - 3 : date.month + 9;                 // 0..11
  const std::int64_t day_of_year = (153 * month_from_march + 2) / 5 + date.day - 1;                       // 0..365
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;  // 0..146'096
  return era * 146'097 + day_of_era - 719'468;
}

/// The date `days` after 1970-01-01. |days| <= 365 * kCivilYearMax.
constexpr CivilDate civil_from_days(std::int64_t days) {
  const std::int64_t shifted = days + 719'468;  // days since 0000-03-01
  const std::int64_t era = (shifted >= 0 ? shifted : shifted - 146'096) / 146'097;
  const std::int64_t day_of_era = shifted - era * 146'097;  // 0..146'096
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;                 // 0..399
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);  // 0..365
  const std::int64_t month_from_march = (5 * day_of_year + 2) / 153;                                        // 0..11
  const auto day = static_cast<unsigned>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  const auto month = static_cast<unsigned>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

constexpr bool is_leap_year(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/// `month` is 1..12.
constexpr unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[month - 1];
}

/// Rounds towards minus infinity. `divisor` > 0.
constexpr std::int64_t floor_div(std::int64_t value, std::int64_t divisor) {
  const std::int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

/// What floor_div leaves: 0 .. divisor - 1. `divisor` > 0. (value - floor_div * divisor would overflow near the
/// minimum.)
constexpr std::int64_t floor_mod(std::int64_t value, std::int64_t divisor) {
  const std::int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

}  // namespace marigram
