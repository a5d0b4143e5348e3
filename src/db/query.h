// Queries of a database: rows, or aggregates of them.
#pragma once

#include "base/thread_pool.h"
#include "table/live_table.h"
#include "table/scan.h"

#include <marigram/database.h>
#include <marigram/error.h>

namespace marigram::db {

/// See Database::query. The table must outlive the stream.
Result<table::ScanStream> run_query(table::LiveTable& table, const QueryRequest& request);

/// Half-open, as scans have them; unset where there is no bound. kInvalidInput: none lies between.
struct TimeRange {
  std::optional<IndexValue> from = {};
  std::optional<IndexValue> to = {};
};
Result<TimeRange> range_of(std::int64_t from_ns, std::int64_t to_ns);

}  // namespace marigram::db
