#include "model/schema.h"

#include "base/try.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace marigram::model {
namespace {

// Schemas come from files too: nesting deeper than this is refused before it can exhaust the stack.
constexpr int kDepthMax = 64;

bool column_has_metadata(const Column& column) {
  return !column.metadata.empty() || !column.type.entries_metadata.empty() ||
         !column.type.null_value_metadata.empty() || std::ranges::any_of(column.type.children, column_has_metadata);
}

std::unexpected<Error> bad_type(std::string_view path, std::string_view cause, const std::string& got) {
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot use schema: column `{}` {}; got {}", path, cause, got));
}

bool is_blank(std::string_view name) {
  return name.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Status check_name(std::string_view parent, std::string_view name) {
  if (is_blank(name)) {
    return fail(ErrorCode::kInvalidInput,
                parent.empty() ? "cannot use schema: a column has no name; want a name for every column"
                               : fmt::format("cannot use schema: a field of column `{}` has no name", parent));
  }
  const std::size_t nul = name.find('\0');
  if (nul == std::string_view::npos) return {};
  return fail(
      ErrorCode::kInvalidInput,
      fmt::format("cannot use schema: a column's name holds a NUL byte; got `{}` and more", name.substr(0, nul)));
}

Status check_type(const DataType& type, const std::string& path, int depth);

Status check_columns(const std::vector<Column>& columns, const std::string& parent, int depth) {
  std::set<std::string_view> seen;
  for (const Column& column : columns) {
    MARIGRAM_TRY(check_name(parent, column.name));
    const std::string path = parent.empty() ? column.name : fmt::format("{}.{}", parent, column.name);
    if (!seen.insert(column.name).second) {
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot use schema: column `{}` appears twice; want distinct names", path));
    }
    MARIGRAM_TRY(check_type(column.type, path, depth));
  }
  return {};
}

Status check_decimal(const DataType& type, const std::string& path) {
  if (type.precision >= 1 && type.precision <= 76 && type.scale >= 0 && type.scale <= type.precision) return {};
  return bad_type(path, "needs a precision in 1..76 and a scale in 0..precision", format_type(type));
}

Status check_map(const DataType& type, const std::string& path, int depth) {
  if (type.children.empty() || type.children.size() > 2) {
    return bad_type(path, "is a map, which has a key and at most one value",
                    fmt::format("{} children", type.children.size()));
  }
  if (type.children.front().nullable) return bad_type(path, "is a map with nullable keys", format_type(type));
  if (type.children.size() == 2 && !type.null_value_metadata.empty()) {
    return bad_type(path, "is a map with values and yet with annotations for an absent value", format_type(type));
  }
  MARIGRAM_TRY(check_type(type.children.front().type, path + ".key", depth));
  return type.children.size() == 2 ? check_type(type.children.back().type, path + ".value", depth) : Status{};
}

Status check_nested(const DataType& type, const std::string& path, int depth) {
  if (depth >= kDepthMax) {
    return bad_type(path.substr(0, path.find('.')), "is nested too deeply",
                    fmt::format("more than {} levels", kDepthMax));
  }
  if (type.id == TypeId::kMap) return check_map(type, path, depth + 1);
  if (type.id == TypeId::kList && type.children.size() != 1) {
    return bad_type(path, "is a list, which has one element type", fmt::format("{}", type.children.size()));
  }
  if (type.children.empty()) return bad_type(path, "is a struct without fields", "0 fields");
  return check_columns(type.children, path, depth + 1);
}

Status check_type(const DataType& type, const std::string& path, int depth) {
  switch (type.id) {
    case TypeId::kFixedBinary:
      if (type.byte_width >= 1) return {};
      return bad_type(path, "needs a width of at least 1 byte", format_type(type));
    case TypeId::kTimestamp:
      if (type.unit != TimeUnit::kSecond) return {};
      return bad_type(path, "has a unit that Parquet cannot store, want ms, us or ns", format_type(type));
    case TypeId::kDecimal:
      return check_decimal(type, path);
    case TypeId::kInt96:
    case TypeId::kOther:
      return bad_type(path,
                      "has a type that no table can store, want bool, int32, int64, uint64, float32, float64, string, "
                      "binary, fixed_binary, timestamp, decimal, struct, list or map",
                      format_type(type));
    case TypeId::kStruct:
    case TypeId::kList:
    case TypeId::kMap:
      return check_nested(type, path, depth);
    default:
      return {};
  }
}

}  // namespace

const Column* Schema::find(std::string_view name) const {
  const auto found = std::ranges::find(columns, name, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

bool Schema::has_metadata() const {
  return !metadata.empty() || std::ranges::any_of(columns, column_has_metadata);
}

ColumnInfo to_info(const Column& column) {
  return {.name = column.name, .type = format_type(column.type), .nullable = column.nullable};
}

Result<Column> from_info(const ColumnInfo& info) {
  auto type = parse_type(info.type);
  if (!type) {
    return fail(type.error().code, fmt::format("cannot use column `{}`: {}", info.name, type.error().message));
  }
  return Column{.name = info.name, .type = *std::move(type), .nullable = info.nullable, .metadata = {}};
}

Status validate_schema(const Schema& schema) {
  return check_columns(schema.columns, "", 0);
}

}  // namespace marigram::model
