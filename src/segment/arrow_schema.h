// Our schemas and Arrow's, exactly, in both directions.
#pragma once

#include "model/schema.h"
#include "segment/arrow_status.h"  // IWYU pragma: export

#include <marigram/error.h>

#include <memory>

namespace arrow {
class DataType;
class Field;
class Schema;
}  // namespace arrow

namespace marigram::segment {

/// kInvalidInput for types that Arrow or Parquet cannot store (int96, other, timestamp[s], bad decimals).
Result<std::shared_ptr<arrow::Schema>> to_arrow(const model::Schema& schema);
Result<std::shared_ptr<arrow::DataType>> to_arrow_type(const model::DataType& type);

/// kSchemaMismatch names the column whose type a table cannot hold. Dictionary columns count as their values; LargeUtf8
/// and Utf8View as Utf8, LargeBinary and BinaryView as Binary. Small integers, which batches may bring for wider
/// columns (model::can_widen), come as kOther under Arrow's name.
Result<model::Schema> from_arrow(const arrow::Schema& schema);
Result<model::Column> from_arrow_field(const arrow::Field& field);

}  // namespace marigram::segment
