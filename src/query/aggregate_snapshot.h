// Aggregates of a snapshot of a table: of its rows, of those that are newer, and of levels of rollups where these say
// the same (rollup_plan.h).
#pragma once

#include "query/aggregation.h"
#include "query/rollup_plan.h"
#include "query/snapshot.h"
#include "table/scan.h"

#include <marigram/aggregate.h>
#include <marigram/error.h>
#include <marigram/scan.h>

namespace marigram::query {

/// Of the rows that `rows` asks for by range and tags; none if its limit is 0. `spec`: its columns, groups and buckets;
/// the rest is the table's. `statistics` may be null; it is told when the stream has ended, or does. Errors as
/// Aggregation's and those of a scan. `sources`: what may be read.
Result<table::ScanStream> aggregate_snapshot(const Snapshot& snapshot, const ScanRequest& rows, AggregationSpec spec,
                                             QueryStatistics* statistics, const Sources& sources = {});

}  // namespace marigram::query
