#include "table/absent_tags.h"

#include "base/try.h"
#include "segment/arrow_status.h"

#include <arrow/api.h>
#include <arrow/buffer_builder.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace marigram::table {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

std::unexpected<Error> arrow_failure(const arrow::Status& status) {
  return std::unexpected(segment::from_arrow_status(status, "cannot fill in tags", false));
}

bool is_absent(const arrow::StringArray& strings, std::int64_t row) {
  return strings.IsNull(row) || strings.value_length(row) == 0;
}

std::int64_t count_absent(const arrow::StringArray& strings) {
  std::int64_t absent = 0;
  if (strings.null_count() > 0) {
    for (std::int64_t row = 0; row < strings.length(); ++row) absent += is_absent(strings, row) ? 1 : 0;
    return absent;
  }
  const std::int32_t* const offsets = strings.raw_value_offsets();
  for (std::int64_t row = 0; row < strings.length(); ++row) absent += offsets[row] == offsets[row + 1] ? 1 : 0;
  return absent;
}

Result<ArrayPtr> null_for_empty(const ArrayPtr& column) {
  const auto& strings = static_cast<const arrow::StringArray&>(*column);
  const std::int64_t absent = count_absent(strings);
  if (absent == strings.null_count()) return column;
  arrow::TypedBufferBuilder<bool> valid;
  if (const auto reserved = valid.Reserve(strings.offset() + strings.length()); !reserved.ok())
    return arrow_failure(reserved);
  valid.UnsafeAppend(strings.offset(), false);
  for (std::int64_t row = 0; row < strings.length(); ++row) valid.UnsafeAppend(!is_absent(strings, row));
  auto bitmap = valid.Finish();
  if (!bitmap.ok()) return arrow_failure(bitmap.status());
  const auto data = strings.data()->Copy();
  data->buffers.front() = *std::move(bitmap);
  data->null_count = absent;
  return arrow::MakeArray(data);
}

}  // namespace

Result<ArrayPtr> empty_for_null(const ArrayPtr& strings) {
  if (strings->null_count() == 0) return strings;
  const auto& values = static_cast<const arrow::StringArray&>(*strings);
  arrow::StringBuilder builder;
  arrow::Status status = builder.Reserve(values.length());
  for (std::int64_t row = 0; row < values.length() && status.ok(); ++row) {
    status = builder.Append(values.IsNull(row) ? std::string_view() : values.GetView(row));
  }
  if (!status.ok()) return arrow_failure(status);
  auto filled = builder.Finish();
  if (!filled.ok()) return arrow_failure(filled.status());
  return *std::move(filled);
}

Result<std::shared_ptr<arrow::RecordBatch>> empty_for_null_tags(std::shared_ptr<arrow::RecordBatch> batch,
                                                                const std::vector<std::string>& tags) {
  for (const std::string& tag : tags) {
    const int position = batch->schema()->GetFieldIndex(tag);
    const auto& column = batch->column(position);
    if (column->null_count() == 0) continue;
    MARIGRAM_ASSIGN(const auto filled, empty_for_null(column));
    auto replaced = batch->SetColumn(position, batch->schema()->field(position), filled);
    if (!replaced.ok()) return arrow_failure(replaced.status());
    batch = *std::move(replaced);
  }
  return batch;
}

Result<std::shared_ptr<arrow::RecordBatch>> null_for_empty(std::shared_ptr<arrow::RecordBatch> batch,
                                                           const std::vector<int>& columns) {
  for (const int position : columns) {
    MARIGRAM_ASSIGN(const auto column, null_for_empty(batch->column(position)));
    auto replaced = batch->SetColumn(position, batch->schema()->field(position), column);
    if (!replaced.ok()) return arrow_failure(replaced.status());
    batch = *std::move(replaced);
  }
  return batch;
}

}  // namespace marigram::table
