// What a dashboard waits for that shows the last hour, while nothing is written and while much is.
#pragma once

#include "measure.h"

#include <cstdint>
#include <string>

namespace marigram::bench {

struct Recent {
  std::string folder;                  // for a database, not there yet
  std::uint64_t per_second = 500'000;  // points written meanwhile, a multiple of kSeries
  double seconds = 10;                 // of each of both
};

/// A database of the load's 1,000 series (write_load.h), of which 100 are asked for a minute's average each over the
/// last hour, again and again; then the same while a thread writes round after round at a steady pace. Median, 99th
/// percentile and most of the seconds that a query takes, and how many points a second were written.
Json measure_recent(const Recent& recent);

}  // namespace marigram::bench
