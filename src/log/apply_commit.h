// What commits make of a table's state.
#pragma once

#include "log/action.h"
#include "log/table_state.h"

namespace marigram::log {

/// The commit has been checked (table_state.h), and is the next one.
void apply_commit(TableState& state, Commit commit);

/// Whether levels of intervals that both have stay what they are.
bool keeps_levels(const model::RollupSpec& before, const model::RollupSpec& after);

/// A level of no rows.
Level make_level(const TableState& table, const Interval& interval);

}  // namespace marigram::log
