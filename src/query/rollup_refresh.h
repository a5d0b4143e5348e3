// Brings levels of rollups up to what the rows say.
#pragma once

#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/rollup.h>
#include <marigram/scan.h>

#include <cstdint>

namespace marigram::query {

struct RefreshOptions {
  std::uint64_t commit_rows = 1U << 18U;  ///< of a level, about so many a commit
  CancelToken cancel = {};
};

/// The levels, from the finest to the coarsest: each is made of the finer ones where these are right, so of the rows
/// but once. Of what is due of each the newest times come first; little is one commit of all levels. Costs what is due.
/// Another refresh may come between; then it begins anew. kCancelled: what was committed stays.
Result<RefreshReport> refresh_rollups(table::Engine& engine, const RefreshOptions& options = {});

}  // namespace marigram::query
