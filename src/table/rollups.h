// Levels of rollups: which there are, how their rows are written.
#pragma once

#include "base/time_buckets.h"
#include "model/rollup.h"
#include "table/batch_source.h"
#include "table/engine.h"
#include "table/staging.h"

#include <marigram/error.h>
#include <marigram/rollup.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace arrow {
class Schema;
}

namespace marigram::table {

/// Which levels the table keeps from now on; those of intervals that it kept before stay, if nothing else changes, and
/// the others are due as a whole. Returns the new version, or the one that is if nothing changes. kInvalidInput: a
/// table without times, or of v1; a sketch of what is no field of numbers.
Result<std::uint64_t> set_rollups(Engine& engine, const model::RollupSpec& spec);

/// From the finest to the coarsest.
std::vector<std::string> level_names(const log::TableState& state);
RollupOptions rollup_options(const log::TableState& state);
/// The levels, from the finest to the coarsest. kNotFound, kCorruption: what says what is due.
Result<std::vector<RollupInfo>> list_rollups(const Engine& engine);

/// The intervals of a level, in units of the table's time. The table has a unit.
Result<TimeBuckets> level_buckets(const log::TableState& state, const Interval& interval);

/// Writes rows of a level, in its columns, as segments that no commit names yet. `attempt` is a UUID.
Result<std::vector<log::Action>> stage_level(Engine& engine, const StatePtr& state, const std::string& level,
                                             const arrow::Schema& schema, BatchSource& rows, const std::string& attempt,
                                             StagedFiles& files);

/// Whether rows of levels that were made of one state are right at another one, but for what is due: nothing was
/// deleted from any level, or has expired, meanwhile.
bool may_write_levels(const log::TableState& now, const log::TableState& made_of);

}  // namespace marigram::table
