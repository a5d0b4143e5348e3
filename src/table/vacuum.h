// Vacuum: files that no commit refers to.
#pragma once

#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace marigram::table {

/// What versions up to the engine's refer to that the table has not given up. O(commits).
Result<std::set<std::string, std::less<>>> files_of_history(const Engine& engine);

/// See Table::vacuum. Considers only files of names that appends make; all others belong to someone else.
Result<VacuumReport> vacuum(Engine& engine, std::int64_t older_than_seconds, bool dry_run, const History& history = {});

}  // namespace marigram::table
