// Rows enter and leave the library as Arrow C streams.
#pragma once

#include "table/scan.h"

#include <marigram/arrow_abi.h>
#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <memory>

namespace marigram::db {

/// Takes ownership of the stream.
Result<std::shared_ptr<arrow::RecordBatchReader>> import_stream(ArrowArrayStream* stream);

/// Fills `out`. `keep_alive` lives as long as the stream. Errors reach the consumer as our message (get_last_error) and
/// an errno value: ENOENT, EINVAL, EACCES, ENOSPC, ECANCELED, EIO.
void export_stream(table::ScanStream stream, std::shared_ptr<const void> keep_alive, ArrowArrayStream* out);

}  // namespace marigram::db
