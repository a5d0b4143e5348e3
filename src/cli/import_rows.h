// The rows of an input file as the table takes them: a stream that is appended whole.
#pragma once

#include "cli/column_plan.h"
#include "cli/time_format.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <arrow/record_batch.h>
#include <arrow/status.h>

namespace marigram::cli {

class Progress;
class RowSource;

/// Has the source read what the plan needs of it.
Status start_source(RowSource& source, const ColumnPlan& plan);

/// Converts batch by batch. What it borrows outlives it. Read by one thread at a time.
class ImportRows final : public arrow::RecordBatchReader {
 public:
  /// `name` is the file, for messages.
  ImportRows(RowSource& source, ColumnPlan plan, TimeFormat format, std::string name, CancelToken cancel,
             Progress& progress);

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override;

  /// Our error that ended the stream, which Arrow's status cannot carry.
  const std::optional<Error>& error() const { return error_; }

 private:
  arrow::Status stop(Error error);
  Result<std::shared_ptr<arrow::RecordBatch>> convert(const arrow::RecordBatch& batch);

  RowSource& source_;
  ColumnPlan plan_;
  TimeFormat format_;
  std::string name_;
  CancelToken cancel_;
  Progress& progress_;
  std::shared_ptr<arrow::Schema> schema_;
  std::uint64_t rows_ = 0;
  std::optional<Error> error_;
};

}  // namespace marigram::cli
