// Verify: read everything, compare it with what the log says, and mend what can be derived.
#pragma once

#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/table.h>

namespace marigram::table {

/// See Table::verify. Problems are findings, not errors; an error means that verify itself could not go on.
Result<VerifyReport> verify(const Environment& environment, bool repair);

}  // namespace marigram::table
