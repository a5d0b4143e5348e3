#include "model/row_limits.h"

#include "base/try.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include <fmt/format.h>

namespace marigram::model {
namespace {

using Names = std::unordered_set<std::string_view>;

/// The beginning of a text that may be long or no text at all, for messages.
std::string shown(std::string_view text) {
  constexpr std::size_t kShown = 40;
  return fmt::format("{:?}{}", text.substr(0, kShown), text.size() > kShown ? "..." : "");
}

std::unexpected<Error> refuse(std::string_view table, std::string_view what, std::string_view cause) {
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot write to table {}: {} {}", shown(table), what, cause));
}

/// What is wrong with a text; unset: nothing. Most are fine, so nothing is put into words before that is known.
using Fault = std::optional<std::string>;

Fault fault_of_string(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return fmt::format("is too long; got {} bytes, want at most {}", text.size(), bytes_max);
  }
  if (!simdjson::validate_utf8(text.data(), text.size())) return "is no valid UTF-8";
  return std::nullopt;
}

Fault fault_of_text(std::string_view text, std::size_t bytes_max) {
  if (text.contains('\0')) return "holds a NUL byte";
  return fault_of_string(text, bytes_max);
}

Fault fault_of_name(std::string_view name, std::string_view time_column) {
  if (name.empty()) return "has an empty name";
  if (name == time_column) return "has the name of the time column; choose another name";
  if (name.starts_with(kReservedPrefix)) {
    return fmt::format("begins with \"{}\", which is reserved; choose another name", kReservedPrefix);
  }
  return fault_of_text(name, kColumnNameBytesMax);
}

Status check_name(const TableRows& rows, std::string_view kind, std::string_view name, std::string_view time_column) {
  const Fault fault = fault_of_name(name, time_column);
  return fault ? refuse(rows.table, fmt::format("{} {}", kind, shown(name)), *fault) : Status();
}

Status check_series(const TableRows& rows, const Tags& series, std::string_view time_column, Names& tags) {
  if (series.size() > kSeriesTagsMax) {
    return refuse(rows.table, "a series",
                  fmt::format("has too many tags; got {}, want at most {}", series.size(), kSeriesTagsMax));
  }
  for (const Tag& tag : series) {
    if (!tags.contains(tag.name)) {
      MARIGRAM_TRY(check_name(rows, "tag", tag.name, time_column));
      tags.insert(tag.name);
    }
    MARIGRAM_TRY(check_tag_value(rows.table, tag.name, tag.value));
  }
  return {};
}

}  // namespace

Status check_tag_value(std::string_view table, std::string_view tag, std::string_view value) {
  const Fault fault = fault_of_text(value, kTagValueBytesMax);
  return fault ? refuse(table, fmt::format("the value {} of tag {}", shown(value), shown(tag)), *fault) : Status();
}

Status check_string(std::string_view table, std::string_view field, std::string_view value) {
  const Fault fault = fault_of_string(value, kStringBytesMax);
  return fault ? refuse(table, fmt::format("a value of field {}", shown(field)), *fault) : Status();
}

Status check_rows(const TableRows& rows, std::string_view time_column) {
  if (rows.table.empty()) return fail(ErrorCode::kInvalidInput, "cannot write rows: the table's name is empty");
  if (const Fault fault = fault_of_text(rows.table, kTableNameBytesMax)) return refuse(rows.table, "its name", *fault);
  if (rows.fields.size() > kTableFieldsMax) {
    return refuse(rows.table, "a batch",
                  fmt::format("has too many fields; got {}, want at most {}", rows.fields.size(), kTableFieldsMax));
  }
  Names tags;
  for (const Tags& series : rows.series) MARIGRAM_TRY(check_series(rows, series, time_column, tags));
  for (const FieldColumn& column : rows.fields) {
    MARIGRAM_TRY(check_name(rows, "field", column.name, time_column));
    if (tags.contains(column.name)) {
      return refuse(rows.table, fmt::format("field {}", shown(column.name)),
                    "is a tag too; choose another name for one");
    }
    for (const std::string& value : column.strings) MARIGRAM_TRY(check_string(rows.table, column.name, value));
  }
  return {};
}

}  // namespace marigram::model
