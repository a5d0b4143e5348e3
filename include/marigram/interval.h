// Widths of buckets of time.
#pragma once

#include <cstdint>

namespace marigram {

/// A fixed width, or some days, weeks or months of a calendar: one of the four.
struct Interval {
  /// Nanoseconds, or steps of an integer index; 0: none.
  constexpr Interval(std::int64_t width = 0) : fixed(width) {}  // NOLINT(google-explicit-constructor)

  static constexpr Interval of_days(std::int32_t count) {
    Interval interval;
    interval.days = count;
    return interval;
  }
  /// From Monday on.
  static constexpr Interval of_weeks(std::int32_t count) {
    Interval interval;
    interval.weeks = count;
    return interval;
  }
  static constexpr Interval of_months(std::int32_t count) {
    Interval interval;
    interval.months = count;
    return interval;
  }
  static constexpr Interval of_years(std::int32_t count) { return of_months(12 * count); }

  std::int64_t fixed = 0;
  std::int32_t days = 0;
  std::int32_t weeks = 0;
  std::int32_t months = 0;

  friend constexpr bool operator==(const Interval&, const Interval&) = default;
};

}  // namespace marigram
