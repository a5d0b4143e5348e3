#include "wire/json_rows.h"

#include "base/try.h"

#include <simdjson.h>

#include <marigram/time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace marigram::wire {
namespace {

namespace json = log::json;
using simdjson::dom::element_type;

std::unexpected<Error> wrong(std::string_view member, json::Element value, std::string_view want) {
  return fail(ErrorCode::kInvalidInput, fmt::format("{} is wrong; got {}, want {}", member, json::show(value), want));
}

Result<simdjson::dom::object> object_of(const json::Slot& slot, std::string_view want) {
  MARIGRAM_ASSIGN(const json::Element value, json::any(slot));
  simdjson::dom::object object;
  if (value.get(object) != simdjson::SUCCESS) return wrong(fmt::format("member \"{}\"", slot.name), value, want);
  return object;
}

Result<std::int64_t> time_of(const json::Slot& slot, TimeUnit unit) {
  MARIGRAM_ASSIGN(const json::Element value, json::any(slot));
  std::int64_t units = 0;
  if (value.get(units) == simdjson::SUCCESS) return units;
  if (!value.is_string()) {
    return wrong("member \"time\"", value,
                 fmt::format("a time as RFC 3339, or an integer in {}", time_unit_name(unit)));
  }
  MARIGRAM_ASSIGN(const Instant instant, json::instant(slot));
  return to_units_exact(instant, unit);
}

Result<model::FieldValue> value_of(std::string_view name, json::Element value) {
  switch (value.type()) {
    case element_type::INT64:
      return std::int64_t{value.get_int64().value_unsafe()};
    case element_type::UINT64:
      return std::uint64_t{value.get_uint64().value_unsafe()};
    case element_type::DOUBLE:
      return double{value.get_double().value_unsafe()};
    case element_type::BOOL:
      return bool{value.get_bool().value_unsafe()};
    case element_type::STRING:
      return std::string(value.get_string().value_unsafe());
    case element_type::NULL_VALUE:
      return model::FieldValue();
    default:
      return wrong(fmt::format("field \"{}\"", name), value, "a number, a string, true, false or null");
  }
}

}  // namespace

std::size_t JsonParser::find_end(std::string_view text, std::size_t seen) {
  return text.find('\n', seen);  // JSON has no newline in strings
}

void JsonParser::parse(std::string_view line) {
  if (line.find_first_not_of(" \t") == std::string_view::npos) return;
  if (auto row = parse_row(line); !row) refuse(std::move(row.error().message));
}

Status JsonParser::parse_row(std::string_view line) {
  padded_.assign(line);
  padded_.append(simdjson::SIMDJSON_PADDING, '\0');
  MARIGRAM_ASSIGN(const json::Element row, json_.parse_padded({padded_.data(), line.size()}));
  std::array slots{json::Slot{"table"}, json::Slot{"tags"}, json::Slot{"time"}, json::Slot{"fields"}};
  const auto& [table, tags, time, fields] = slots;
  MARIGRAM_TRY(json::read_members(row, "the row", slots, json::Unknown::kRefuse));
  MARIGRAM_ASSIGN(const std::string_view name, json::text(table));
  if (name.empty()) return fail(ErrorCode::kInvalidInput, "member \"table\" is empty");
  MARIGRAM_TRY(parse_tags(tags));
  MARIGRAM_ASSIGN(const std::int64_t units, time_of(time, options().unit));
  MARIGRAM_TRY(parse_fields(fields));
  add(name, tags_, units, fields_);
  return {};
}

Status JsonParser::parse_tags(const json::Slot& slot) {
  tags_.clear();
  if (!slot.value) return {};
  MARIGRAM_ASSIGN(const auto object, object_of(slot, "an object of strings"));
  tags_.reserve(object.size());
  for (const auto member : object) {
    std::string_view value;
    if (member.value.get(value) != simdjson::SUCCESS) {
      return wrong(fmt::format("tag \"{}\"", member.key), member.value, "a string");
    }
    tags_.push_back({.name = std::string(member.key), .value = std::string(value)});
  }
  return {};
}

Status JsonParser::parse_fields(const json::Slot& slot) {
  fields_.clear();
  MARIGRAM_ASSIGN(const auto object, object_of(slot, "an object of values"));
  if (object.size() == 0) return fail(ErrorCode::kInvalidInput, "member \"fields\" is empty; want at least one field");
  fields_.reserve(object.size());
  for (const auto member : object) {
    MARIGRAM_ASSIGN(auto value, value_of(member.key, member.value));
    fields_.push_back({.name = member.key, .value = std::move(value)});
  }
  return {};
}

}  // namespace marigram::wire
