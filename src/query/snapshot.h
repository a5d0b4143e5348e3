// What queries read.
#pragma once

#include "table/engine.h"
#include "table/scan.h"

namespace marigram::query {

/// A version of a table, and rows that are newer than it; null: there are none. The engine must outlive what reads.
struct Snapshot {
  const table::Engine& engine;
  table::StatePtr state;
  table::NewerRowsOf newer = {};
};

}  // namespace marigram::query
