// Some rows of each series, chosen so that a chart of them looks like one of all.
#pragma once

#include "table/scan.h"

#include <marigram/downsample.h>
#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace marigram::query {

/// Which of the points to keep, ascending: the first and the last, and of each of `points` - 2 parts of the others, as
/// many in each, the one that makes the largest triangle with the one kept before it and the mean of the next part. All
/// if there are no more than `points`, which is 3 or more. `times` ascend. O(points given).
std::vector<std::uint32_t> largest_triangles(std::span<const std::int64_t> times, std::span<const double> values,
                                             std::size_t points);

/// The first of the least and of the largest values of each of `points` / 2 parts of the time, of equal width.
std::vector<std::uint32_t> extremes(std::span<const std::int64_t> times, std::span<const double> values,
                                    std::size_t points);

/// Of a stream by (series, time) with the columns of some tags, then the time, then the field: of numbers. Errors of
/// the stream are in the result. kInvalidInput: another field, fewer than 3 points.
Result<table::ScanStream> downsample(table::ScanStream rows, const DownsampleRequest& request);

}  // namespace marigram::query
