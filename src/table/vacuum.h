// Vacuum: files that no commit refers to.
#pragma once

#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace marigram::table {

/// What some version from `oldest` to the engine's may read, and those that have a name. O(commits since).
Result<std::set<std::string, std::less<>>> files_of_history(const Engine& engine, std::uint64_t oldest,
                                                            const std::map<std::string, std::uint64_t>& names);

/// See Table::vacuum. Considers only files of names that appends make; all others belong to someone else.
Result<VacuumReport> vacuum(Engine& engine, std::int64_t older_than_seconds, bool dry_run, const History& history = {});

}  // namespace marigram::table
