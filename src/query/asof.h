// As-of joins over a snapshot of a table: segments of any format and rows that are newer than them.
//
// Probes are put in order of series and time and fall into windows of time (time_windows.h). A window that is one
// native segment is searched where it lies (asof_native.h), by all threads; of another the rows are read once, by
// series and time. The rows that probes meet are found by a search that gallops along both. A probe that meets none in
// its window asks the table's coverage which earlier or later one holds its series, and goes there: no window between
// is opened.
#pragma once

#include "query/time_windows.h"

#include <marigram/asof.h>
#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <memory>
#include <vector>

namespace marigram::query {

struct AsofResult {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;  // a row for each probe, batch by batch as they came
  AsofStatistics statistics;
};

/// The columns of the probes, those asked for, and the matched time; null where there is no row. Memory: the probes,
/// the result, and the rows of a window that are of the probes' series. kInvalidInput: a column that the result would
/// have twice, columns of `ignore_nulls` that are not asked for; kNotFound: a column that the table lacks; and as
/// ProbeSet::make and table::scan.
Result<AsofResult> asof_join(const Snapshot& snapshot, const std::shared_ptr<arrow::Schema>& schema,
                             const std::vector<std::shared_ptr<arrow::RecordBatch>>& probes,
                             const AsofRequest& request);

}  // namespace marigram::query
