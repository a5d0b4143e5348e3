// Rollups: what is known of rows by interval, kept beside them.
#pragma once

#include <marigram/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marigram {

/// Which levels a table keeps. Of each series and interval a level says how many rows there are, and of each field the
/// count, sum, least, largest, first and last value and the deviation; aggregates of whole intervals are answered by
/// it.
struct RollupOptions {
  /// From the finest to the coarsest, each made of whole ones of the one before: "1m", "5m", "1h", "1d", "1w", "1mo".
  std::vector<std::string> intervals = {};
  std::string timezone = {};           ///< of whose clocks the intervals are (IANA); empty: UTC
  std::optional<Instant> origin = {};  ///< where intervals begin; unset: 1970-01-01 as clocks show it, weeks on Monday
  std::vector<std::string> percentiles = {};  ///< fields of numbers whose percentiles are kept too, about
};

/// A level as it is.
struct RollupInfo {
  std::string interval = {};
  std::uint64_t rows = 0;  ///< of all segments, with those that later ones replaced and compaction has not met yet
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::uint64_t through = 0;  ///< version of the table that it follows, but for what is pending
  std::uint64_t pending = 0;  ///< buckets of series whose rows it does not say yet; aggregates read the rows there
};

/// What a refresh did.
struct RefreshReport {
  std::uint64_t version = 0;  ///< that holds the result; unchanged if there was nothing to do
  std::uint64_t rows = 0;     ///< of levels, written
  std::uint64_t commits = 0;
};

}  // namespace marigram
