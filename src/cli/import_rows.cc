#include "cli/import_rows.h"

#include "cli/arrow_bridge.h"
#include "cli/cell_convert.h"
#include "cli/column_plan.h"
#include "cli/progress.h"
#include "cli/row_source.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/status.h>
#include <arrow/type.h>

namespace marigram::cli {

Status start_source(RowSource& source, const ColumnPlan& plan) {
  std::vector<ReadColumn> wanted;
  for (const PlannedColumn& column : plan.columns) {
    if (column.source) wanted.push_back({*column.source, column.read_type});
  }
  return source.start(wanted, plan.ignored);
}

ImportRows::ImportRows(RowSource& source, ColumnPlan plan, TimeFormat format, std::string name, CancelToken cancel,
                       Progress& progress)
    : source_(source),
      plan_(std::move(plan)),
      format_(std::move(format)),
      name_(std::move(name)),
      cancel_(std::move(cancel)),
      progress_(progress) {
  arrow::FieldVector fields;
  for (const PlannedColumn& column : plan_.columns) fields.push_back(column.field);
  schema_ = arrow::schema(std::move(fields));
}

arrow::Status ImportRows::ReadNext(std::shared_ptr<arrow::RecordBatch>* out) {
  out->reset();
  if (cancel_.cancelled()) return stop({.code = ErrorCode::kCancelled, .message = "interrupted"});
  auto batch = source_.next();
  if (!batch) return stop(std::move(batch).error());
  if (*batch == nullptr && rows_ == 0) {
    return stop(
        {.code = ErrorCode::kInvalidInput, .message = fmt::format("cannot import {}: it holds no rows", name_)});
  }
  if (*batch == nullptr) {
    progress_.phase("writing the last segments");
    return arrow::Status::OK();
  }
  auto converted = convert(**batch);
  if (!converted) return stop(std::move(converted).error());
  rows_ += static_cast<std::uint64_t>((*batch)->num_rows());
  progress_.update(rows_, source_.bytes_done());
  *out = std::move(*converted);
  return arrow::Status::OK();
}

arrow::Status ImportRows::stop(Error error) {
  error_ = std::move(error);
  return error_->code == ErrorCode::kCancelled ? arrow::Status::Cancelled(error_->message)
                                               : arrow::Status::Invalid(error_->message);
}

Result<std::shared_ptr<arrow::RecordBatch>> ImportRows::convert(const arrow::RecordBatch& batch) {
  arrow::ArrayVector columns;
  int next = 0;  // the source's columns come in the plan's order
  for (const PlannedColumn& column : plan_.columns) {
    if (!column.source) {
      auto filled = arrow::MakeArrayFromScalar(*column.constant, batch.num_rows());
      if (!filled.ok()) return std::unexpected(from_arrow(filled.status(), fmt::format("cannot import {}", name_)));
      columns.push_back(*filled);
      continue;
    }
    auto converted = convert_cells(batch.column(next++), column, format_, source_.is_text());
    if (!converted) {
      const BadCell& bad = converted.error();
      std::string place =
          bad.value ? source_.locate(*column.source, *bad.value, rows_ + static_cast<std::uint64_t>(bad.row)) : "";
      if (!place.empty()) place += ", ";
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot import {}: {}column \"{}\": {}", name_, place, *column.source, bad.problem));
    }
    columns.push_back(std::move(*converted));
  }
  return arrow::RecordBatch::Make(schema_, batch.num_rows(), std::move(columns));
}

}  // namespace marigram::cli
