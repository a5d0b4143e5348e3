// Databases of snapshots, whole or in part.
#pragma once

#include "db/core.h"
#include "db/storage.h"

#include <marigram/backup.h>
#include <marigram/error.h>

namespace marigram::db {

/// See Database::restore. `target`: the database to be made, with what its tables run on.
Result<RestoreReport> restore_snapshot(Storage& from, const Surroundings& target, const RestoreOptions& options = {});
/// What that would copy, as the manifest has it; makes nothing. Of a range of time all of the tables is counted, which
/// is an upper bound. Snapshots without a manifest, of older versions: only what the files are.
Result<RestoreReport> preview_restore(Storage& from, const RestoreOptions& options = {});

}  // namespace marigram::db
