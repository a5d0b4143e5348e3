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

/// Streams the named top-level columns (none: all) in file order; page checksums are verified. The reader keeps what it
/// needs alive. Errors of the reader carry ours (from_arrow_status). kNotFound, kCorruption as SegmentReader::open.
Result<std::shared_ptr<arrow::RecordBatchReader>> open_parquet_rows(io::ObjectStore& store, const std::string& key,
                                                                    const std::vector<std::string>& columns);

}  // namespace marigram::segment
