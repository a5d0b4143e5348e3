#include "db/stream_export.h"

#include "segment/arrow_status.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cerrno>
#include <string>
#include <utility>

namespace marigram::db {
namespace {

struct Exported {
  std::shared_ptr<const void> keep_alive;  // declared first: destroyed last
  table::ScanStream stream;
  std::string last_error;
};

int to_errno(ErrorCode code) {
  switch (code) {
    case ErrorCode::kNotFound:
      return ENOENT;
    case ErrorCode::kInvalidInput:
    case ErrorCode::kSchemaMismatch:
      return EINVAL;
    case ErrorCode::kPermissionDenied:
      return EACCES;
    case ErrorCode::kResourceExhausted:
      return ENOSPC;
    case ErrorCode::kCancelled:
      return ECANCELED;
    default:
      return EIO;
  }
}

Exported& self(ArrowArrayStream* stream) {
  return *static_cast<Exported*>(stream->private_data);
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  const auto status = arrow::ExportSchema(*self(stream).stream.schema, out);
  if (status.ok()) return 0;
  self(stream).last_error = status.ToString();
  return EIO;
}

int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  auto batch = self(stream).stream.rows->next();
  if (!batch) {
    self(stream).last_error = batch.error().message;
    return to_errno(batch.error().code);
  }
  if (!*batch) {
    out->release = nullptr;  // the end, as the interface says it
    return 0;
  }
  const auto status = arrow::ExportRecordBatch(**batch, out);
  if (status.ok()) return 0;
  self(stream).last_error = status.ToString();
  return EIO;
}

const char* get_last_error(ArrowArrayStream* stream) {
  const std::string& error = self(stream).last_error;
  return error.empty() ? nullptr : error.c_str();
}

void release(ArrowArrayStream* stream) {
  delete static_cast<Exported*>(stream->private_data);
  stream->private_data = nullptr;
  stream->release = nullptr;
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> import_stream(ArrowArrayStream* stream) {
  auto reader = arrow::ImportRecordBatchReader(stream);
  if (reader.ok()) return *std::move(reader);
  return std::unexpected(segment::from_arrow_status(reader.status(), "cannot take over Arrow data", false));
}

void export_stream(table::ScanStream stream, std::shared_ptr<const void> keep_alive, ArrowArrayStream* out) {
  out->get_schema = get_schema;
  out->get_next = get_next;
  out->get_last_error = get_last_error;
  out->release = release;
  out->private_data = new Exported{std::move(keep_alive), std::move(stream), {}};
}

}  // namespace marigram::db
