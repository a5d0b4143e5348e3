// Widths of time: coverage buckets ("1h", "60 Minutes") as the table format spells them, and plain durations.
#pragma once

#include <marigram/error.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace marigram {

/// A coverage bucket's width: `count` of a calendar-free unit (a day is 86,400 s). The unit is kept because the table
/// format stores it: 60 minutes and 1 hour have the same width but different hashes.
struct BucketWidth {
  enum class Unit { kSecond, kMinute, kHour, kDay };

  std::uint32_t count = 1;  // >= 1
  Unit unit = Unit::kHour;

  friend bool operator==(const BucketWidth&, const BucketWidth&) = default;

  constexpr std::int64_t seconds() const {
    constexpr std::int64_t kSeconds[] = {1, 60, 3'600, 86'400};
    return kSeconds[static_cast<int>(unit)] * count;
  }
};

/// Text form of the table format: trimmed; digits, optional blanks, unit; case-insensitive; s sec secs second seconds,
/// m min mins minute minutes, h hr hrs hour hours, d day days. kInvalidInput for anything else, 0, or > 4294967295.
Result<BucketWidth> parse_bucket_width(std::string_view text);
/// "1h", "90m".
std::string format_bucket_width(BucketWidth width);
/// S, M, H or D: the unit's letter in file-name hashes.
char bucket_unit_letter(BucketWidth::Unit unit);

/// A duration in seconds with the same grammar ("7d", "12h"), 0 allowed. kInvalidInput otherwise.
Result<std::int64_t> parse_duration_seconds(std::string_view text);

}  // namespace marigram
