// What is older than a table keeps it goes, of its rows and of levels of rollups (docs/lifecycle.md, "Retention").
#pragma once

#include "model/retention.h"
#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/retention.h>
#include <marigram/rollup.h>
#include <marigram/scan.h>

namespace marigram::query {

/// Refreshes levels, then lets go what is older than is kept, by the environment's clock: down to a whole bucket, and
/// an interval of the next coarser level. What a level that is kept longer does not say yet stays. A commit for each
/// kind of series of which something goes. kCancelled: what was committed stays.
Result<ExpiryReport> expire(table::Engine& engine, const CancelToken& cancel = {});

/// What would go now by that retention, if all levels said what the rows say. Nothing does.
Result<ExpiryReport> preview_expiry(table::Engine& engine, const model::Retention& retention,
                                    const CancelToken& cancel = {});

/// Rows that came when those of their time were gone: merged into the finest level that is left there, and gone
/// themselves. Levels coarser than that become due. Costs what is due.
Status merge_late_rows(table::Engine& engine, const CancelToken& cancel, RefreshReport& report);

}  // namespace marigram::query
