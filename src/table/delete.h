// Deletes: rows that are gone for readers at once, and for good.
#pragma once

#include "table/engine.h"
#include "table/hidden_rows.h"

#include <marigram/error.h>

#include <cstdint>

namespace marigram::table {

/// Removes the rows chosen, as one commit: all or none, or no commit if there is no such row. Returns how many rows
/// were there to be seen; under Duplicates::kLast those that they had replaced go with them. Rows that are committed
/// meanwhile stay. kInvalidInput: an empty range, a bound of another domain than the index; kNotFound: a predicate on
/// what is no tag, a condition on what is no field; kInvalidInput: one with a value of another kind.
///
/// A tombstone hides them (docs/format/log.md); segments without any other row are dropped, the others are written anew
/// by compact(). Read are the edges of the range, and what is needed to count; with conditions on fields all rows of
/// the range. Segments are written anew at once (rewrite.h) where a tombstone cannot say which rows: of equal series
/// and time only some; and in a table that other programs read, which stays such a one. `dry_run`: nothing is removed.
Result<std::uint64_t> remove_rows(Engine& engine, const RowSelection& rows, bool dry_run = false);

}  // namespace marigram::table
