// Queries of a database: rows, or aggregates of them.
#pragma once

#include "base/thread_pool.h"
#include "query/asof.h"
#include "table/live_table.h"
#include "table/scan.h"

#include <marigram/asof.h>
#include <marigram/database.h>
#include <marigram/error.h>

namespace marigram::db {

/// See Database::query. The table must outlive the stream.
Result<table::ScanStream> run_query(table::LiveTable& table, const QueryRequest& request);

/// See Table::asof.
Result<table::ScanStream> run_asof(const query::AsofSnapshot& snapshot, arrow::RecordBatchReader& probes,
                                   const AsofRequest& request);

/// Half-open, as scans have them; unset where there is no bound. kInvalidInput: none lies between.
struct TimeRange {
  std::optional<IndexValue> from = {};
  std::optional<IndexValue> to = {};
};
Result<TimeRange> range_of(std::int64_t from_ns, std::int64_t to_ns);

}  // namespace marigram::db
