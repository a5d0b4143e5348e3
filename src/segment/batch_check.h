// Whether rows are what a segment that is being written wants.
#pragma once

#include <marigram/error.h>

#include <string>

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace marigram::segment {

/// Whether the columns are those of the schema; strings may come dictionary-encoded. kSchemaMismatch; kInvalidInput for
/// nulls where none may be.
Status check_batch(const arrow::RecordBatch& batch, const arrow::Schema& schema, const std::string& doing);

}  // namespace marigram::segment
