#include "query/probe_result.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cstdint>
#include <set>
#include <utility>

namespace marigram::query {

Result<std::shared_ptr<arrow::Schema>> result_schema(const arrow::Schema& probes, const arrow::FieldVector& columns,
                                                     const std::string& doing, const std::string& way_out) {
  arrow::FieldVector fields = probes.fields();
  fields.insert(fields.end(), columns.begin(), columns.end());
  std::set<std::string> names;
  for (const auto& field : fields) {
    if (names.insert(field->name()).second) continue;
    return fail(ErrorCode::kInvalidInput,
                fmt::format("{}: the result would have two columns {}; {}", doing, field->name(), way_out));
  }
  return arrow::schema(std::move(fields));
}

std::vector<std::shared_ptr<arrow::RecordBatch>> with_columns(
    const std::shared_ptr<arrow::Schema>& schema, const std::vector<std::shared_ptr<arrow::RecordBatch>>& probes,
    const arrow::ArrayVector& columns) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  batches.reserve(probes.size());
  std::int64_t at = 0;
  for (const auto& batch : probes) {
    arrow::ArrayVector arrays = batch->columns();
    for (const auto& column : columns) arrays.push_back(column->Slice(at, batch->num_rows()));
    at += batch->num_rows();
    batches.push_back(arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(arrays)));
  }
  return batches;
}

}  // namespace marigram::query
