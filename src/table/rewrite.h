// Rewriting: segments replaced by new ones in one commit, copy on write. The old files stay, for versions that name
// them.
//
// A segment is rewritten together with all that it shares a stretch of time with, in tables where rows of one may come
// before or after those of another (docs/format/log.md, `duplicates`). The rank of the new segments is the version that
// was read: rows that are committed meanwhile rank higher, and come after them as they did after the old ones, and
// tombstones that were there, whose rows are left out, rank lower. Or it is that of an old one, where none stands
// between: then some may be rewritten without the others.
#pragma once

#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>

namespace marigram::table {

/// Merges, in each partition, neighbours that are small, and segments that overlap though they were not written
/// together, or some of them (CompactOptions::tiered, compaction.cc); and writes segments of another format than the
/// tier's anew. Scans give the same rows before and after. Segments that cross a partition, as other writers make them,
/// stay. One commit of the table and each level, or none if there is nothing to gain; again from the start when another
/// writer takes away one of the segments meanwhile. Memory: that of an append, whatever the table holds; in v1 the rows
/// of a partition. kCancelled: what was committed stays.
Result<CompactReport> compact(Engine& engine, const CompactOptions& options = {});

/// Writes segments with rows of the choice anew without them, as one commit, or none if there is no such row; those
/// that lose all are dropped. Returns how many rows there were to be seen; under Duplicates::kLast those that they had
/// replaced go with them. Rows that are committed meanwhile stay. Memory as compact().
Result<std::uint64_t> rewrite_without(Engine& engine, const RowSelection& rows);

}  // namespace marigram::table
