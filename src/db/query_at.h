// Rows of a table as they were at a version.
#pragma once

#include "model/matcher.h"
#include "table/live_table.h"

#include <marigram/error.h>
#include <marigram/scan.h>
#include <marigram/table.h>

#include <span>
#include <variant>

namespace marigram::db {

/// Whether a query asks for what is there now.
inline bool is_now(const OpenOptions& at) {
  return std::holds_alternative<std::monostate>(at.at);
}

/// A version as it was: no rows in memory. kNotFound: no such version or name, or none any more.
Result<table::StatePtr> state_at(const table::LiveTable& table, const OpenOptions& at);

/// The conditions as scans of that version take them, by the series that it has; `request.where` is left empty. A
/// condition that none can fulfil leaves no rows. O(series) if there are others than of listed values.
Result<table::ChosenRows> choose_at(const table::LiveTable& table, table::StatePtr state, const ScanRequest& request,
                                    std::span<const model::Matcher> where);

}  // namespace marigram::db
