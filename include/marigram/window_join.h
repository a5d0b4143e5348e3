// Window joins: to each probe, a question of a series and a time, aggregates of the rows around it.
#pragma once

#include <marigram/aggregate.h>
#include <marigram/scan.h>
#include <marigram/series.h>

#include <cstdint>
#include <vector>

namespace marigram {

/// Probes as those of as-of joins (asof.h). The window of a probe at time t holds the rows of its series with
/// t - before <= time <= t + after, exactly, whatever the units of the two times.
struct WindowJoinRequest {
  std::uint64_t before = 0;                  ///< nanoseconds, or steps of an integer index
  std::uint64_t after = 0;                   ///< likewise
  std::vector<FieldAggregate> columns = {};  ///< at least one
  std::vector<TagPredicate> where = {};      ///< rows that do not match are in no window
  CancelToken cancel = {};
};

}  // namespace marigram
