#include "segment/zola_format.h"

#include "base/civil_date.h"
#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace marigram::segment {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kBlanks = " \t\r\n\v\f";
constexpr std::size_t kNameBytesMax = 255 - std::string_view(kZolaSuffix).size();  // of a file's name

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::optional<ZolaColumn> parse_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view name = line.substr(0, colon);
  const std::string_view type = line.substr(colon + 1);
  if (!is_zola_name(name) || (type != "i64" && type != "f64")) return std::nullopt;
  return ZolaColumn{std::string(name), type == "i64" ? ValueKind::kInt64 : ValueKind::kFloat64};
}

/// `text`: digits.
unsigned number_of(std::string_view text) {
  unsigned number = 0;
  for (const char digit : text) number = number * 10 + static_cast<unsigned>(digit - '0');
  return number;
}

}  // namespace

Result<std::vector<ZolaColumn>> parse_zola_schema(std::string_view text, const std::string& doing) {
  std::vector<ZolaColumn> columns;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.starts_with('#')) continue;
    auto column = parse_line(line);
    if (!column) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("{}: line {} is \"{}\", want name:i64 or name:f64", doing, number, line.substr(0, 100)));
    }
    if (std::ranges::find(columns, column->name, &ZolaColumn::name) != columns.end()) {
      return fail(ErrorCode::kCorruption,
                  fmt::format("{}: line {} names column {} a second time", doing, number, column->name));
    }
    columns.push_back(*std::move(column));
  }
  return columns;
}

std::string format_zola_schema(std::span<const ZolaColumn> columns) {
  std::string text;
  for (const ZolaColumn& column : columns) {
    text += column.name + (column.kind == ValueKind::kFloat64 ? ":f64\n" : ":i64\n");
  }
  return text;
}

bool is_zola_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name == trimmed(name) && !name.starts_with('#') &&
         name.find_first_of(std::string_view(":/\n\0", 4)) == std::string_view::npos && name != kZolaTime &&
         name != kZolaSymbol;
}

std::optional<std::string> zola_date(std::int64_t day) {
  const CivilDate date = civil_from_days(day);
  if (date.year < 0 || date.year > 9'999) return std::nullopt;
  return fmt::format("{:04}.{:02}.{:02}", date.year, date.month, date.day);
}

bool looks_like_zola_date(std::string_view text) {
  constexpr std::string_view kForm = "0000.00.00";
  const auto fits = [](char form, char got) { return form == '.' ? got == '.' : got >= '0' && got <= '9'; };
  return text.size() == kForm.size() && std::ranges::equal(kForm, text, fits);
}

std::optional<std::int64_t> parse_zola_date(std::string_view text) {
  if (!looks_like_zola_date(text)) return std::nullopt;
  const CivilDate date{number_of(text.substr(0, 4)), number_of(text.substr(5, 2)), number_of(text.substr(8, 2))};
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > days_in_month(date.year, date.month)) {
    return std::nullopt;
  }
  return days_from_civil(date);
}

}  // namespace marigram::segment
