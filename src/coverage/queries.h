// Questions about one bucket set: ratio, gaps, fully covered windows. Pure functions over ids.
#pragma once

#include "coverage/bucket_set.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace marigram::coverage {

struct RangeCoverage {
  std::uint64_t covered = 0;
  std::uint64_t expected = 0;
  std::uint64_t max_gap = 0;
  std::vector<IdRange> gaps;  // >= min_gap expected buckets each; from first to last missing expected bucket

  double ratio() const { return expected == 0 ? 1.0 : static_cast<double>(covered) / static_cast<double>(expected); }
};

/// Coverage of the closed id range. `expected` (may be null: every bucket) restricts what counts: buckets outside it
/// are neither covered nor missing, and a gap runs across them. O(runs) and, with a calendar, O(sessions).
RangeCoverage cover_range(const BucketSet& present, IdRange range, const BucketSet* expected, std::uint64_t min_gap);

/// Number of expected buckets in the range.
std::uint64_t expected_in(IdRange range, const BucketSet* expected);

/// The latest `length` consecutive expected buckets, all present, none after `last_id`. Unset if none or length 0.
/// Walks runs downward from `last_id`.
std::optional<IdRange> last_covered_window(const BucketSet& present, std::uint64_t last_id, std::uint64_t length,
                                           const BucketSet* expected);

}  // namespace marigram::coverage
