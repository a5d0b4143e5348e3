// Tiers: what becomes of rows when they are old.
#pragma once

#include <marigram/segment_format.h>

#include <cstdint>
#include <string>

namespace marigram {

struct TierOptions {
  /// Rows of that age become cold: a number and a unit, s, m, h, d, w, mo or y; empty: none do. Whole segments only, so
  /// some stay warm for up to a partition longer.
  std::string cold_after = {};
  SegmentFormat segments = SegmentFormat::kNative;  ///< of cold ones; Parquet in tables that other programs read
  std::string compression = "auto:zstd";            ///< of cold native ones (TableOptions)
  /// A folder for cold segments alone, of this table alone, on another disk perhaps; empty: within the table's. Where
  /// it cannot be reached, what is cold cannot be read.
  std::string root = {};

  friend bool operator==(const TierOptions&, const TierOptions&) = default;
};

/// What lies in a tier.
struct TierUsage {
  std::string tier = {};  ///< "warm", "cold", or "rollup 1m"
  std::uint64_t rows = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
};

/// What became cold, or would.
struct TierReport {
  std::uint64_t version = 0;  ///< that holds the result; unchanged if nothing moved
  std::uint64_t rows = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;  ///< 0 of a dry run
};

}  // namespace marigram
