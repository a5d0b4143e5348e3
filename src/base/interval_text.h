// Widths of buckets of time as users spell them: "5m", "1h", "1d", "1w", "1mo", "1y".
#pragma once

#include <marigram/error.h>
#include <marigram/interval.h>

#include <string>
#include <string_view>

namespace marigram {

/// A number and a unit: s, m, h or d (as parse_bucket_width takes them), w, mo or y. Days are of a calendar where a
/// zone's clocks show them, else fixed. kInvalidInput names the text.
Result<Interval> parse_interval(std::string_view text, bool in_zone);
/// The reverse, in the largest unit that fits; a fixed width is of whole seconds.
std::string format_interval(const Interval& interval);

}  // namespace marigram
