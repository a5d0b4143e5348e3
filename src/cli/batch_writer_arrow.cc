// Arrow IPC streams and Parquet files, onto an Output.
#include "base/try.h"
#include "cli/arrow_bridge.h"
#include "cli/batch_writer.h"
#include "cli/output.h"

#include <marigram/error.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

namespace marigram::cli {

namespace {

// An Output as Arrow's stream. Keeps our error, which Arrow's status cannot carry.
class OutputStream final : public arrow::io::OutputStream {
 public:
  explicit OutputStream(Output& out) : out_(out) { set_mode(arrow::io::FileMode::WRITE); }

  arrow::Status Write(const void* data, std::int64_t bytes) override {
    const auto written = out_.write({static_cast<const char*>(data), static_cast<std::size_t>(bytes)});
    if (written) return arrow::Status::OK();
    error_ = written.error();
    return arrow::Status::IOError(error_->message);
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return static_cast<std::int64_t>(out_.position()); }

  Status check(const arrow::Status& status) const {
    if (status.ok()) return {};
    return std::unexpected(error_ ? *error_ : from_arrow(status, "cannot write rows"));
  }

 private:
  Output& out_;
  std::optional<Error> error_;
  bool closed_ = false;
};

class IpcWriter final : public BatchWriter {
 public:
  IpcWriter(std::shared_ptr<OutputStream> stream, std::shared_ptr<arrow::ipc::RecordBatchWriter> writer)
      : stream_(std::move(stream)), writer_(std::move(writer)) {}

  Status write(const arrow::RecordBatch& batch) override { return stream_->check(writer_->WriteRecordBatch(batch)); }
  Status finish() override { return stream_->check(writer_->Close()); }

 private:
  std::shared_ptr<OutputStream> stream_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

class ParquetWriter final : public BatchWriter {
 public:
  ParquetWriter(std::shared_ptr<OutputStream> stream, std::unique_ptr<parquet::arrow::FileWriter> writer)
      : stream_(std::move(stream)), writer_(std::move(writer)) {}

  Status write(const arrow::RecordBatch& batch) override { return stream_->check(writer_->WriteRecordBatch(batch)); }
  Status finish() override { return stream_->check(writer_->Close()); }

 private:
  std::shared_ptr<OutputStream> stream_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
};

}  // namespace

Result<std::unique_ptr<BatchWriter>> make_arrow_writer(const arrow::Schema& schema, Output& out) {
  auto stream = std::make_shared<OutputStream>(out);
  auto writer = arrow::ipc::MakeStreamWriter(stream, std::make_shared<arrow::Schema>(schema));
  MARIGRAM_TRY(stream->check(writer.status()));
  return std::make_unique<IpcWriter>(stream, *writer);
}

Result<std::unique_ptr<BatchWriter>> make_parquet_writer(const arrow::Schema& schema, Output& out) {
  constexpr std::int64_t kRowGroupRows = 1'048'576;
  auto stream = std::make_shared<OutputStream>(out);
  const auto properties = parquet::WriterProperties::Builder()
                              .compression(arrow::Compression::ZSTD)
                              ->max_row_group_length(kRowGroupRows)
                              ->build();
  const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  auto writer =
      parquet::arrow::FileWriter::Open(schema, arrow::default_memory_pool(), stream, properties, arrow_properties);
  MARIGRAM_TRY(stream->check(writer.status()));
  return std::make_unique<ParquetWriter>(stream, std::move(*writer));
}

Result<std::unique_ptr<BatchWriter>> make_batch_writer(std::string_view format, const arrow::Schema& schema,
                                                       Output& out, bool color) {
  if (format == "csv") return make_csv_writer(schema, out);
  if (format == "json") return make_json_writer(schema, out);
  if (format == "arrow") return make_arrow_writer(schema, out);
  if (format == "parquet") return make_parquet_writer(schema, out);
  return make_table_writer(schema, out, color);
}

}  // namespace marigram::cli
