// Append: rows in, one commit out, all or nothing.
#pragma once

#include "io/object_store.h"
#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <string>

namespace arrow {
class RecordBatchReader;
}

namespace marigram::table {

/// Rows in any order; some four million are held, checked and sorted at a time. kInvalidInput if there is no row.
Result<AppendResult> append(Engine& engine, arrow::RecordBatchReader& rows);

/// The rows of a Parquet file in any store, as append() takes them. Reads the file twice: it is checked whole
/// (readable, fitting, not covered yet) before the first byte is written.
Result<AppendResult> append_parquet(Engine& engine, io::ObjectStore& source, const std::string& key);

/// v1: a Parquet file that lies in the table's folder becomes a segment where it is.
Result<AppendResult> adopt_parquet(Engine& engine, const std::string& key);

}  // namespace marigram::table
