#include "model/row_limits.h"

#include "base/try.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
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

std::unexpected<Error> refuse(const TableRows& rows, std::string_view what, std::string_view cause) {
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot write to table {}: {} {}", shown(rows.table), what, cause));
}

Status check_length(const TableRows& rows, std::string_view what, std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return {};
  return refuse(rows, what, fmt::format("is too long; got {} bytes, want at most {}", text.size(), bytes_max));
}

Status check_utf8(const TableRows& rows, std::string_view what, std::string_view text) {
  if (simdjson::validate_utf8(text.data(), text.size())) return {};
  return refuse(rows, what, "is no valid UTF-8");
}

Status check_text(const TableRows& rows, std::string_view what, std::string_view text, std::size_t bytes_max) {
  MARIGRAM_TRY(check_length(rows, what, text, bytes_max));
  if (text.find('\0') != std::string_view::npos) return refuse(rows, what, "holds a NUL byte");
  return check_utf8(rows, what, text);
}

Status check_name(const TableRows& rows, std::string_view kind, std::string_view name, std::string_view time_column) {
  const std::string what = fmt::format("{} {}", kind, shown(name));
  if (name.empty()) return refuse(rows, what, "has an empty name");
  MARIGRAM_TRY(check_text(rows, what, name, kColumnNameBytesMax));
  if (name == time_column) return refuse(rows, what, "has the name of the time column; choose another name");
  if (name.starts_with(kReservedPrefix)) {
    return refuse(rows, what,
                  fmt::format("begins with \"{}\", which is reserved; choose another name", kReservedPrefix));
  }
  return {};
}

Status check_series(const TableRows& rows, const Tags& series, std::string_view time_column, Names& tags) {
  if (series.size() > kSeriesTagsMax) {
    return refuse(rows, "a series",
                  fmt::format("has too many tags; got {}, want at most {}", series.size(), kSeriesTagsMax));
  }
  for (const Tag& tag : series) {
    if (!tags.contains(tag.name)) {
      MARIGRAM_TRY(check_name(rows, "tag", tag.name, time_column));
      tags.insert(tag.name);
    }
    if (const auto fine = check_text(rows, "a tag's value", tag.value, kTagValueBytesMax); !fine) {
      return check_text(rows, fmt::format("the value {} of tag {}", shown(tag.value), shown(tag.name)), tag.value,
                        kTagValueBytesMax);
    }
  }
  return {};
}

Status check_strings(const TableRows& rows, const FieldColumn& column) {
  const std::string what = fmt::format("a value of field {}", shown(column.name));
  for (const std::string& value : column.strings) {
    MARIGRAM_TRY(check_length(rows, what, value, kStringBytesMax));
    MARIGRAM_TRY(check_utf8(rows, what, value));
  }
  return {};
}

}  // namespace

Status check_rows(const TableRows& rows, std::string_view time_column) {
  if (rows.table.empty()) return fail(ErrorCode::kInvalidInput, "cannot write rows: the table's name is empty");
  MARIGRAM_TRY(check_text(rows, "its name", rows.table, kTableNameBytesMax));
  if (rows.fields.size() > kTableFieldsMax) {
    return refuse(rows, "a batch",
                  fmt::format("has too many fields; got {}, want at most {}", rows.fields.size(), kTableFieldsMax));
  }
  Names tags;
  for (const Tags& series : rows.series) MARIGRAM_TRY(check_series(rows, series, time_column, tags));
  for (const FieldColumn& column : rows.fields) {
    MARIGRAM_TRY(check_name(rows, "field", column.name, time_column));
    if (tags.contains(column.name)) {
      return refuse(rows, fmt::format("field {}", shown(column.name)), "is a tag too; choose another name for one");
    }
    MARIGRAM_TRY(check_strings(rows, column));
  }
  return {};
}

}  // namespace marigram::model
