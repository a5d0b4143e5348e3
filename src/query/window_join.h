// Window joins over a snapshot of a table: segments of any format and rows that are newer than them.
#pragma once

#include "query/aggregation.h"
#include "query/asof.h"
#include "query/snapshot.h"

#include <marigram/error.h>
#include <marigram/window_join.h>

#include <arrow/type_fwd.h>

#include <memory>
#include <vector>

namespace marigram::query {

/// The columns of the probes and an aggregate each: counts are 0 and others null where a window has no rows. `columns`
/// are those of the request. O(probes + rows read + rows in windows). Memory: the probes, an aggregate's state a probe
/// (aggregation.h), and the rows of one window of the table at a time. kInvalidInput: a column that the result would
/// have twice, no column; and as ProbeSet::make, make_aggregate_column and table::scan.
Result<AsofResult> window_join(const Snapshot& snapshot, const std::shared_ptr<arrow::Schema>& schema,
                               const std::vector<std::shared_ptr<arrow::RecordBatch>>& probes,
                               const WindowJoinRequest& request, const std::vector<AggregateOf>& columns);

}  // namespace marigram::query
