#include "cli/arrow_bridge.h"

#include "base/try.h"

#include <marigram/arrow_abi.h>
#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/scan.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <memory>
#include <string>

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>

namespace marigram::cli {

namespace {

/// What `fill` makes of a stream. `doing` begins messages.
template <typename Fill>
Result<std::shared_ptr<arrow::RecordBatchReader>> open_stream(const char* doing, Fill fill) {
  ArrowArrayStream stream = {};
  MARIGRAM_TRY(fill(&stream));
  auto reader = arrow::ImportRecordBatchReader(&stream);
  if (!reader.ok()) return std::unexpected(from_arrow(reader.status(), doing));
  return *reader;
}

/// What `join` makes of the stream of probes.
template <typename Join>
Result<std::shared_ptr<arrow::RecordBatchReader>> open_join(const std::shared_ptr<arrow::RecordBatchReader>& probes,
                                                            Join join) {
  ArrowArrayStream asked = {};
  if (const auto exported = arrow::ExportRecordBatchReader(probes, &asked); !exported.ok()) {
    return std::unexpected(from_arrow(exported, "cannot join"));
  }
  return open_stream("cannot join", [&](ArrowArrayStream* out) { return join(&asked, out); });
}

ErrorCode code_of(const arrow::Status& status) {
  switch (status.code()) {
    case arrow::StatusCode::Cancelled:
      return ErrorCode::kCancelled;
    case arrow::StatusCode::OutOfMemory:
      return ErrorCode::kResourceExhausted;
    case arrow::StatusCode::IOError:
      return ErrorCode::kIo;
    default:
      return ErrorCode::kInvalidInput;
  }
}

}  // namespace

Error from_arrow(const arrow::Status& status, const std::string& doing) {
  return {.code = code_of(status),
          .message = doing.empty() ? status.message() : fmt::format("{}: {}", doing, status.message())};
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_scan(const Table& table, const ScanRequest& request) {
  return open_stream("cannot scan", [&](ArrowArrayStream* out) { return table.scan(request, out); });
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_diff(const Table& table, const DiffRequest& request) {
  return open_stream("cannot compare versions", [&](ArrowArrayStream* out) { return table.diff(request, out); });
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_asof(const Table& table,
                                                            const std::shared_ptr<arrow::RecordBatchReader>& probes,
                                                            const AsofRequest& request) {
  return open_join(probes, [&](ArrowArrayStream* in, ArrowArrayStream* out) { return table.asof(in, request, out); });
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_window_join(
    const Table& table, const std::shared_ptr<arrow::RecordBatchReader>& probes, const WindowJoinRequest& request) {
  return open_join(probes,
                   [&](ArrowArrayStream* in, ArrowArrayStream* out) { return table.window_join(in, request, out); });
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_aggregate(const Table& table, const AggregateRequest& request) {
  return open_stream("cannot aggregate", [&](ArrowArrayStream* out) { return table.aggregate(request, out); });
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_latest(const Table& table, const LatestRequest& request) {
  return open_stream("cannot find rows", [&](ArrowArrayStream* out) { return table.latest(request, out); });
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_query(const Database& database, const std::string& name_space,
                                                             const std::string& table, const QueryRequest& request) {
  return open_stream("cannot query",
                     [&](ArrowArrayStream* out) { return database.query(name_space, table, request, out); });
}

Result<std::shared_ptr<arrow::Schema>> arrow_schema(const Table& table) {
  ScanRequest nothing;
  nothing.limit = 0;
  MARIGRAM_ASSIGN(auto reader, open_scan(table, nothing));
  return reader->schema()->num_fields() == 0 ? nullptr : reader->schema();
}

}  // namespace marigram::cli
