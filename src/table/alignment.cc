#include "table/alignment.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "table/absent_tags.h"
#include "table/engine.h"

#include <arrow/api.h>
#include <arrow/compute/cast.h>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace marigram::table {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using model::Column;
using model::TypeId;

std::unexpected<Error> mismatch(std::string message) {
  return fail(ErrorCode::kSchemaMismatch, "cannot append rows: " + std::move(message));
}

bool is_tag(const model::IndexSpec& index, const std::string& name) {
  return std::ranges::find(index.tags, name) != index.tags.end();
}

/// Whether every row must have a value in the column.
bool is_required(const model::TableMeta& meta, const Column& column) {
  const bool tag = is_tag(*meta.index, column.name);
  return !column.nullable || column.name == meta.index->column || (tag && !meta.grows());
}

Result<std::map<std::string, int>> columns_by_name(const arrow::Schema& incoming) {
  std::map<std::string, int> by_name;
  for (int i = 0; i < incoming.num_fields(); ++i) {
    const std::string& name = incoming.field(i)->name();
    if (!by_name.emplace(name, i).second) return mismatch(fmt::format("column {} appears twice", name));
  }
  return by_name;
}

/// The type declared for a column when the table was created; the incoming one must be the same, another unit of time
/// (checked value by value), or narrower.
Result<std::shared_ptr<arrow::DataType>> declared_type(const arrow::Field& field, const std::string& declared) {
  MARIGRAM_ASSIGN(const model::DataType logical, model::parse_type(declared));
  MARIGRAM_ASSIGN(std::shared_ptr<arrow::DataType> type, segment::to_arrow_type(logical));
  const bool times = field.type()->id() == arrow::Type::TIMESTAMP && type->id() == arrow::Type::TIMESTAMP;
  if (times || field.type()->Equals(*type)) return type;
  const auto incoming = segment::from_arrow(*arrow::schema({field.Copy()}));
  if (incoming &&
      (incoming->columns.front().type == logical || model::can_widen(incoming->columns.front().type, logical))) {
    return type;
  }
  return mismatch(fmt::format("column {} has type {}; the table was created with {}", field.name(),
                              field.type()->ToString(), declared));
}

void strip_zones(model::DataType& type) {
  type.timezone.reset();
  for (Column& child : type.children) strip_zones(child.type);
}

/// The schema a table takes from its first rows. Annotations of the producer (pandas' and others') stay out: they would
/// bind every later writer.
Result<model::Schema> adopted_schema(const arrow::Schema& incoming, const log::TableState& state) {
  arrow::FieldVector fields;
  for (const auto& field : incoming.fields()) {
    std::shared_ptr<arrow::Field> adopted = field->RemoveMetadata();
    if (const auto declared = state.declared_types.find(field->name()); declared != state.declared_types.end()) {
      MARIGRAM_ASSIGN(const auto type, declared_type(*field, declared->second));
      adopted = adopted->WithType(type);
    }
    fields.push_back(std::move(adopted));
  }
  MARIGRAM_ASSIGN(model::Schema schema, segment::from_arrow(*arrow::schema(std::move(fields))));
  for (Column& column : schema.columns) {
    if (state.dialect() == Dialect::kV1) strip_zones(column.type);  // its reference records none
  }
  MARIGRAM_TRY(model::validate_schema(schema));
  return schema;
}

Status check_types(const model::Schema& incoming, const model::Schema& table, Dialect dialect) {
  for (const Column& column : incoming.columns) {
    const Column* target = table.find(column.name);
    if (target == nullptr) {
      return mismatch(fmt::format(
          "column {} is not in the table; want one of the table's columns, or add it with add-column", column.name));
    }
    const bool fits = model::same_values(column.type, target->type) ||
                      (dialect == Dialect::kV7 && model::can_widen(column.type, target->type));
    if (!fits) {
      return mismatch(fmt::format("column {} has type {}; the table has {}", column.name,
                                  model::format_type(column.type), model::format_type(target->type)));
    }
  }
  return {};
}

Status check_presence(const std::map<std::string, int>& incoming, const model::TableMeta& meta) {
  for (const Column& column : meta.schema->columns) {
    if (incoming.contains(column.name)) continue;
    if (meta.dialect == Dialect::kV1 || is_required(meta, column)) {
      return mismatch(fmt::format("column {} ({}) is missing", column.name, model::format_type(column.type)));
    }
  }
  return {};
}

Result<ArrayPtr> nulls_of(const arrow::Field& field, std::int64_t rows) {
  auto nulls = arrow::MakeArrayOfNull(field.type(), rows);
  if (nulls.ok()) return *std::move(nulls);
  return std::unexpected(segment::from_arrow_status(nulls.status(), "cannot append rows", false));
}

Result<ArrayPtr> cast_to(const arrow::Field& field, const ArrayPtr& column) {
  if (column->type()->Equals(*field.type())) return column;
  auto cast = arrow::compute::Cast(*column, field.type(), arrow::compute::CastOptions::Safe());
  if (cast.ok()) return *std::move(cast);
  return std::unexpected(segment::from_arrow_status(
      cast.status(),
      fmt::format("cannot append rows: column {} does not fit type {}", field.name(), field.type()->ToString()),
      false));
}

}  // namespace

Status check_index_columns(Dialect dialect, const model::IndexSpec& index, const model::Schema& schema) {
  const Column* time = schema.find(index.column);
  if (time == nullptr) {
    return mismatch(fmt::format("the index column {} is missing", index.column));
  }
  const TypeId wanted = std::holds_alternative<model::TimestampIndex>(index.kind) ? TypeId::kTimestamp
                        : std::holds_alternative<model::Int64Index>(index.kind)   ? TypeId::kInt64
                                                                                  : TypeId::kUInt64;
  if (time->type.id != wanted) {
    return mismatch(fmt::format("index column {} has type {}; want {}", index.column, model::format_type(time->type),
                                model::index_kind_name(index.kind)));
  }
  for (const std::string& tag : index.tags) {
    const Column* column = schema.find(tag);
    if (column == nullptr) return mismatch(fmt::format("tag column {} is missing", tag));
    const TypeId id = column->type.id;
    const bool integer = id == TypeId::kInt32 || id == TypeId::kInt64 || id == TypeId::kUInt64;
    if (id != TypeId::kUtf8 && !(integer && dialect == Dialect::kV7)) {
      return mismatch(fmt::format("tag column {} has type {}; want string{}", tag, model::format_type(column->type),
                                  dialect == Dialect::kV7 ? ", int32, int64 or uint64" : ""));
    }
  }
  if (dialect == Dialect::kV1) {
    for (const Column& column : schema.columns) {
      if (column.type.id == TypeId::kUInt64) {
        return mismatch(
            fmt::format("column {} has type uint64, which dialect v1 lacks; use int64 or dialect v7", column.name));
      }
    }
  }
  return {};
}

Status check_same_columns(const model::Schema& file, const model::Schema& table, const std::string& key) {
  for (const Column& column : table.columns) {
    const Column* other = file.find(column.name);
    if (other == nullptr || !model::same_values(other->type, column.type) || other->nullable != column.nullable) {
      const auto describe = [](const Column& c) {
        return model::format_type(c.type) + (c.nullable ? " (nullable)" : " (not nullable)");
      };
      return fail(ErrorCode::kSchemaMismatch,
                  fmt::format("cannot adopt {}: column {} is {}; the table has {}", key, column.name,
                              other == nullptr ? std::string("missing") : describe(*other), describe(column)));
    }
  }
  return {};
}

Result<Alignment> Alignment::make(const arrow::Schema& incoming, const log::TableState& state) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  MARIGRAM_ASSIGN(const auto by_name, columns_by_name(incoming));
  const Dialect dialect = state.dialect();
  Alignment alignment;
  alignment.adopts_ = !state.meta->schema.has_value();
  if (alignment.adopts_) {
    MARIGRAM_ASSIGN(alignment.schema_, adopted_schema(incoming, state));
  } else {
    alignment.schema_ = *state.meta->schema;
    MARIGRAM_ASSIGN(const model::Schema logical, segment::from_arrow(*incoming.RemoveMetadata()));
    MARIGRAM_TRY(check_types(logical, alignment.schema_, dialect));
    MARIGRAM_TRY(check_presence(by_name, *state.meta));
  }
  MARIGRAM_TRY(check_index_columns(dialect, index, alignment.schema_));
  MARIGRAM_ASSIGN(alignment.arrow_schema_, segment::to_arrow(alignment.schema_));
  for (const Column& column : alignment.schema_.columns) {
    const auto found = by_name.find(column.name);
    alignment.sources_.push_back(found == by_name.end() ? -1 : found->second);
    Nulls nulls = is_required(*state.meta, column) ? Nulls::kRefused : Nulls::kAllowed;
    if (nulls == Nulls::kAllowed && is_tag(index, column.name)) nulls = Nulls::kEmpty;
    alignment.nulls_.push_back(nulls);
  }
  return alignment;
}

Result<std::shared_ptr<arrow::RecordBatch>> Alignment::align(const arrow::RecordBatch& batch) const {
  std::vector<ArrayPtr> columns;
  columns.reserve(sources_.size());
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const arrow::Field& field = *arrow_schema_->field(static_cast<int>(i));
    MARIGRAM_ASSIGN(ArrayPtr column,
                    sources_[i] < 0 ? nulls_of(field, batch.num_rows()) : cast_to(field, batch.column(sources_[i])));
    if (nulls_[i] == Nulls::kEmpty) {
      MARIGRAM_ASSIGN(column, empty_for_null(column));
    }
    if (nulls_[i] == Nulls::kRefused && column->null_count() > 0) {
      return fail(ErrorCode::kInvalidInput, fmt::format("cannot append rows: column {} holds {} null values; want none",
                                                        field.name(), column->null_count()));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(arrow_schema_, batch.num_rows(), std::move(columns));
}

}  // namespace marigram::table
