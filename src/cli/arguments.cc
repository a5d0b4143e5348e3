#include "cli/arguments.h"

#include "base/try.h"
#include "cli/context.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

template <typename Integer>
std::optional<Integer> parse_integer(std::string_view text) {
  Integer value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_float(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A value of that type, as users name types; unset if the text is none.
std::optional<Value> parse_value(const std::string& text, const std::string& type) {
  if (type == "string") return text;
  if (type == "bool") return text == "true" || text == "false" ? std::optional<Value>(text == "true") : std::nullopt;
  if (const auto value = parse_integer<std::int64_t>(text)) return *value;
  if (const auto value = parse_integer<std::uint64_t>(text)) return *value;
  if (const auto value = parse_float(text)) return *value;
  return std::nullopt;
}

/// A field, what is between, and the rest; `where` the comparison begins.
std::pair<Comparison, std::size_t> comparison_at(const std::string& text, std::size_t where) {
  const bool or_equal = where + 1 < text.size() && text[where + 1] == '=';
  switch (text[where]) {
    case '!':
      return {Comparison::kNotEqual, or_equal ? 2 : 0};
    case '<':
      return {or_equal ? Comparison::kLessOrEqual : Comparison::kLess, or_equal ? 2 : 1};
    case '>':
      return {or_equal ? Comparison::kGreaterOrEqual : Comparison::kGreater, or_equal ? 2 : 1};
    default:
      return {Comparison::kEqual, 1};
  }
}

}  // namespace

Result<std::pair<std::string, std::string>> parse_pair(Context& context, std::string_view option,
                                                       const std::string& text, bool empty_value) {
  const std::size_t cut = text.find('=');
  if (cut == std::string::npos || cut == 0 || (!empty_value && cut + 1 == text.size())) {
    return context.usage(fmt::format("cannot read {}: got \"{}\", want NAME=VALUE", option, text));
  }
  return std::pair(text.substr(0, cut), text.substr(cut + 1));
}

Result<std::vector<std::pair<std::string, std::string>>> parse_pairs(Context& context, std::string_view option,
                                                                     const std::vector<std::string>& texts,
                                                                     bool empty_value) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& text : texts) {
    MARIGRAM_ASSIGN(auto pair, parse_pair(context, option, text, empty_value));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

Result<std::vector<TagPredicate>> parse_where(Context& context, const std::vector<std::string>& texts) {
  std::vector<TagPredicate> where;
  for (const std::string& text : texts) {
    MARIGRAM_ASSIGN(auto pair, parse_pair(context, "--where", text, true));
    auto found = std::ranges::find(where, pair.first, &TagPredicate::column);
    if (found == where.end()) found = where.insert(where.end(), {.column = pair.first, .values = {}});
    found->values.push_back(std::move(pair.second));
  }
  return where;
}

Result<std::vector<FieldCondition>> parse_field_conditions(Context& context, const std::vector<std::string>& texts,
                                                           const TableInfo& info) {
  std::vector<FieldCondition> conditions;
  for (const std::string& text : texts) {
    const std::size_t at = text.find_first_of("=!<>");
    const auto [comparison, length] =
        at == std::string::npos ? std::pair(Comparison::kEqual, std::size_t{0}) : comparison_at(text, at);
    if (at == 0 || length == 0) {
      return context.usage(
          fmt::format("cannot read --if: got \"{}\", want FIELD=VALUE, or !=, <, <=, > or >= in its place", text));
    }
    FieldCondition condition{.field = text.substr(0, at), .comparison = comparison};
    const auto field = std::ranges::find(info.fields, condition.field, &ColumnInfo::name);
    if (field == info.fields.end()) {
      return context.usage(fmt::format("cannot read --if \"{}\": the table has no field {}", text, condition.field));
    }
    const auto value = parse_value(text.substr(at + length), field->type);
    if (!value) {
      return context.usage(
          fmt::format("cannot read --if \"{}\": field {} is of type {}", text, condition.field, field->type));
    }
    condition.value = *value;
    conditions.push_back(std::move(condition));
  }
  return conditions;
}

Result<IndexValue> parse_index_value(Context& context, std::string_view option, const std::string& text,
                                     const TableInfo& info) {
  if (info.index_type == "int64") {
    if (const auto value = parse_integer<std::int64_t>(text)) return *value;
    return context.usage(fmt::format("cannot read {}: got \"{}\", want an integer, as column {} holds int64", option,
                                     text, info.time_column));
  }
  if (info.index_type == "uint64") {
    if (const auto value = parse_integer<std::uint64_t>(text)) return *value;
    return context.usage(fmt::format("cannot read {}: got \"{}\", want an integer >= 0, as column {} holds uint64",
                                     option, text, info.time_column));
  }
  auto instant = parse_rfc3339(text);
  if (instant) return *instant;
  return context.usage(fmt::format("cannot read {}: got \"{}\", want a time like 2013-01-31T06:00:00Z or a date ({})",
                                   option, text, instant.error().message));
}

Result<IndexRange> parse_range(Context& context, const std::string& from, const std::string& to,
                               const TableInfo& info) {
  IndexRange range;
  if (!from.empty()) {
    MARIGRAM_ASSIGN(range.from, parse_index_value(context, "--from", from, info));
  }
  if (!to.empty()) {
    MARIGRAM_ASSIGN(range.to, parse_index_value(context, "--to", to, info));
  }
  if (range.from && range.to && *range.from >= *range.to) {
    return context.usage(fmt::format("cannot use this range: --from {} is not before --to {}; the end is exclusive",
                                     format_index_value(*range.from), format_index_value(*range.to)));
  }
  return range;
}

Result<ColumnInfo> parse_column(Context& context, std::string_view option, const std::string& text) {
  std::string reason = "no colon";
  for (std::size_t cut = text.find(':'); cut != std::string::npos; cut = text.find(':', cut + 1)) {
    auto type = model::parse_type(text.substr(cut + 1));
    if (type && cut > 0) return ColumnInfo{.name = text.substr(0, cut), .type = model::format_type(*type)};
    reason = cut == 0 ? "no name" : type.error().message;
  }
  return context.usage(
      fmt::format("cannot read {}: got \"{}\", want NAME:TYPE, for example temp:float64 ({})", option, text, reason));
}

Result<ColumnInfo> parse_tag(Context& context, const std::string& text) {
  constexpr std::array<std::string_view, 4> kTypes = {"string", "int32", "int64", "uint64"};
  ColumnInfo tag{.name = text, .type = "string"};
  if (const std::size_t cut = text.rfind(':'); cut != std::string::npos) {
    tag.name = text.substr(0, cut);
    tag.type = text.substr(cut + 1);
  }
  if (tag.name.empty() || std::ranges::find(kTypes, tag.type) == kTypes.end()) {
    return context.usage(fmt::format(
        "cannot read --tag: got \"{}\", want NAME, NAME:string, NAME:int32, NAME:int64 or NAME:uint64", text));
  }
  return tag;
}

Result<OpenOptions> parse_at(Context& context, const std::string& text) {
  if (text.empty()) return OpenOptions{};
  if (std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    if (const auto version = parse_integer<std::uint64_t>(text)) return OpenOptions{.at = *version};
    return context.usage(fmt::format("cannot read \"{}\" as a version: it is too large", text));
  }
  if (const auto instant = parse_rfc3339(text)) return OpenOptions{.at = *instant};
  return OpenOptions{.at = text};
}

}  // namespace marigram::cli
