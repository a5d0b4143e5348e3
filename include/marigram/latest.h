// The last row of each series, or the first.
#pragma once

#include <marigram/asof.h>
#include <marigram/scan.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marigram {

enum class SeriesEdge : std::uint8_t {
  kLast,   ///< the row with the greatest time; of several the one that came last
  kFirst,  ///< the row with the least time; of several the one that came first
};

struct LatestRequest {
  SeriesEdge edge = SeriesEdge::kLast;
  /// kLast: no row later than this; kFirst: none earlier. Unset: any.
  std::optional<IndexValue> on = {};
  std::vector<std::string> columns = {};  ///< fields, in this order; empty: all
  /// Of these fields, the ones that take the nearest row in which they are not null, each for itself.
  std::vector<std::string> ignore_nulls = {};
  std::vector<TagPredicate> where = {};  ///< which series; all must match
  CancelToken cancel = {};
  AsofStatistics* statistics = nullptr;  ///< told when the rows are found
};

}  // namespace marigram
