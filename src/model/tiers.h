// Tiers: which rows are cold, and what cold segments are.
#pragma once

#include <marigram/error.h>
#include <marigram/interval.h>
#include <marigram/segment_format.h>
#include <marigram/tier.h>

#include <optional>
#include <string>
#include <string_view>

namespace marigram::model {

struct Tiers {
  std::optional<Interval> cold_after = {};  ///< rows that old become cold; unset: none do
  SegmentFormat cold_segments = SegmentFormat::kNative;
  std::string cold_compression = TierOptions{}.compression;
  std::string cold_root = {};  ///< where cold segments are, if not in the table's folder: an absolute path

  bool empty() const { return *this == Tiers{}; }
  friend bool operator==(const Tiers&, const Tiers&) = default;
};

/// Cold segments are known by their path, in which the rest of the key follows.
inline constexpr std::string_view kColdFolder = "cold/";

inline bool is_cold(std::string_view path) {
  return path.starts_with(kColdFolder);
}

}  // namespace marigram::model
