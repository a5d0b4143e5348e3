#include "cli/column_plan.h"

#include "base/try.h"
#include "cli/arrow_bridge.h"
#include "cli/json_view.h"
#include "cli/row_source.h"
#include "cli/text_table.h"
#include "model/schema.h"
#include "segment/arrow_schema.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <fmt/format.h>
#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace marigram::cli {

namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

arrow::TimeUnit::type arrow_unit(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSecond:
      return arrow::TimeUnit::SECOND;
    case TimeUnit::kMilli:
      return arrow::TimeUnit::MILLI;
    case TimeUnit::kMicro:
      return arrow::TimeUnit::MICRO;
    case TimeUnit::kNano:
      return arrow::TimeUnit::NANO;
  }
  return arrow::TimeUnit::MICRO;
}

Result<TypePtr> arrow_type(const ColumnInfo& column) {
  MARIGRAM_ASSIGN(const auto type, model::parse_type(column.type));
  return segment::to_arrow_type(type);
}

class Planner {
 public:
  Planner(const ColumnOptions& options, const TableShape& shape, const RowSource& source, std::string name)
      : options_(options), shape_(shape), source_(source), name_(std::move(name)) {}

  Result<ColumnPlan> plan();

 private:
  // A column of the file under its name in the table.
  struct Renamed {
    std::string name;
    const FileColumn* column;
  };

  std::unexpected<Error> refuse(std::string_view why) const {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot import {}: {}", name_, why));
  }
  bool is_tag(const std::string& name) const {
    return std::ranges::find(shape_.tags, name, &ColumnInfo::name) != shape_.tags.end();
  }
  Status rename_columns();
  Status check_option_names() const;
  Status follow_schema();
  Status adopt_columns();
  Result<TypePtr> adopted_type(const Renamed& column);
  Result<TypePtr> declared_type(const std::string& name) const;
  Result<TypePtr> time_type(const FileColumn& column) const;
  Result<TypePtr> guessed_type(const FileColumn& column);
  Status add_source(const std::shared_ptr<arrow::Field>& field, const std::string& file_name, const FileColumn* column);
  Status add_constant(const std::shared_ptr<arrow::Field>& field, const std::string& text);
  void add_nulls(const std::shared_ptr<arrow::Field>& field);
  Result<TypePtr> read_type(const arrow::Field& field, const FileColumn* column) const;
  std::string file_name_of(const std::string& table_name) const;

  const ColumnOptions& options_;
  const TableShape& shape_;
  const RowSource& source_;
  std::string name_;
  std::vector<Renamed> renamed_;
  ColumnPlan plan_;
};

Status Planner::check_option_names() const {
  const auto known = [this](const std::string& name) {
    return source_.open_ended() ||
           std::ranges::find(source_.columns(), name, &FileColumn::name) != source_.columns().end();
  };
  std::vector<std::string> names;
  for (const FileColumn& column : source_.columns()) names.push_back(column.name);
  const auto check = [&](const std::string& option, const std::string& name) -> Status {
    if (known(name)) return {};
    return refuse(fmt::format("{} names column \"{}\", which is not among its columns ({})", option, name,
                              fmt::join(names, ", ")));
  };
  for (const auto& [from, to] : options_.map) MARIGRAM_TRY(check("--map", from));
  for (const std::string& name : options_.drop) MARIGRAM_TRY(check("--drop", name));
  return {};
}

Status Planner::rename_columns() {
  std::set<std::string> taken;
  for (const auto& [name, value] : options_.set) {
    if (!taken.insert(name).second) return refuse(fmt::format("--set names column \"{}\" twice", name));
  }
  for (const FileColumn& column : source_.columns()) {
    if (std::ranges::find(options_.drop, column.name) != options_.drop.end()) {
      plan_.ignored.push_back(column.name);
      continue;
    }
    const auto mapped = std::ranges::find(options_.map, column.name, &std::pair<std::string, std::string>::first);
    const std::string name = mapped == options_.map.end() ? column.name : mapped->second;
    if (!taken.insert(name).second) {
      return refuse(fmt::format("column \"{}\" comes twice; rename one with --map or leave one out with --drop", name));
    }
    renamed_.push_back({name, &column});
  }
  // Keys that the first rows lack may still be dropped.
  for (const std::string& name : options_.drop) {
    if (std::ranges::find(plan_.ignored, name) == plan_.ignored.end()) plan_.ignored.push_back(name);
  }
  return {};
}

std::string Planner::file_name_of(const std::string& table_name) const {
  const auto mapped = std::ranges::find(options_.map, table_name, &std::pair<std::string, std::string>::second);
  return mapped == options_.map.end() ? table_name : mapped->first;
}

Status Planner::follow_schema() {
  for (const Renamed& column : renamed_) {
    if (shape_.schema->GetFieldIndex(column.name) >= 0) continue;
    return fail(
        ErrorCode::kSchemaMismatch,
        fmt::format("cannot import {0}: the table has no column \"{1}\"; leave it out with --drop {2}, rename it with "
                    "--map {2}=NAME, or add it with `marigram add-column`",
                    name_, column.name, column.column->name));
  }
  for (const auto& field : shape_.schema->fields()) {
    const std::string& name = field->name();
    const auto constant = std::ranges::find(options_.set, name, &std::pair<std::string, std::string>::first);
    const auto column = std::ranges::find(renamed_, name, &Renamed::name);
    if (constant != options_.set.end()) {
      MARIGRAM_TRY(add_constant(field, constant->second));
    } else if (column != renamed_.end()) {
      MARIGRAM_TRY(add_source(field, column->column->name, column->column));
    } else if (source_.open_ended()) {
      MARIGRAM_TRY(add_source(field, file_name_of(name), nullptr));
    } else if (name == shape_.time_column || (is_tag(name) && !shape_.growing) || !field->nullable()) {
      return fail(ErrorCode::kSchemaMismatch,
                  fmt::format("cannot import {}: it has no column \"{}\", which the table needs; rename one with --map "
                              "OLD={} or give every row a value with --set {}=VALUE",
                              name_, name, name, name));
    } else {
      add_nulls(field);
    }
  }
  for (const auto& [name, value] : options_.set) {
    if (shape_.schema->GetFieldIndex(name) < 0) {
      return fail(
          ErrorCode::kSchemaMismatch,
          fmt::format("cannot import {}: --set names column \"{}\", which the table does not have", name_, name));
    }
  }
  return {};
}

Status Planner::adopt_columns() {
  const auto field_of = [this](const std::string& name, const TypePtr& type) {
    return arrow::field(name, type, name != shape_.time_column && !is_tag(name));
  };
  std::set<std::string> present;
  for (const Renamed& column : renamed_) {
    MARIGRAM_ASSIGN(auto type, adopted_type(column));
    MARIGRAM_TRY(add_source(field_of(column.name, type), column.column->name, column.column));
    present.insert(column.name);
  }
  for (const auto& [name, value] : options_.set) {
    MARIGRAM_ASSIGN(auto type, declared_type(name));
    MARIGRAM_TRY(add_constant(field_of(name, type ? type : arrow::utf8()), value));
    present.insert(name);
  }
  for (const ColumnInfo& declared : options_.fields) {
    if (!present.insert(declared.name).second) continue;
    MARIGRAM_ASSIGN(auto type, arrow_type(declared));
    if (source_.open_ended()) {
      MARIGRAM_TRY(add_source(field_of(declared.name, type), file_name_of(declared.name), nullptr));
    } else {
      add_nulls(field_of(declared.name, type));
    }
  }
  std::vector<std::string> needed = names_of(shape_.tags);
  needed.insert(needed.begin(), shape_.time_column);
  for (const std::string& name : needed) {
    if (present.contains(name)) continue;
    return refuse(fmt::format(
        "it has no column \"{0}\", which the table needs; rename one with --map OLD={0} or give every row a "
        "value with --set {0}=VALUE",
        name));
  }
  return {};
}

// The type that was declared with --tag or --field; null if none was.
Result<TypePtr> Planner::declared_type(const std::string& name) const {
  for (const auto* declared : {&shape_.tags, &options_.fields}) {
    const auto found = std::ranges::find(*declared, name, &ColumnInfo::name);
    if (found != declared->end()) return arrow_type(*found);
  }
  return nullptr;
}

Result<TypePtr> Planner::adopted_type(const Renamed& column) {
  if (column.name == shape_.time_column) return time_type(*column.column);
  MARIGRAM_ASSIGN(TypePtr declared, declared_type(column.name));
  if (declared) return declared;
  return guessed_type(*column.column);
}

Result<TypePtr> Planner::time_type(const FileColumn& column) const {
  if (shape_.index_type == "int64") return arrow::int64();
  if (shape_.index_type == "uint64") return arrow::uint64();
  const bool stored = !source_.is_text() && column.type && column.type->id() == arrow::Type::TIMESTAMP;
  if (stored && (!shape_.unit || shape_.keeps_unit)) {
    const auto& type = static_cast<const arrow::TimestampType&>(*column.type);
    if (type.unit() != arrow::TimeUnit::SECOND) {
      return shape_.unit ? arrow::timestamp(type.unit(), shape_.timezone.value_or("")) : column.type;
    }
  }
  // Nanoseconds in, nanoseconds kept; whatever is coarser fits microseconds.
  TimeUnit unit = shape_.unit.value_or(TimeUnit::kMicro);
  if (!shape_.unit && options_.epoch_unit == TimeUnit::kNano) unit = TimeUnit::kNano;
  return arrow::timestamp(arrow_unit(unit), shape_.timezone.value_or(""));
}

Result<TypePtr> Planner::guessed_type(const FileColumn& column) {
  if (!column.type) {
    plan_.notes.push_back(
        fmt::format("column \"{0}\" has no value at the beginning of {1} and is taken as float64; say "
                    "--field {0}:TYPE if it is not",
                    column.name, name_));
    return arrow::float64();
  }
  if (column.type->id() == arrow::Type::TIMESTAMP) {
    const auto& type = static_cast<const arrow::TimestampType&>(*column.type);
    if (type.unit() == arrow::TimeUnit::SECOND) return arrow::timestamp(arrow::TimeUnit::MICRO, type.timezone());
  }
  if (!source_.is_text()) return column.type;
  switch (column.type->id()) {
    case arrow::Type::DATE32:
    case arrow::Type::TIME32:
      return arrow::utf8();
    case arrow::Type::BINARY:
      return refuse(fmt::format("column \"{}\" is not UTF-8 text", column.name));
    case arrow::Type::STRUCT:
    case arrow::Type::LIST:
      return refuse(fmt::format("column \"{0}\" holds {1}; want plain values, or leave it out with --drop {0}",
                                column.name, column.type->id() == arrow::Type::LIST ? "arrays" : "objects"));
    default:
      return column.type;
  }
}

Status Planner::add_source(const std::shared_ptr<arrow::Field>& field, const std::string& file_name,
                           const FileColumn* column) {
  PlannedColumn planned{.field = field,
                        .source = file_name,
                        .read_type = nullptr,
                        .constant = nullptr,
                        .is_time = field->name() == shape_.time_column,
                        .is_tag = is_tag(field->name()),
                        .may_lack = shape_.growing};
  MARIGRAM_ASSIGN(planned.read_type, read_type(*field, column));
  plan_.columns.push_back(std::move(planned));
  return {};
}

// Times are read as text and parsed by us: Arrow knows neither all zones nor all formats. JSON numbers cannot be read
// as text.
Result<TypePtr> Planner::read_type(const arrow::Field& field, const FileColumn* column) const {
  if (!source_.is_text() || field.type()->id() != arrow::Type::TIMESTAMP) return field.type();
  const bool numbers =
      source_.open_ended() && column != nullptr && column->type && arrow::is_numeric(column->type->id());
  if (!numbers) return arrow::utf8();
  if (field.name() == shape_.time_column && options_.epoch_unit) return column->type;
  return refuse(
      fmt::format("column \"{}\" holds numbers, want times; say --time-format epoch_s, epoch_ms, epoch_us or "
                  "epoch_ns for the time column",
                  column->name));
}

Status Planner::add_constant(const std::shared_ptr<arrow::Field>& field, const std::string& text) {
  auto scalar = arrow::Scalar::Parse(field->type(), text);
  if (field->type()->id() == arrow::Type::STRING) scalar = std::make_shared<arrow::StringScalar>(text);
  if (!scalar.ok()) {
    return refuse(fmt::format("--set {}={} is no {}", field->name(), text, type_name(*field->type())));
  }
  plan_.columns.push_back({.field = field,
                           .source = std::nullopt,
                           .read_type = nullptr,
                           .constant = *scalar,
                           .is_time = field->name() == shape_.time_column,
                           .is_tag = is_tag(field->name())});
  return {};
}

void Planner::add_nulls(const std::shared_ptr<arrow::Field>& field) {
  plan_.notes.push_back(fmt::format("{} has no column \"{}\"; its rows get null", name_, field->name()));
  plan_.columns.push_back({.field = field,
                           .source = std::nullopt,
                           .read_type = nullptr,
                           .constant = arrow::MakeNullScalar(field->type()),
                           .is_time = false,
                           .is_tag = false});
}

Result<ColumnPlan> Planner::plan() {
  MARIGRAM_TRY(check_option_names());
  MARIGRAM_TRY(rename_columns());
  MARIGRAM_TRY(shape_.schema ? follow_schema() : adopt_columns());
  return std::move(plan_);
}

}  // namespace

Result<ColumnPlan> plan_columns(const ColumnOptions& options, const TableShape& shape, const RowSource& source,
                                const std::string& name) {
  return Planner(options, shape, source, name).plan();
}

}  // namespace marigram::cli
