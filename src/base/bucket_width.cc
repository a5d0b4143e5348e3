#include "base/bucket_width.h"

#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>

namespace marigram {
namespace {

using Unit = BucketWidth::Unit;

constexpr std::string_view kWant = "want a whole number and a unit (s, m, h or d), like 1h or 15 minutes";

struct UnitName {
  std::string_view name;
  Unit unit;
};

constexpr std::array kUnitNames = std::to_array<UnitName>({
    {"s", Unit::kSecond},
    {"sec", Unit::kSecond},
    {"secs", Unit::kSecond},
    {"second", Unit::kSecond},
    {"seconds", Unit::kSecond},
    {"m", Unit::kMinute},
    {"min", Unit::kMinute},
    {"mins", Unit::kMinute},
    {"minute", Unit::kMinute},
    {"minutes", Unit::kMinute},
    {"h", Unit::kHour},
    {"hr", Unit::kHour},
    {"hrs", Unit::kHour},
    {"hour", Unit::kHour},
    {"hours", Unit::kHour},
    {"d", Unit::kDay},
    {"day", Unit::kDay},
    {"days", Unit::kDay},
});

constexpr bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<Unit> find_unit(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto* found = std::ranges::find(kUnitNames, std::string_view(lower), &UnitName::name);
  if (found == kUnitNames.end()) return std::nullopt;
  return found->unit;
}

std::unexpected<Error> refuse(const char* what, std::string_view text, const std::string& why) {
  constexpr std::size_t kShownMax = 80;
  const std::string shown =
      text.size() <= kShownMax ? std::string(text) : std::string(text.substr(0, kShownMax)) + "...";
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot read {}: {}; got '{}', {}", what, why, shown, kWant));
}

/// Reads `text` as `what` ("bucket width"). The count may be 0.
Result<BucketWidth> parse_count_and_unit(const char* what, std::string_view text) {
  const std::string_view trimmed = trim(text);
  if (trimmed.empty()) return refuse(what, text, "it is empty");
  const std::size_t digits = std::min(trimmed.find_first_not_of("0123456789"), trimmed.size());
  if (digits == 0) return refuse(what, text, "it does not start with a whole number");

  std::uint64_t count = 0;
  for (const char digit : trimmed.substr(0, digits)) {
    count = count * 10 + static_cast<std::uint64_t>(digit - '0');
    if (count > std::numeric_limits<std::uint32_t>::max()) {
      return refuse(what, text, fmt::format("the number is above {}", std::numeric_limits<std::uint32_t>::max()));
    }
  }
  const std::string_view name = trim(trimmed.substr(digits));
  if (name.empty()) return refuse(what, text, "the unit is missing");
  const std::optional<Unit> unit = find_unit(name);
  if (!unit) return refuse(what, text, "the unit is unknown");
  return BucketWidth{static_cast<std::uint32_t>(count), *unit};
}

}  // namespace

Result<BucketWidth> parse_bucket_width(std::string_view text) {
  MARIGRAM_ASSIGN(const BucketWidth width, parse_count_and_unit("bucket width", text));
  if (width.count == 0) return refuse("bucket width", text, "it is zero");
  return width;
}

std::string format_bucket_width(BucketWidth width) {
  constexpr char kSuffix[] = {'s', 'm', 'h', 'd'};
  return fmt::format("{}{}", width.count, kSuffix[static_cast<int>(width.unit)]);
}

char bucket_unit_letter(BucketWidth::Unit unit) {
  constexpr char kLetter[] = {'S', 'M', 'H', 'D'};
  return kLetter[static_cast<int>(unit)];
}

Result<std::int64_t> parse_duration_seconds(std::string_view text) {
  MARIGRAM_ASSIGN(const BucketWidth width, parse_count_and_unit("duration", text));
  return width.seconds();
}

}  // namespace marigram
