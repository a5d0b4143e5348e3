// How long a table keeps its rows and levels.
#pragma once

#include "model/retention.h"
#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/retention.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace marigram::table {

/// How long is kept what, from now on; what is gone stays so. Nothing goes by this alone. Returns the new version, or
/// the one that is if nothing changes. kInvalidInput: a table without times, or of v1; a rule that is wrong, or that a
/// table of open segments, whose rows cannot be hidden, cannot keep: by tags, or beside rollups.
Result<std::uint64_t> set_retention(Engine& engine, const std::vector<RetentionRule>& rules);

/// What the rules make of what is kept, with what is gone by now; they are checked as set_retention does.
Result<model::Retention> retention_by(const log::TableState& state, const std::vector<RetentionRule>& rules,
                                      Instant now);

std::vector<RetentionInfo> list_retention(const log::TableState& state);

/// Whether what expires could be told from the rest, whatever the table becomes. kInvalidInput.
Status check_can_expire(const log::TableState& state, const model::RollupSpec& rollups,
                        const model::Retention& retention);

/// What is kept how long once the table has other levels: one that is new begins where the rows do. kInvalidInput: a
/// level would go, or be made anew, whose rows are gone.
Result<model::Retention> retention_with(const log::TableState& state, const model::RollupSpec& rollups);

/// The last moment up to `time` at which both a bucket of the table's coverage begins and an interval of the level that
/// tells of what is before it: of the next coarser one that reaches back so far, of this one if there is none. `name`:
/// kRows or a level's. kInvalidInput: there is none.
Result<Instant> align_horizon(const log::TableState& state, const model::RetentionClass& own, std::string_view name,
                              Instant time);

}  // namespace marigram::table
