// Retention: how long rows and levels of rollups are kept.
#pragma once

#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace marigram {

/// How long something of some series is kept.
struct RetentionRule {
  /// Series that fulfil all of these, of those that no rule before has. A series of no rule is kept for ever.
  std::vector<TagPredicate> where = {};
  /// By name, "rows" or a level of rollups ("1m"): a number and a unit, s, m, h, d, w, mo or y. What is not named is
  /// kept for ever, and nothing may be kept shorter than what it is made of.
  std::map<std::string, std::string> keep = {};
};

/// A rule as it stands.
struct RetentionInfo {
  RetentionRule rule = {};
  /// By name: what is older is gone, but for rows that came when it was.
  std::map<std::string, Instant> horizons = {};
};

/// What has expired, or would have.
struct ExpiryReport {
  std::uint64_t version = 0;  ///< that holds the result; unchanged if nothing went
  std::uint64_t rows = 0;     ///< of the table
  std::uint64_t rollup_rows = 0;
  std::uint64_t segments = 0;  ///< dropped at once, the table's and those of levels; compaction shrinks others
  std::uint64_t bytes = 0;     ///< theirs
};

}  // namespace marigram
