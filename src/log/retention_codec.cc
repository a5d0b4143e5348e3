#include "log/retention_codec.h"

#include "base/interval_text.h"
#include "base/try.h"
#include "log/tombstone_codec.h"

#include <array>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

namespace marigram::log {
namespace {

using Json = nlohmann::ordered_json;

Result<model::RetentionClass> class_in(json::Element element) {
  std::array slots{json::Slot{"where"}, json::Slot{"keep"}, json::Slot{"horizons"}};
  MARIGRAM_TRY(json::read_members(element, "a class of series", slots, json::Unknown::kRefuse));
  model::RetentionClass own;
  MARIGRAM_ASSIGN(own.where, predicates_in(slots[0]));
  MARIGRAM_ASSIGN(const auto keep, json::text_map(slots[1]));
  for (const auto& [name, text] : keep) {
    const auto interval = parse_interval(text, false);
    if (!interval) return json::bad(interval.error().message);
    own.keep.emplace(name, *interval);
  }
  MARIGRAM_ASSIGN(const auto horizons, json::text_map(slots[2]));
  for (const auto& [name, text] : horizons) {
    const auto time = parse_rfc3339(text);
    if (!time) return json::bad(time.error().message);
    own.horizons.emplace(name, *time);
  }
  return own;
}

}  // namespace

Json retention_out(const model::Retention& retention) {
  Json out = Json::array();
  for (const model::RetentionClass& own : retention) {
    Json one = Json::object();
    if (!own.where.empty()) one["where"] = predicates_out(own.where);
    for (const auto& [name, interval] : own.keep) one["keep"][name] = format_interval(interval);
    for (const auto& [name, time] : own.horizons) one["horizons"][name] = format_rfc3339(time);
    out.push_back(std::move(one));
  }
  return out;
}

Result<model::Retention> retention_in(const json::Slot& slot) {
  model::Retention retention;
  MARIGRAM_ASSIGN(const auto elements, json::array(slot));
  for (const json::Element element : elements) {
    MARIGRAM_ASSIGN(model::RetentionClass own, class_in(element));
    retention.push_back(std::move(own));
  }
  return retention;
}

}  // namespace marigram::log
