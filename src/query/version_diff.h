// What changed from one version of a table to another.
#pragma once

#include "table/engine.h"
#include "table/scan.h"

#include <marigram/error.h>
#include <marigram/history.h>

namespace marigram::query {

/// See Table::diff. Segments that both versions have, and whose rows the same tombstones hide, are read only where a
/// table keeps the last of equal rows and others of the same time differ. Columns are those of the newer version; the
/// first is `change`, or `_change` if the table has one of that name. The engine must outlive the stream. kNotFound: no
/// such version, or none any more; kInvalidInput: an empty range, a bound of another domain than the index.
Result<table::ScanStream> version_diff(const table::Engine& engine, const DiffRequest& request);

}  // namespace marigram::query
