#include "segment/batch_check.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

namespace marigram::segment {
namespace {

/// Whether `type` is `wanted`, or a dictionary of such strings.
bool type_fits(const arrow::DataType& type, const arrow::DataType& wanted) {
  if (type.Equals(wanted)) return true;
  return wanted.id() == arrow::Type::STRING && type.id() == arrow::Type::DICTIONARY &&
         static_cast<const arrow::DictionaryType&>(type).value_type()->Equals(wanted);
}

}  // namespace

Status check_batch(const arrow::RecordBatch& batch, const arrow::Schema& schema, const std::string& doing) {
  if (batch.num_columns() != schema.num_fields()) {
    return fail(ErrorCode::kSchemaMismatch,
                fmt::format("{}: got {} columns, want {}", doing, batch.num_columns(), schema.num_fields()));
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    const arrow::Field& field = *schema.field(i);
    const arrow::Array& column = *batch.column(i);
    if (!type_fits(*column.type(), *field.type())) {
      return fail(ErrorCode::kSchemaMismatch, fmt::format("{}: column {} has type {}, want {}", doing, field.name(),
                                                          column.type()->ToString(), field.type()->ToString()));
    }
    if (!field.nullable() && column.null_count() > 0) {
      return fail(ErrorCode::kInvalidInput, fmt::format("{}: column {} holds {} null values, want none", doing,
                                                        field.name(), column.null_count()));
    }
  }
  return {};
}

}  // namespace marigram::segment
