// Opening a database elsewhere than on the machine's disks: over a simulated one, in tests.
#pragma once

#include "db/core.h"

#include <marigram/database.h>
#include <marigram/error.h>

namespace marigram::db {

/// See Database::open.
Result<Database> open_database(const Surroundings& surroundings, const DatabaseOptions& options);

}  // namespace marigram::db
