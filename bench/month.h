// A table through a simulated month of writing, and what that costs beside the rows themselves.
#pragma once

#include "measure.h"

#include <cstdint>
#include <string>

namespace marigram::bench {

struct Month {
  std::string table;
  std::int64_t series = 100;
  std::int64_t days = 30;
  std::int64_t step_s = 10;    // of each series
  std::int64_t flush_s = 600;  // rows of so long become segments together
};

/// A native table is appended to flush by flush; now and then small segments are merged and rollups refreshed, as jobs
/// do; at the end what is not kept goes. Bytes written by what, and what lies on disk.
Json live_a_month(const Month& month);

}  // namespace marigram::bench
