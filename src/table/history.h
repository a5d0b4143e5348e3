// The history of a table: names of versions, and the rows as they were at one.
#pragma once

#include "log/log.h"
#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <string_view>

namespace marigram::table {

/// The state that is asked for. kNotFound: no such version or name, or none any more.
Result<log::TableState> load_at(const log::Log& log, const OpenOptions& at);

/// See Table::name_version. No commit if the name is the version's already.
Result<std::uint64_t> name_version(Engine& engine, std::string_view name, std::uint64_t version);
/// See Table::forget_version_name.
Result<std::uint64_t> forget_version_name(Engine& engine, std::string_view name);

/// See Table::restore_version. No commit if the rows are those of the version already. What others commit meanwhile
/// goes with the rest: the result has the rows of that version and no others. O(segments), and the coverage.
Result<std::uint64_t> restore_version(Engine& engine, std::uint64_t version);

/// See Table::truncate. Returns how many rows there were to be seen; no commit if the table holds nothing. Rows that
/// are committed meanwhile go too, and are counted. Reads what is needed to count.
Result<std::uint64_t> truncate(Engine& engine);

}  // namespace marigram::table
