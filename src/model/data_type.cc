// The spelling of types, and which type may be appended to which.
#include "base/try.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace marigram::model {
namespace {

struct Spelling {
  std::string_view name;
  TypeId id;
};

// The first spelling of an id is the one that format_type writes.
constexpr Spelling kSpellings[] = {
    {"bool", TypeId::kBool},       {"boolean", TypeId::kBool},    {"int32", TypeId::kInt32},
    {"int", TypeId::kInt32},       {"int64", TypeId::kInt64},     {"long", TypeId::kInt64},
    {"uint64", TypeId::kUInt64},   {"float32", TypeId::kFloat32}, {"float", TypeId::kFloat32},
    {"float64", TypeId::kFloat64}, {"double", TypeId::kFloat64},  {"string", TypeId::kUtf8},
    {"utf8", TypeId::kUtf8},       {"text", TypeId::kUtf8},       {"binary", TypeId::kBinary},
};

constexpr std::string_view kWanted =
    "want bool, int32, int64, uint64, float32, float64, string, binary, fixed_binary[bytes], "
    "timestamp[ms|us|ns], timestamp[ms|us|ns,zone] or decimal(precision,scale)";

std::unexpected<Error> cannot_parse(std::string_view text, std::string_view cause) {
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot read column type: {}; got `{}`, {}", cause, text, kWanted));
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// `name[a,b]` or `name(a,b)` in parts; no brackets: no arguments.
struct Parts {
  std::string name;  // lower-case
  std::vector<std::string_view> arguments;
};

std::optional<Parts> split(std::string_view text) {
  const std::size_t open = text.find_first_of("[(");
  Parts parts{.name = lower(trim(text.substr(0, open))), .arguments = {}};
  if (open == std::string_view::npos) return parts;
  if (text.back() != (text[open] == '[' ? ']' : ')')) return std::nullopt;
  std::string_view rest = text.substr(open + 1, text.size() - open - 2);
  while (true) {
    const std::size_t comma = rest.find(',');
    parts.arguments.push_back(trim(rest.substr(0, comma)));
    if (comma == std::string_view::npos) return parts;
    rest.remove_prefix(comma + 1);
  }
}

std::optional<std::int32_t> parse_number(std::string_view digits) {
  std::int32_t value = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (code != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

Result<DataType> parse_timestamp(std::string_view text, const std::vector<std::string_view>& arguments) {
  if (arguments.empty() || arguments.size() > 2) return cannot_parse(text, "a timestamp needs a unit");
  const auto unit = parse_time_unit(lower(arguments[0]));
  if (!unit) return cannot_parse(text, "the timestamp has an unknown unit");
  if (*unit == TimeUnit::kSecond) return cannot_parse(text, "Parquet cannot store timestamps in seconds");
  DataType type{.id = TypeId::kTimestamp, .unit = *unit};
  if (arguments.size() == 2) {
    if (arguments[1].empty()) return cannot_parse(text, "the timestamp's zone is empty");
    type.timezone = std::string(arguments[1]);
  }
  return type;
}

Result<DataType> parse_decimal(std::string_view text, const std::vector<std::string_view>& arguments) {
  if (arguments.size() != 2) return cannot_parse(text, "a decimal needs a precision and a scale");
  const auto precision = parse_number(arguments[0]);
  const auto scale = parse_number(arguments[1]);
  if (!precision || !scale || *precision < 1 || *precision > 76 || *scale < 0 || *scale > *precision) {
    return cannot_parse(text, "a decimal's precision lies in 1..76 and its scale in 0..precision");
  }
  return DataType{.id = TypeId::kDecimal, .precision = *precision, .scale = *scale};
}

Result<DataType> parse_fixed_binary(std::string_view text, const std::vector<std::string_view>& arguments) {
  const auto width = arguments.size() == 1 ? parse_number(arguments[0]) : std::nullopt;
  if (!width || *width < 1) return cannot_parse(text, "a fixed binary needs a width of at least 1 byte");
  return DataType{.id = TypeId::kFixedBinary, .byte_width = *width};
}

std::string format_columns(const std::vector<Column>& columns) {
  std::string text;
  for (const Column& column : columns) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", column.name, format_type(column.type));
  }
  return text;
}

std::string format_map(const DataType& type) {
  std::string text;
  for (const Column& column : type.children) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", format_type(column.type));
  }
  return fmt::format("map<{}>", text);
}

std::string format_simple(TypeId id) {
  const auto* spelling = std::ranges::find(kSpellings, id, &Spelling::id);
  return std::string(spelling->name);
}

enum class Zones { kCompared, kFree };

/// Equal but for annotations, and for names that only Arrow and Parquet give: those of a list's element (`item`,
/// `element`) and of a map's key and value.
bool same_type(const DataType& a, const DataType& b, Zones zones) {
  if (a.id != b.id || a.byte_width != b.byte_width || a.unit != b.unit || a.precision != b.precision ||
      a.scale != b.scale || a.keys_sorted != b.keys_sorted || a.other_name != b.other_name ||
      (zones == Zones::kCompared && a.timezone != b.timezone)) {
    return false;
  }
  return std::ranges::equal(a.children, b.children, [&](const Column& left, const Column& right) {
    const bool same_name = a.id != TypeId::kStruct || left.name == right.name;
    return same_name && left.nullable == right.nullable && same_type(left.type, right.type, zones);
  });
}

/// Arrow's small integers are no types of a table; batches bring them as TypeId::kOther under Arrow's name.
bool is_other(const DataType& type, std::string_view a, std::string_view b, std::string_view c = {}) {
  return type.id == TypeId::kOther &&
         (type.other_name == a || type.other_name == b || (!c.empty() && type.other_name == c));
}

}  // namespace

std::string format_type(const DataType& type) {
  switch (type.id) {
    case TypeId::kFixedBinary:
      return fmt::format("fixed_binary[{}]", type.byte_width);
    case TypeId::kInt96:
      return "int96";
    case TypeId::kTimestamp:
      return type.timezone ? fmt::format("timestamp[{},{}]", time_unit_name(type.unit), *type.timezone)
                           : fmt::format("timestamp[{}]", time_unit_name(type.unit));
    case TypeId::kDecimal:
      return fmt::format("decimal({},{})", type.precision, type.scale);
    case TypeId::kStruct:
      return fmt::format("struct<{}>", format_columns(type.children));
    case TypeId::kList:
      return fmt::format("list<{}>", type.children.empty() ? "" : format_type(type.children.front().type));
    case TypeId::kMap:
      return format_map(type);
    case TypeId::kOther:
      return type.other_name;
    default:
      return format_simple(type.id);
  }
}

Result<DataType> parse_type(std::string_view text) {
  const std::string_view trimmed = trim(text);
  const auto parts = split(trimmed);
  if (!parts) return cannot_parse(text, "the bracket is not closed");
  if (parts->name == "timestamp") return parse_timestamp(text, parts->arguments);
  if (parts->name == "decimal") return parse_decimal(text, parts->arguments);
  if (parts->name == "fixed_binary") return parse_fixed_binary(text, parts->arguments);
  const auto* spelling = std::ranges::find(kSpellings, std::string_view(parts->name), &Spelling::name);
  if (spelling == std::end(kSpellings)) return cannot_parse(text, "there is no such type");
  if (!parts->arguments.empty()) return cannot_parse(text, "the type takes no arguments");
  return DataType{.id = spelling->id};
}

bool same_values(const DataType& a, const DataType& b) {
  return same_type(a, b, Zones::kFree);
}

bool can_widen(const DataType& from, const DataType& to) {
  if (same_type(from, to, Zones::kCompared)) return true;
  switch (to.id) {
    case TypeId::kInt32:
      return is_other(from, "int8", "int16");
    case TypeId::kInt64:
      return from.id == TypeId::kInt32 || is_other(from, "int8", "int16");
    case TypeId::kUInt64:
      return is_other(from, "uint8", "uint16", "uint32");
    case TypeId::kFloat64:
      return from.id == TypeId::kFloat32;
    default:
      return false;
  }
}

}  // namespace marigram::model
