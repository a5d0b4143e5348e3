// Vacuum: files that no commit refers to.
#pragma once

#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>

namespace marigram::table {

/// See Table::vacuum. Considers only files of names that appends make; all others belong to someone else.
Result<VacuumReport> vacuum(Engine& engine, std::int64_t older_than_seconds, bool dry_run, const History& history = {});

}  // namespace marigram::table
