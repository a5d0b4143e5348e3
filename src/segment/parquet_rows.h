// All rows of any Parquet file, as the file has them: what an append reads.
#pragma once

#include "io/object_store.h"

#include <marigram/error.h>

#include <memory>
#include <string>
#include <vector>

namespace arrow {
class RecordBatchReader;
}

namespace marigram::segment {

class SegmentFile;

/// Streams the named top-level columns (none: all) in file order; page checksums are verified. The reader keeps what it
/// needs alive. Errors of the reader carry ours (from_arrow_status). kNotFound, kCorruption as ParquetReader::open.
Result<std::shared_ptr<arrow::RecordBatchReader>> open_parquet_rows(io::ObjectStore& store, const std::string& key,
                                                                    const std::vector<std::string>& columns);
/// The same of an open file.
Result<std::shared_ptr<arrow::RecordBatchReader>> read_parquet_rows(std::shared_ptr<const SegmentFile> file,
                                                                    const std::vector<std::string>& columns);

}  // namespace marigram::segment
