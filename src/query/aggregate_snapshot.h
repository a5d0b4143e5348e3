// Aggregates of a snapshot of a table.
//
// Time falls into windows, one for each group of segments that overlap (time_windows.h). A window of one native
// segment, or of some that follow one another in order of series and time, is aggregated block by block where it lies
// (native_cursor.h): of blocks whose rows fall into one group and bucket the statistics are enough. Rows of other
// windows are scanned. Series by series the windows follow one another.
#pragma once

#include "query/aggregation.h"
#include "query/snapshot.h"
#include "table/scan.h"

#include <marigram/aggregate.h>
#include <marigram/error.h>
#include <marigram/scan.h>

namespace marigram::query {

/// Of the rows that `rows` asks for by range and tags; none if its limit is 0. `spec`: its columns, groups and buckets;
/// the rest is the table's. `statistics` may be null; it is told when the stream has ended, or does. Errors as
/// Aggregation's and those of a scan.
Result<table::ScanStream> aggregate_snapshot(const Snapshot& snapshot, const ScanRequest& rows, AggregationSpec spec,
                                             QueryStatistics* statistics);

}  // namespace marigram::query
