// Copies of tables that share files with them.
#pragma once

#include "db/core.h"
#include "table/engine.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <filesystem>
#include <string_view>

namespace marigram::db {

/// See Database::clone_table.
Status clone_table(Core& core, std::string_view name_space, std::string_view from, std::string_view to,
                   const OpenOptions& at);
/// See Table::clone. `root`: of the new table, absolute.
Status clone_table(const table::Engine& engine, const std::filesystem::path& root);

}  // namespace marigram::db
