// Queries of a database: rows, or aggregates of them.
#pragma once

#include "base/thread_pool.h"
#include "query/snapshot.h"
#include "table/live_table.h"
#include "table/scan.h"

#include <marigram/aggregate.h>
#include <marigram/asof.h>
#include <marigram/database.h>
#include <marigram/downsample.h>
#include <marigram/error.h>
#include <marigram/latest.h>
#include <marigram/window_join.h>

namespace marigram::db {

/// See Database::query. The table must outlive the stream.
Result<table::ScanStream> run_query(table::LiveTable& table, const QueryRequest& request);

/// See Table::asof.
Result<table::ScanStream> run_asof(const query::Snapshot& snapshot, arrow::RecordBatchReader& probes,
                                   const AsofRequest& request);

/// See Table::window_join.
Result<table::ScanStream> run_window_join(const query::Snapshot& snapshot, arrow::RecordBatchReader& probes,
                                          const WindowJoinRequest& request);

/// See Table::aggregate.
Result<table::ScanStream> run_aggregate(const query::Snapshot& snapshot, const AggregateRequest& request);

/// See Table::downsample.
Result<table::ScanStream> run_downsample(const query::Snapshot& snapshot, const DownsampleRequest& request);

/// See Table::latest.
Result<table::ScanStream> run_latest(const query::Snapshot& snapshot, const LatestRequest& request);

/// Half-open, as scans have them; unset where there is no bound. kInvalidInput: none lies between.
struct TimeRange {
  std::optional<IndexValue> from = {};
  std::optional<IndexValue> to = {};
};
Result<TimeRange> range_of(std::int64_t from_ns, std::int64_t to_ns);

}  // namespace marigram::db
