// Writes a segment as one Parquet file that any engine can prune.
//
// Rows come sorted by (series, time). The file carries statistics, page index, sorting-columns metadata, and pages of
// the same row counts in every column, so that a reader can skip to any row range.
#pragma once

#include "io/object_store.h"
#include "model/index.h"
#include "model/schema.h"
#include "segment/writer.h"

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <string>

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace marigram::segment {

struct ParquetWriterOptions {
  std::int64_t row_group_rows = 131'072;
  std::int64_t page_rows = 16'384;
  std::string compression = "auto";  // as column_encoding.h chooses; or one of zstd, lz4, snappy, none, for all
  bool sorted = true;                // rows will come sorted by (tags..., time): recorded as sorting columns
};

/// Buffers at most a row group and the batch. Rows out of order are written as they come.
class ParquetWriter : public SegmentWriter {
 public:
  /// `schema` is the table's (all columns, its order). The store is borrowed. kInvalidInput for options or types that
  /// cannot be.
  static Result<std::unique_ptr<ParquetWriter>> create(io::ObjectStore& store, const std::string& key,
                                                       const model::Schema& schema, const model::IndexSpec& index,
                                                       const ParquetWriterOptions& options = {});
  ~ParquetWriter() override;

  Status write(const arrow::RecordBatch& batch) override;
  Result<std::uint64_t> finish() override;

 private:
  struct State;
  explicit ParquetWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace marigram::segment
