#include "segment/native_plan.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/column_cast.h"
#include "segment/native_arrays.h"
#include "segment/tag_filter.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

namespace marigram::segment {
namespace {

Result<const model::Column*> column_of_table(const NativeFile& file, const model::Schema& schema,
                                             const std::string& name) {
  if (const model::Column* column = schema.find(name)) return column;
  return fail(ErrorCode::kNotFound, fmt::format("{}: the table has no column {}", file.doing(), name));
}

Result<NativeSource> find_source(const NativeFile& file, const model::Column& column, const model::IndexSpec& index) {
  NativeSource source{.nullable = column.nullable};
  source.text_tag =
      column.type.id == model::TypeId::kUtf8 && std::ranges::find(index.tags, column.name) != index.tags.end();
  MARIGRAM_ASSIGN(source.type, to_arrow_type(column.type));
  const auto& columns = file.schema().columns;
  const auto found = std::ranges::find(columns, column.name, &model::Column::name);
  if (found == columns.end()) {
    if (column.nullable) return source;
    return fail(ErrorCode::kCorruption,
                fmt::format("{}: column {} is missing, and the table's is not nullable", file.doing(), column.name));
  }
  const auto position = static_cast<std::size_t>(found - columns.begin());
  const std::size_t tags = file.structure().tags.size();
  if (position < tags) {
    source.tag = position;
  } else {
    source.block = position - tags;
  }
  MARIGRAM_ASSIGN(source.stored, to_arrow_type(found->type));
  if (can_become(*source.stored, *source.type)) return source;
  return fail(ErrorCode::kSchemaMismatch,
              fmt::format("{}: column {} has type {}, the table's is {}", file.doing(), column.name,
                          model::format_type(found->type), model::format_type(column.type)));
}

/// Leaves the series that fulfil the condition.
Status apply(const TagPredicate& predicate, const NativeFile& file, const model::Schema& schema,
             const model::IndexSpec& index, NativePlan& plan) {
  MARIGRAM_ASSIGN(const model::Column* column, column_of_table(file, schema, predicate.column));
  MARIGRAM_ASSIGN(const TagFilter filter, TagFilter::make(predicate, column->type));
  MARIGRAM_ASSIGN(const NativeSource source, find_source(file, *column, index));
  if (!source.tag) {  // the same in all rows
    plan.none = plan.none || !source.text_tag || !filter.wants("");
    return {};
  }
  const NativeTag& tag = file.structure().tags[*source.tag];
  MARIGRAM_ASSIGN(auto values, tag_values(file, *source.tag));
  MARIGRAM_ASSIGN(values, become(values, source.type, file.doing()));
  std::vector<std::uint8_t> wanted(static_cast<std::size_t>(values->length()), 1);
  filter.apply(*values, wanted);
  for (std::size_t i = 0; i < plan.series.size(); ++i) plan.series[i] &= wanted[tag.of_series[i]];
  return {};
}

}  // namespace

Result<std::shared_ptr<arrow::Array>> tag_values(const NativeFile& file, std::size_t tag) {
  const NativeColumn& column = file.structure().columns[tag];
  MARIGRAM_ASSIGN(const auto type, to_arrow_type(file.schema().columns[tag].type));
  const BlockValues& values = file.structure().tags[tag].values;
  const std::size_t count = column.kind == ValueKind::kText ? values.texts.size() : values.cells.size();
  return make_array(column.kind, type, count, values, file.doing());
}

Result<NativePlan> NativePlan::make(const NativeFile& file, const model::Schema& schema, const model::IndexSpec& index,
                                    const ReadRequest& request) {
  if (request.batch_rows == 0) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("{}: batches of 0 rows were asked for, want at least 1", file.doing()));
  }
  NativePlan plan;
  plan.series.assign(file.structure().series(), 1);
  MARIGRAM_ASSIGN(const model::Column* time, column_of_table(file, schema, index.column));
  MARIGRAM_ASSIGN(plan.bounds, IndexBounds::make(index.kind, time->type, request.from, request.to));
  MARIGRAM_ASSIGN(const NativeSource times, find_source(file, *time, index));
  if (times.block != 0) {
    return fail(ErrorCode::kSchemaMismatch, fmt::format("{}: its time is column {}, the table's is {}", file.doing(),
                                                        file.structure().block_columns().front().name, index.column));
  }
  plan.none = plan.bounds.none();
  for (const TagPredicate& predicate : request.where) MARIGRAM_TRY(apply(predicate, file, schema, index, plan));
  model::Schema selected{.columns = {}, .metadata = schema.metadata};
  for (const std::string& name : request.columns) {
    MARIGRAM_ASSIGN(const model::Column* column, column_of_table(file, schema, name));
    MARIGRAM_ASSIGN(NativeSource source, find_source(file, *column, index));
    plan.columns.push_back(std::move(source));
    selected.columns.push_back(*column);
  }
  MARIGRAM_ASSIGN(plan.schema, to_arrow(selected));
  return plan;
}

}  // namespace marigram::segment
