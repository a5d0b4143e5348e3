// Units of time, and how instants are written. Parsing is in time_parse.cc.
#include <marigram/time.h>

#include "base/civil_date.h"

#include <fmt/format.h>

#include <cassert>
#include <limits>

namespace marigram {
namespace {

__extension__ using Wide = __int128;  // holds any instant in nanoseconds

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

struct Units {
  Wide floor;  // units since the epoch, rounded down
  bool exact;  // nothing was rounded away
};

Units units_of(Instant instant, TimeUnit unit) {
  assert(instant.nanos < kNanosPerSecond);
  const std::int64_t per = units_per_second(unit);
  const std::int64_t nanos_per_unit = kNanosPerSecond / per;
  return {Wide{instant.seconds} * per + instant.nanos / nanos_per_unit, instant.nanos % nanos_per_unit == 0};
}

Result<std::int64_t> narrow(Wide units, Instant instant, TimeUnit unit) {
  if (units < std::numeric_limits<std::int64_t>::min() || units > std::numeric_limits<std::int64_t>::max()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot express the time in {}: out of range; got {}, want {} to {}", time_unit_name(unit),
                            format_rfc3339(instant),
                            format_rfc3339(Instant::from_units(std::numeric_limits<std::int64_t>::min(), unit)),
                            format_rfc3339(Instant::from_units(std::numeric_limits<std::int64_t>::max(), unit))));
  }
  return static_cast<std::int64_t>(units);
}

}  // namespace

const char* time_unit_name(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSecond:
      return "s";
    case TimeUnit::kMilli:
      return "ms";
    case TimeUnit::kMicro:
      return "us";
    case TimeUnit::kNano:
      return "ns";
  }
  return "s";
}

Result<TimeUnit> parse_time_unit(std::string_view text) {
  for (const TimeUnit unit : {TimeUnit::kSecond, TimeUnit::kMilli, TimeUnit::kMicro, TimeUnit::kNano}) {
    if (text == time_unit_name(unit)) return unit;
  }
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot read time unit: got '{}', want s, ms, us or ns", text));
}

Result<std::int64_t> to_units_floor(Instant instant, TimeUnit unit) {
  return narrow(units_of(instant, unit).floor, instant, unit);
}

Result<std::int64_t> to_units_ceil(Instant instant, TimeUnit unit) {
  const Units units = units_of(instant, unit);
  return narrow(units.floor + (units.exact ? 0 : 1), instant, unit);
}

Result<std::int64_t> to_units_exact(Instant instant, TimeUnit unit) {
  const Units units = units_of(instant, unit);
  if (!units.exact) {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot express the time in {}: digits would be lost; got {}",
                                                      time_unit_name(unit), format_rfc3339(instant)));
  }
  return narrow(units.floor, instant, unit);
}

std::string format_rfc3339(Instant instant) {
  assert(instant.nanos < kNanosPerSecond);
  const std::int64_t days = floor_div(instant.seconds, kSecondsPerDay);
  const std::int64_t rest = instant.seconds % kSecondsPerDay;  // days * 86,400 may not fit int64
  const std::int64_t second_of_day = rest < 0 ? rest + kSecondsPerDay : rest;
  const CivilDate date = civil_from_days(days);

  fmt::memory_buffer out;
  const auto append = std::back_inserter(out);
  if (date.year >= 0 && date.year <= 9999) {
    fmt::format_to(append, "{:04}", date.year);
  } else {
    fmt::format_to(append, "{:+05}", date.year);
  }
  fmt::format_to(append, "-{:02}-{:02}T{:02}:{:02}:{:02}", date.month, date.day, second_of_day / 3'600,
                 second_of_day / 60 % 60, second_of_day % 60);
  if (instant.nanos % 1'000 != 0) {
    fmt::format_to(append, ".{:09}", instant.nanos);
  } else if (instant.nanos % 1'000'000 != 0) {
    fmt::format_to(append, ".{:06}", instant.nanos / 1'000);
  } else if (instant.nanos != 0) {
    fmt::format_to(append, ".{:03}", instant.nanos / 1'000'000);
  }
  out.push_back('Z');
  return fmt::to_string(out);
}

std::string format_index_value(const IndexValue& value) {
  if (const auto* instant = std::get_if<Instant>(&value)) return format_rfc3339(*instant);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::to_string(*number);
  return fmt::to_string(std::get<std::uint64_t>(value));
}

}  // namespace marigram
