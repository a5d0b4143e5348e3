// Rewriting: segments replaced by new ones in one commit, copy on write. The old files stay, for versions that name
// them.
//
// A segment is rewritten together with all that it shares a stretch of time with, in tables where rows of one may come
// before or after those of another (docs/format/log.md, `duplicates`). The new segments get the highest rank of the old
// ones: rows that are committed meanwhile rank higher, and come after them as they did after the old ones.
#pragma once

#include "table/drop_rows.h"
#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>

namespace marigram::table {

/// Merges, in each partition, neighbours that are small, and segments that overlap though they were not written
/// together; and writes segments of another format than the table's anew. Scans give the same rows before and after.
/// Segments that cross a partition, as other writers make them, stay. One commit, or none if there is nothing to gain;
/// again from the start when another writer takes away one of the segments meanwhile. Memory: that of an append,
/// whatever the table holds; in v1 the rows of a partition.
Result<CompactReport> compact(Engine& engine);

/// Removes the rows chosen, as one commit: all or none, or no commit if there is no such row. Returns how many rows
/// were there to be seen; under Duplicates::kLast those that they had replaced go with them. Rows that are committed
/// meanwhile stay. kInvalidInput: an empty range, a bound of another domain than the index; kNotFound: a predicate on
/// what is no tag. Segments without such rows are left alone, those that lose all are dropped; the rest is written
/// anew. Memory as compact().
Result<std::uint64_t> remove_rows(Engine& engine, const RowChoice& choice);

}  // namespace marigram::table
