// The commit of an append: staged segments against the newest state of the table, again on every conflict.
#pragma once

#include "table/alignment.h"
#include "table/append.h"
#include "table/engine.h"
#include "table/staging.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <optional>
#include <string>
#include <vector>

namespace marigram::table {

/// kOverlap with OverlapInfo if `added` covers what `covered` covers already, in a table that rejects duplicates;
/// `where` ends the message's first clause.
Status check_overlap(const log::TableState& state, const coverage::CoverageMap& covered,
                     const coverage::CoverageMap& added, const std::string& where);

/// v1: all rows of a table belong to one series. kInvalidInput if `series` is another than the table's.
Status check_pinned_series(const log::TableState& state, const SeriesKey& series);

/// Commits; the staged files are kept if the commit is there or may be. kSchemaMismatch when another writer gave the
/// table another schema since the alignment was made.
Result<AppendResult> commit_append(Engine& engine, const Alignment& alignment, Staged staged,
                                   const AppendExtras& extras, const std::string& attempt, StagedFiles& files);

}  // namespace marigram::table
