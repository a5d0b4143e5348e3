// Few rows that look like many: for charts.
#pragma once

#include <marigram/scan.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marigram {

enum class DownsampleMethod {
  /// The rows that make the largest triangles with their neighbours: S. Steinarsson, "Downsampling Time Series for
  /// Visual Representation", 2013. The line looks as that of all rows.
  kLttb,
  /// The rows with the least and the largest value of each of so many equal intervals: no extreme is lost.
  kMinMax,
};

struct DownsampleRequest {
  std::string field = {};                ///< of numbers; rows in which it is null or NaN are left out
  std::optional<IndexValue> from = {};   ///< inclusive
  std::optional<IndexValue> to = {};     ///< exclusive
  std::vector<TagPredicate> where = {};  ///< which series; all must match
  std::uint64_t points = 1'000;          ///< at most so many rows a series, 3 or more
  DownsampleMethod method = DownsampleMethod::kLttb;
  CancelToken cancel = {};
};

}  // namespace marigram
