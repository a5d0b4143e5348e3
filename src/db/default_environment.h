// The wiring of an embedded table: the machine's clock, its file system, one pool of threads a process.
#pragma once

#include "table/environment.h"

#include <marigram/error.h>

#include <string_view>

namespace marigram::db {

/// `uri` is a folder: a path, or `file:` and a path. kInvalidInput for other schemes.
Result<table::Environment> environment_for(std::string_view uri);

}  // namespace marigram::db
