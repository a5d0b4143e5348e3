// As-of joins: to each probe, a question of a series and a time, the row of the table that was the last before it, or
// comes next.
#pragma once

#include <marigram/scan.h>
#include <marigram/series.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marigram {

enum class AsofDirection {
  kBackward,  ///< the last row at or before the probe
  kForward,   ///< the first row at or after the probe
  kNearest,   ///< whichever of the two is nearer; backward, if both are as far
};

/// What a join read. A window is a stretch of time that some segments which overlap have to themselves.
struct AsofStatistics {
  std::uint64_t windows = 0;          ///< of the table
  std::uint64_t windows_read = 0;     ///< because probes fall into them; the others were skipped
  std::uint64_t windows_scanned = 0;  ///< of those: the others were searched where they lie
  std::uint64_t looked_back = 0;      ///< read because probes met no row in their own; a window may be both
};

/// Probes have the table's tags and its time column, by name, and any other columns. Their times may be of another unit
/// than the table's: they are compared exactly. Among rows of one series and time, backward takes the last in the order
/// in which they came, forward the first.
struct AsofRequest {
  AsofDirection direction = AsofDirection::kBackward;
  bool allow_exact_matches = true;  ///< false: rows of the probe's own time are passed over
  /// How far a row may be from its probe, inclusive: nanoseconds, or steps of an integer index.
  std::optional<std::uint64_t> tolerance = {};
  /// Of the table, in this order; empty: all but tags and time.
  std::vector<std::string> columns = {};
  /// Of these, the ones that take the nearest row in which they are not null, each for itself.
  std::vector<std::string> ignore_nulls = {};
  /// Put behind the name of a column of the table that the probes have too; empty: that is an error.
  std::string suffix = {};
  /// The name of the matched row's time in the result; empty: it is left out.
  std::string matched_time = "matched_time";
  std::vector<TagPredicate> where = {};  ///< rows that do not match are passed over
  CancelToken cancel = {};
  AsofStatistics* statistics = nullptr;  ///< told when the join is done
};

}  // namespace marigram
