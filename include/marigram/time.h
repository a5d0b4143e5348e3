// Points in time, their units and their text form. All times are UTC; calendars with zones live in coverage.h.
#pragma once

#include <marigram/error.h>
#include <marigram/export.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace marigram {

/// Resolution of a table's time column.
enum class TimeUnit { kSecond, kMilli, kMicro, kNano };

/// Units per second: 1, 1'000, 1'000'000, 1'000'000'000.
constexpr std::int64_t units_per_second(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSecond:
      return 1;
    case TimeUnit::kMilli:
      return 1'000;
    case TimeUnit::kMicro:
      return 1'000'000;
    case TimeUnit::kNano:
      return 1'000'000'000;
  }
  return 1;
}

/// "s", "ms", "us", "ns".
MARIGRAM_EXPORT const char* time_unit_name(TimeUnit unit);
/// The reverse of time_unit_name. kInvalidInput for any other text.
MARIGRAM_EXPORT Result<TimeUnit> parse_time_unit(std::string_view text);

/// A point on the UTC time line, exact to the nanosecond, over the whole range of every unit (int64 seconds since
/// 1970-01-01T00:00:00Z plus 0..999'999'999 ns; before 1970 seconds are negative and nanos still count forward).
struct Instant {
  std::int64_t seconds = 0;
  std::uint32_t nanos = 0;  ///< below 1'000'000'000

  friend constexpr auto operator<=>(const Instant&, const Instant&) = default;

  /// `value` units since the epoch. Total, lossless.
  static constexpr Instant from_units(std::int64_t value, TimeUnit unit) {
    const std::int64_t per = units_per_second(unit);
    std::int64_t seconds = value / per;
    std::int64_t rest = value % per;
    if (rest < 0) {
      rest += per;
      --seconds;
    }
    return {seconds, static_cast<std::uint32_t>(rest * (1'000'000'000 / per))};
  }
};

/// Units since the epoch, rounded down. kInvalidInput when the instant does not fit int64 in this unit.
MARIGRAM_EXPORT Result<std::int64_t> to_units_floor(Instant instant, TimeUnit unit);
/// Units since the epoch, rounded up. kInvalidInput when the instant does not fit int64 in this unit.
MARIGRAM_EXPORT Result<std::int64_t> to_units_ceil(Instant instant, TimeUnit unit);
/// Units since the epoch; kInvalidInput when a digit would be lost or the instant does not fit.
MARIGRAM_EXPORT Result<std::int64_t> to_units_exact(Instant instant, TimeUnit unit);

/// Parses RFC 3339 with 0 to 9 fraction digits and `Z` or a numeric offset (`2013-01-01T06:00:00.123456789-05:00`);
/// also a date alone (midnight UTC), a blank instead of `T`, and a missing zone (UTC). Years outside 0000..9999 with a
/// sign and four to twelve digits, as format_rfc3339 writes them. A leap second (`23:59:60`) is refused: Unix time has
/// no place for it. kInvalidInput names the offending part.
MARIGRAM_EXPORT Result<Instant> parse_rfc3339(std::string_view text);

/// RFC 3339 in UTC with `Z` and 0, 3, 6 or 9 fraction digits as needed. Years outside 0000..9999 carry a sign and at
/// least four digits (`+10000-01-01T00:00:00Z`, `-0001-...`), as chrono writes them.
MARIGRAM_EXPORT std::string format_rfc3339(Instant instant);

/// A value of a table's ordered index: a time, or an integer where the index column is int64 or uint64.
using IndexValue = std::variant<Instant, std::int64_t, std::uint64_t>;

/// RFC 3339 for a time, decimal digits for an integer.
MARIGRAM_EXPORT std::string format_index_value(const IndexValue& value);

}  // namespace marigram
