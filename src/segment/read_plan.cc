#include "segment/read_plan.h"

#include "base/try.h"
#include "model/index.h"
#include "model/schema.h"
#include "segment/arrow_schema.h"
#include "segment/column_cast.h"
#include "segment/index_bounds.h"
#include "segment/parquet_schema.h"
#include "segment/reader.h"
#include "segment/segment_file.h"
#include "segment/tag_filter.h"

#include <marigram/error.h>

#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

/// Finds columns in the table and in the file.
class Resolver {
 public:
  Resolver(const SegmentFile& file, const model::Schema& schema, const model::IndexSpec& index)
      : file_(file), schema_(schema), index_(index) {}

  Result<const model::Column*> in_table(const std::string& name) const {
    if (const model::Column* column = schema_.find(name)) return column;
    return fail(ErrorCode::kNotFound, fmt::format("{}: the table has no column {}", file_.doing(), name));
  }

  Result<PlannedColumn> resolve(const model::Column& column) {
    PlannedColumn planned{.name = column.name, .nullable = column.nullable};
    planned.text_tag =
        column.type.id == model::TypeId::kUtf8 && std::ranges::find(index_.tags, column.name) != index_.tags.end();
    MARIGRAM_ASSIGN(planned.type, to_arrow_type(column.type));
    MARIGRAM_ASSIGN(planned.field, field_named(column.name));
    if (planned.field < 0) {
      if (column.nullable) return planned;
      return fail(ErrorCode::kCorruption,
                  fmt::format("{}: column {} is missing, and the table's is not nullable", file_.doing(), column.name));
    }
    MARIGRAM_ASSIGN(const TypePtr stored, stored_type(planned));
    if (can_become(*stored, *planned.type)) return planned;
    return fail(ErrorCode::kSchemaMismatch,
                fmt::format("{}: column {} has type {}, the table's is {}", file_.doing(), column.name,
                            stored->ToString(), model::format_type(column.type)));
  }

  /// The type that the column's source yields; sets `leaf` of flat columns.
  Result<TypePtr> stored_type(PlannedColumn& planned) {
    const parquet::SchemaDescriptor& leaves = *file_.metadata()->schema();
    const auto& node = leaves.group_node()->field(planned.field);
    if (node->is_primitive()) {
      const int leaf = leaves.ColumnIndex(*node);
      if (TypePtr type = flat_type(*leaves.Column(leaf))) {
        planned.leaf = leaf;
        return type;
      }
    }
    if (!arrow_schema_) {
      MARIGRAM_ASSIGN(arrow_schema_, arrow_schema_of(*file_.metadata(), file_.doing()));
    }
    return arrow_schema_->field(planned.field)->type();
  }

 private:
  Result<int> field_named(const std::string& name) const {
    const auto& root = *file_.metadata()->schema()->group_node();
    int found = -1;
    for (int i = 0; i < root.field_count(); ++i) {
      if (root.field(i)->name() != name) continue;
      if (found >= 0)
        return fail(ErrorCode::kCorruption, fmt::format("{}: it has two columns {}", file_.doing(), name));
      found = i;
    }
    return found;
  }

  const SegmentFile& file_;
  const model::Schema& schema_;
  const model::IndexSpec& index_;
  std::shared_ptr<arrow::Schema> arrow_schema_;  // null until a column that is not flat asks
};

/// Whether the statistics of the column's leaf are in the order and unit of the table's values.
bool judged_by_statistics(const SegmentFile& file, const PlannedColumn& column) {
  if (column.leaf < 0) return false;
  const TypePtr stored = flat_type(*file.metadata()->schema()->Column(column.leaf));
  if (stored->id() == arrow::Type::TIMESTAMP) return true;  // the units are the same, or can_become would not hold
  const bool widened = stored->id() == arrow::Type::INT32 && column.type->id() == arrow::Type::INT64;
  return stored->Equals(*column.type) || widened;
}

/// Makes a plan, column by column.
class Planner {
 public:
  Planner(const SegmentFile& file, const model::Schema& schema, const model::IndexSpec& index)
      : file_(file), resolver_(file, schema, index) {}

  Result<std::size_t> add(const std::string& name) {
    const auto known = std::ranges::find(plan_->columns, name, &PlannedColumn::name);
    if (known != plan_->columns.end()) return static_cast<std::size_t>(known - plan_->columns.begin());
    MARIGRAM_ASSIGN(const model::Column* column, resolver_.in_table(name));
    MARIGRAM_ASSIGN(PlannedColumn planned, resolver_.resolve(*column));
    plan_->columns.push_back(std::move(planned));
    return plan_->columns.size() - 1;
  }

  Status add_index(const model::IndexSpec& index, const ReadRequest& request) {
    MARIGRAM_ASSIGN(const model::Column* column, resolver_.in_table(index.column));
    MARIGRAM_ASSIGN(plan_->bounds, IndexBounds::make(index.kind, column->type, request.from, request.to));
    MARIGRAM_ASSIGN(plan_->index_column, add(index.column));
    plan_->none = plan_->bounds.none() || plan_->columns[plan_->index_column].field < 0;
    const auto id = plan_->columns[plan_->index_column].type->id();
    if (id == arrow::Type::TIMESTAMP || id == arrow::Type::INT64 || id == arrow::Type::UINT64) return {};
    return fail(ErrorCode::kInvalidInput, fmt::format("{}: column {} of type {} cannot be an index", file_.doing(),
                                                      index.column, model::format_type(column->type)));
  }

  Status add_filter(const TagPredicate& predicate) {
    MARIGRAM_ASSIGN(const model::Column* column, resolver_.in_table(predicate.column));
    MARIGRAM_ASSIGN(TagFilter filter, TagFilter::make(predicate, column->type));
    MARIGRAM_ASSIGN(const std::size_t position, add(predicate.column));
    if (plan_->columns[position].field < 0) {  // the same in all rows
      plan_->none = plan_->none || !plan_->columns[position].text_tag || !filter.wants("");
      return {};
    }
    plan_->filters.push_back(std::move(filter));
    plan_->filter_columns.push_back(position);
    return {};
  }

  Status add_output(const model::Schema& schema, const std::vector<std::string>& names) {
    model::Schema selected{.columns = {}, .metadata = schema.metadata};
    for (const std::string& name : names) {
      MARIGRAM_ASSIGN(const std::size_t position, add(name));
      plan_->output.push_back(position);
      selected.columns.push_back(*schema.find(name));
    }
    MARIGRAM_ASSIGN(plan_->output_schema, to_arrow(selected));
    return {};
  }

  std::unique_ptr<const ReadPlan> finish() {
    const PlannedColumn& index = plan_->columns[plan_->index_column];
    if (judged_by_statistics(file_, index)) plan_->conditions.push_back({.leaf = index.leaf, .bounds = &plan_->bounds});
    for (std::size_t i = 0; i < plan_->filters.size(); ++i) {
      const PlannedColumn& column = plan_->columns[plan_->filter_columns[i]];
      if (judged_by_statistics(file_, column)) {
        plan_->conditions.push_back({.leaf = column.leaf, .filter = &plan_->filters[i]});
      }
    }
    return std::move(plan_);
  }

 private:
  const SegmentFile& file_;
  Resolver resolver_;
  std::unique_ptr<ReadPlan> plan_ = std::make_unique<ReadPlan>();
};

}  // namespace

Result<std::unique_ptr<const ReadPlan>> ReadPlan::make(const SegmentFile& file, const model::Schema& schema,
                                                       const model::IndexSpec& index, const ReadRequest& request) {
  if (request.batch_rows == 0) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("{}: batches of 0 rows were asked for, want at least 1", file.doing()));
  }
  Planner planner(file, schema, index);
  MARIGRAM_TRY(planner.add_index(index, request));
  for (const TagPredicate& predicate : request.where) MARIGRAM_TRY(planner.add_filter(predicate));
  MARIGRAM_TRY(planner.add_output(schema, request.columns));
  return planner.finish();
}

}  // namespace marigram::segment
