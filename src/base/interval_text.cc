#include "base/interval_text.h"

#include "base/bucket_width.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>

namespace marigram {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int32_t kCalendarMax = 1'000'000;  // days, weeks, months or years
constexpr std::int32_t kMonthsOfYear = 12;

}  // namespace

Result<Interval> parse_interval(std::string_view text, bool in_zone) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view unit = text.substr(digits);
  std::int32_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + digits, count);
  if (digits > 0 && error == std::errc() && count > 0 && count <= kCalendarMax) {
    if (unit == "w") return Interval::of_weeks(count);
    if (unit == "mo") return Interval::of_months(count);
    if (unit == "y") return Interval::of_years(count);
    if (unit == "d" && in_zone) return Interval::of_days(count);
  }
  auto width = parse_bucket_width(text);
  if (width) return Interval(width->seconds() * kNanosPerSecond);
  width.error().message += "; or w, mo or y";
  return std::unexpected(std::move(width).error());
}

std::string format_interval(const Interval& interval) {
  if (interval.days > 0) return fmt::format("{}d", interval.days);
  if (interval.weeks > 0) return fmt::format("{}w", interval.weeks);
  if (interval.months > 0 && interval.months % kMonthsOfYear == 0) {
    return fmt::format("{}y", interval.months / kMonthsOfYear);
  }
  if (interval.months > 0) return fmt::format("{}mo", interval.months);
  const std::int64_t seconds = interval.fixed / kNanosPerSecond;
  constexpr std::pair<std::int64_t, char> kUnits[] = {{86'400, 'd'}, {3'600, 'h'}, {60, 'm'}, {1, 's'}};
  for (const auto& [width, letter] : kUnits) {
    if (seconds % width == 0) return fmt::format("{}{}", seconds / width, letter);
  }
  return {};
}

}  // namespace marigram
