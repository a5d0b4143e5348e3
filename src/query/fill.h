// Intervals without rows in the result of an aggregation.
#pragma once

#include "base/time_buckets.h"
#include "table/scan.h"

#include <marigram/aggregate.h>
#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace marigram::query {

struct FillSpec {
  FillOptions options = {};
  std::size_t by = 0;      ///< how many columns name the group; the next is the start of the interval
  TimeBuckets every = {};  ///< there are some
  /// The range that is asked for, in units of the time; unset: from the first or to the last row of each group. Rows
  /// before it fill what is in it, and go.
  std::optional<std::int64_t> from = {};
  std::optional<std::int64_t> to = {};
};

/// `result` of an aggregation: by (group, interval). Memory: a group at a time. In the stream: kInvalidInput where a
/// group would have more than ten million intervals, or a column cannot have the constant; kResourceExhausted.
table::ScanStream fill(table::ScanStream result, FillSpec spec);

}  // namespace marigram::query
