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
  ArrowArrayStream stream = {};
  MARIGRAM_TRY(table.scan(request, &stream));
  auto reader = arrow::ImportRecordBatchReader(&stream);
  if (!reader.ok()) return std::unexpected(from_arrow(reader.status(), "cannot scan"));
  return *reader;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_asof(const Table& table,
                                                            const std::shared_ptr<arrow::RecordBatchReader>& probes,
                                                            const AsofRequest& request) {
  ArrowArrayStream asked = {};
  if (const auto exported = arrow::ExportRecordBatchReader(probes, &asked); !exported.ok()) {
    return std::unexpected(from_arrow(exported, "cannot join"));
  }
  ArrowArrayStream stream = {};
  MARIGRAM_TRY(table.asof(&asked, request, &stream));
  auto reader = arrow::ImportRecordBatchReader(&stream);
  if (!reader.ok()) return std::unexpected(from_arrow(reader.status(), "cannot join"));
  return *reader;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> open_query(const Database& database, const std::string& name_space,
                                                             const std::string& table, const QueryRequest& request) {
  ArrowArrayStream stream = {};
  MARIGRAM_TRY(database.query(name_space, table, request, &stream));
  auto reader = arrow::ImportRecordBatchReader(&stream);
  if (!reader.ok()) return std::unexpected(from_arrow(reader.status(), "cannot query"));
  return *reader;
}

Result<std::shared_ptr<arrow::Schema>> arrow_schema(const Table& table) {
  ScanRequest nothing;
  nothing.limit = 0;
  MARIGRAM_ASSIGN(auto reader, open_scan(table, nothing));
  return reader->schema()->num_fields() == 0 ? nullptr : reader->schema();
}

}  // namespace marigram::cli
