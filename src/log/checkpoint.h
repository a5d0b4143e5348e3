// Checkpoints: the fold of the log up to a version in one file, so that opening a table costs its live segments and not
// its commits. They are an aid: the log stays complete, and a checkpoint that is damaged or does not belong to the log
// is ignored (docs/decisions/0002).
//
// `_timeseries_log/_checkpoints/%010d.jsonl`, compact JSON, each line ended by "\n":
//   {"marigram_checkpoint":1,"version":N,"commit_blake3":HEX64,"dialect":"v1"|"v7","timestamp":RFC3339}   of commit N
//   {"UpdateTableMeta":META}
//   {"AddSegment":SEGMENT}                               each live segment, by key, with its rank if it has one
//   {"TableCoverage":{"path":str,"version":V}}           unless there is none; V is the commit that set it
//   {"Marigram":{...}}                                   options and mark of the table, as members of the extension
//   {"Unknown":ACTION}                                   each action that the writer did not know, oldest first
//   {"lines":L,"crc32c":"HEX8"}                          of all lines before this one: their number, their bytes
#pragma once

#include "io/object_store.h"
#include "log/table_state.h"

#include <marigram/error.h>

#include <cstdint>
#include <optional>
#include <string>

namespace marigram::log {

std::string checkpoint_path(std::uint64_t version);

/// Writes the checkpoint of a state that is the fold of the log, unless a good one is there, and removes all but the
/// newest two up to it. Memory: one line and a buffer.
Status write_checkpoint_file(io::ObjectStore& store, const TableState& state);

/// The newest checkpoint at or before `version_max` that is sound and belongs to the log; unset if there is none.
std::optional<TableState> load_newest_checkpoint(const io::ObjectStore& store, std::uint64_t version_max);

/// One checkpoint. kCorruption when it is damaged or belongs to another log.
Result<TableState> load_checkpoint(const io::ObjectStore& store, std::uint64_t version);

}  // namespace marigram::log
