// Between the library's Arrow C streams and Arrow C++ readers.
#pragma once

#include <marigram/arrow_abi.h>
#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/scan.h>
#include <marigram/table.h>

#include <memory>
#include <string>

namespace arrow {
class RecordBatchReader;
class Schema;
class Status;
}  // namespace arrow

namespace marigram::cli {

/// An Arrow failure as ours; `doing` is put before Arrow's message unless empty.
Error from_arrow(const arrow::Status& status, const std::string& doing);

/// The rows of a scan. The reader keeps what it needs of the table alive.
Result<std::shared_ptr<arrow::RecordBatchReader>> open_scan(const Table& table, const ScanRequest& request);

/// What changed from one version to another; the same holds.
Result<std::shared_ptr<arrow::RecordBatchReader>> open_diff(const Table& table, const DiffRequest& request);

/// Probes joined to their rows.
Result<std::shared_ptr<arrow::RecordBatchReader>> open_asof(const Table& table,
                                                            const std::shared_ptr<arrow::RecordBatchReader>& probes,
                                                            const AsofRequest& request);

/// Probes, each with aggregates of the rows around it.
Result<std::shared_ptr<arrow::RecordBatchReader>> open_window_join(
    const Table& table, const std::shared_ptr<arrow::RecordBatchReader>& probes, const WindowJoinRequest& request);

/// Aggregates; the reader keeps what it needs of the table alive.
Result<std::shared_ptr<arrow::RecordBatchReader>> open_aggregate(const Table& table, const AggregateRequest& request);

/// The last row of each series, or the first.
Result<std::shared_ptr<arrow::RecordBatchReader>> open_latest(const Table& table, const LatestRequest& request);

/// The answer of a query; the same holds.
Result<std::shared_ptr<arrow::RecordBatchReader>> open_query(const Database& database, const std::string& name_space,
                                                             const std::string& table, const QueryRequest& request);

/// The table's columns as Arrow types; null while the table has not adopted any.
Result<std::shared_ptr<arrow::Schema>> arrow_schema(const Table& table);

}  // namespace marigram::cli
