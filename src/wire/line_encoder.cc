// Rows as lines of the line protocol.
#include "base/try.h"
#include "wire/line_protocol.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <fmt/format.h>

namespace marigram::wire {
namespace {

std::unexpected<Error> cannot(std::string_view table, std::string_view cause) {
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot write a row of table {:?} as line protocol: {}", table, cause));
}

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

/// Appends a name or a tag's value with a backslash before each of `specials`.
Status put_name(std::string& line, std::string_view table, std::string_view text, std::string_view specials) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (text.empty()) return cannot(table, "a name or a tag's value is empty");
  if (text.ends_with('\\')) return cannot(table, fmt::format("{:?} ends with a backslash", text));
  if (std::ranges::any_of(text, is_control)) return cannot(table, fmt::format("{:?} has a control character", text));
  if (!is_utf8(text)) return cannot(table, fmt::format("{:?} is no valid UTF-8", text));
  for (const char c : text) {
    if (specials.contains(c)) line.push_back('\\');
    line.push_back(c);
  }
  return {};
}

Status put_string(std::string& line, std::string_view table, std::string_view text) {
  if (!is_utf8(text)) return cannot(table, fmt::format("the string {:?} is no valid UTF-8", beginning(text, 60)));
  line.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') line.push_back('\\');
    line.push_back(c);
  }
  line.push_back('"');
  return {};
}

Status put_value(std::string& line, std::string_view table, const model::Field& field) {
  const auto out = std::back_inserter(line);
  if (const auto* number = std::get_if<double>(&field.value)) {
    if (!std::isfinite(*number)) return cannot(table, fmt::format("field {:?} is {}", field.name, *number));
    fmt::format_to(out, "{}", *number);
  } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
    fmt::format_to(out, "{}i", *integer);
  } else if (const auto* natural = std::get_if<std::uint64_t>(&field.value)) {
    fmt::format_to(out, "{}u", *natural);
  } else if (const auto* truth = std::get_if<bool>(&field.value)) {
    fmt::format_to(out, "{}", *truth);
  } else {
    return put_string(line, table, std::get<std::string>(field.value));
  }
  return {};
}

}  // namespace

Result<std::string> to_line(std::string_view table, std::span<const Tag> tags, std::span<const model::Field> fields,
                            std::optional<std::int64_t> time) {
  constexpr std::string_view kInTable = ", ";
  constexpr std::string_view kInName = ",= ";
  std::string line;
  if (table.starts_with('#')) return cannot(table, "a line that begins with # is a comment");
  MARIGRAM_TRY(put_name(line, table, table, kInTable));
  for (const Tag& tag : tags) {
    line.push_back(',');
    MARIGRAM_TRY(put_name(line, table, tag.name, kInName));
    line.push_back('=');
    MARIGRAM_TRY(put_name(line, table, tag.value, kInName));
  }
  char before = ' ';
  for (const model::Field& field : fields) {
    if (std::holds_alternative<std::monostate>(field.value)) continue;
    line.push_back(before);
    before = ',';
    MARIGRAM_TRY(put_name(line, table, field.name, kInName));
    line.push_back('=');
    MARIGRAM_TRY(put_value(line, table, field));
  }
  if (before == ' ') return cannot(table, "it has no field");
  if (time) fmt::format_to(std::back_inserter(line), " {}", *time);
  return line;
}

}  // namespace marigram::wire
