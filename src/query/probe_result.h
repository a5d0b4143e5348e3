// Results of joins: the probes, with more columns behind their own.
#pragma once

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

namespace marigram::query {

/// kInvalidInput, `doing` before it: a name comes twice; `way_out` says what to do.
Result<std::shared_ptr<arrow::Schema>> result_schema(const arrow::Schema& probes, const arrow::FieldVector& columns,
                                                     const std::string& doing, const std::string& way_out);

/// `columns` have a value for each probe, counted over all batches; `schema`: as above.
std::vector<std::shared_ptr<arrow::RecordBatch>> with_columns(
    const std::shared_ptr<arrow::Schema>& schema, const std::vector<std::shared_ptr<arrow::RecordBatch>>& probes,
    const arrow::ArrayVector& columns);

}  // namespace marigram::query
