// Copies of databases: snapshots and what is restored from them.
#pragma once

#include "db/storage.h"

#include <marigram/error.h>

namespace marigram::db {

class Core;

/// Says that a folder is a database, which is the last thing that a copy gets. kAlreadyExists.
Status describe(Storage& storage);
/// kNotFound: there is no database; kInvalidInput: of a format that is not known.
Status check_description(Storage& storage);
/// kAlreadyExists if there is anything.
Status check_nothing_there(Storage& storage);

/// See Database::snapshot.
Status make_snapshot(Core& core, Storage& target);
/// See Database::restore.
Status restore_snapshot(Storage& from, Storage& target);

}  // namespace marigram::db
