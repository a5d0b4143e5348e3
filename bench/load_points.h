// The load of write_load.h as points of ours, for the programs that write it to a database.
#pragma once

#include "write_load.h"

#include <marigram/database.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace marigram::bench {

inline constexpr const char* kTenant = "bench";
inline constexpr const char* kTable = "cpu";

/// Of one of the load's series, or of further ones, named likewise.
Tags tags_of(std::size_t series);
/// A point of each of as many series as the load has, from that one on, of the load's first round.
std::vector<Point> points_from(std::size_t series);
/// The points, of all series in order, get the times and values of the samples from `number` on.
void set_samples(std::span<Point> points, std::uint64_t number);

}  // namespace marigram::bench
