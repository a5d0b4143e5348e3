// Rows out: record batches in one of the formats of `scan --format`.
#pragma once

#include <marigram/error.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace marigram::cli {

class Output;

/// Writes to an Output that outlives it. Not thread-safe.
class BatchWriter {
 public:
  virtual ~BatchWriter() = default;
  virtual Status write(const arrow::RecordBatch& batch) = 0;
  /// What the format ends with. To be called once, after the last batch; does not finish the Output.
  virtual Status finish() = 0;
};

/// `format` is table, csv, json, arrow (an IPC stream) or parquet. Memory is bounded by a batch; a Parquet row group;
/// or, for a table, kTableWidthRows rows, which the widths of its columns are measured on.
Result<std::unique_ptr<BatchWriter>> make_batch_writer(std::string_view format, const arrow::Schema& schema,
                                                       Output& out, bool color);

inline constexpr std::size_t kTableWidthRows = 1'000;

// The families, one file each.
std::unique_ptr<BatchWriter> make_csv_writer(const arrow::Schema& schema, Output& out);
std::unique_ptr<BatchWriter> make_json_writer(const arrow::Schema& schema, Output& out);
std::unique_ptr<BatchWriter> make_table_writer(const arrow::Schema& schema, Output& out, bool color);
Result<std::unique_ptr<BatchWriter>> make_arrow_writer(const arrow::Schema& schema, Output& out);
Result<std::unique_ptr<BatchWriter>> make_parquet_writer(const arrow::Schema& schema, Output& out);

}  // namespace marigram::cli
