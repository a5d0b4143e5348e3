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
/// what is no tag.
///
/// A tombstone hides them (docs/format/log.md); segments without any other row are dropped, the others are written anew
/// by compact(). Read are the edges of the range, and what is needed to count. A table that other programs read stays
/// such a one: its segments are written anew at once (rewrite.h).
Result<std::uint64_t> remove_rows(Engine& engine, const RowChoice& choice);

}  // namespace marigram::table
