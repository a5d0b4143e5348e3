// Coverage: which buckets of the time line hold data, where the gaps are, which windows are complete.
#pragma once

#include <marigram/error.h>
#include <marigram/export.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace marigram {

/// A half-open stretch [from, to) of whole buckets.
struct BucketRange {
  IndexValue from = {};
  IndexValue to = {};         ///< exclusive
  std::uint64_t buckets = 0;  ///< expected buckets inside (closed hours of a calendar are not counted)
};

/// A question about coverage.
struct CoverageRequest {
  std::optional<IndexValue> from = {};   ///< inclusive; default: the first bucket covered
  std::optional<IndexValue> to = {};     ///< exclusive; default: the end of the last bucket covered
  std::vector<TagPredicate> where = {};  ///< which series; all must match. Empty: every series
  std::uint64_t min_gap_buckets = 1;     ///< gaps shorter than this are not listed (they still count in the ratio)
};

/// The answer for one series, or for a whole table.
struct CoverageReport {
  SeriesKey series = {};  ///< empty for the whole table
  IndexValue from = {};   ///< the range asked about
  IndexValue to = {};
  std::uint64_t covered_buckets = 0;
  std::uint64_t expected_buckets = 0;  ///< buckets that intersect [from, to) and the calendar's sessions, if any
  double ratio = 1.0;                  ///< covered / expected; 1 when nothing is expected
  std::uint64_t max_gap_buckets = 0;   ///< longest run of missing buckets
  std::vector<BucketRange> gaps = {};  ///< in time order
};

}  // namespace marigram
