// Rows that are appended as a stream, under the limits of those that are inserted.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <vector>

namespace marigram::db {

/// The rows of a stream; ends in kInvalidInput at texts that model::check_rows would refuse. `tags`: of the table. Not
/// thread-safe.
std::shared_ptr<arrow::RecordBatchReader> check_texts(std::shared_ptr<arrow::RecordBatchReader> rows, std::string table,
                                                      const std::vector<std::string>& tags);

}  // namespace marigram::db
