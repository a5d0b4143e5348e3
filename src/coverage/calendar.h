// Sparse calendars: which buckets are expected to hold data, so that a weekend is not a gap.
//
// A calendar is a JSON object (documented in docs/format/coverage.md):
//   {"timezone": "America/New_York",
//    "sessions": [{"days": ["mon","tue","wed","thu","fri"], "open": "09:30", "close": "16:00"}],
//    "holidays": ["2024-01-01"],
//    "special": [{"date": "2024-07-03", "open": "09:30", "close": "13:00"}]}
// A session's times are wall-clock times of the zone, close exclusive ("24:00" allowed). A session that runs over
// midnight names both ends: {"open": {"day": "sun", "time": "17:00"}, "close": {"day": "fri", "time": "17:00"}}.
// Holidays drop the part of every session that falls on that local date. A special day replaces the sessions of its
// date. At a daylight-saving gap a wall time that does not exist means the instant of the change; an ambiguous one
// means the earlier instant for open and the later for close.
#pragma once

#include "coverage/bucket_grid.h"
#include "coverage/bucket_set.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::coverage {

/// A half-open stretch of time in which data is expected.
struct Session {
  Instant open;
  Instant close;
};

/// Immutable; safe to share between threads.
class Calendar {
 public:
  /// kInvalidInput names the member that is wrong and what is wanted.
  static Result<Calendar> parse(std::string_view json);
  /// The JSON that was parsed.
  const std::string& json() const;

  /// Sessions inside [from, to), cut at its ends, merged where they touch, ascending. Cost: days in between.
  /// kInvalidInput for a range of more than 200 years, or where the zone's offsets are not known (zones that change
  /// their clocks every year: from 2038 on, the end of the system's time-zone files).
  Result<std::vector<Session>> sessions(Instant from, Instant to) const;
  /// Buckets of `grid` inside `range` that any session intersects. kInvalidInput as sessions(), and for an integer
  /// index.
  Result<BucketSet> expected(const BucketGrid& grid, IdRange range) const;

  struct Rules;  // of the implementation

 private:
  explicit Calendar(std::shared_ptr<const Rules> rules);
  std::shared_ptr<const Rules> rules_;
};

}  // namespace marigram::coverage
