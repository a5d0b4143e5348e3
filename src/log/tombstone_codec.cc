#include "log/tombstone_codec.h"

#include "base/try.h"
#include "log/meta_codec.h"

#include <array>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

namespace marigram::log {
namespace {

using Json = nlohmann::ordered_json;

Json tombstone_out(const model::Tombstone& tombstone) {
  Json out;
  out["touched"] = tombstone.touched_path;
  if (tombstone.emptied_path) out["emptied"] = *tombstone.emptied_path;
  if (tombstone.points_path) out["points"] = *tombstone.points_path;
  out["rank"] = tombstone.rank;
  if (tombstone.from) out["from"] = value_out(*tombstone.from);
  if (tombstone.to) out["to"] = value_out(*tombstone.to);
  if (!tombstone.where.empty()) out["where"] = predicates_out(tombstone.where);
  for (const auto& others : tombstone.except) out["except"].push_back(predicates_out(others));
  return out;
}

Result<std::optional<std::string>> optional_path_in(const json::Slot& slot) {
  if (!json::given(slot)) return std::nullopt;
  return path_in(slot);
}

Result<std::optional<IndexValue>> optional_value_in(const json::Slot& slot) {
  if (!json::given(slot)) return std::nullopt;
  return value_in(slot);
}

Result<TagPredicate> predicate_in(json::Element element) {
  std::array slots{json::Slot{"tag"}, json::Slot{"values"}};
  MARIGRAM_TRY(json::read_members(element, "a condition on a tag", slots, json::Unknown::kRefuse));
  TagPredicate predicate;
  MARIGRAM_ASSIGN(predicate.column, json::text(slots[0]));
  MARIGRAM_ASSIGN(predicate.values, json::texts(slots[1]));
  return predicate;
}

Result<model::Tombstone> tombstone_in(json::Element element) {
  std::array slots{json::Slot{"touched"}, json::Slot{"emptied"}, json::Slot{"points"}, json::Slot{"rank"},
                   json::Slot{"from"},    json::Slot{"to"},      json::Slot{"where"},  json::Slot{"except"}};
  MARIGRAM_TRY(json::read_members(element, "a tombstone", slots, json::Unknown::kRefuse));
  model::Tombstone tombstone;
  MARIGRAM_ASSIGN(tombstone.touched_path, path_in(slots[0]));
  MARIGRAM_ASSIGN(tombstone.emptied_path, optional_path_in(slots[1]));
  MARIGRAM_ASSIGN(tombstone.points_path, optional_path_in(slots[2]));
  MARIGRAM_ASSIGN(tombstone.rank, json::u64(slots[3]));
  MARIGRAM_ASSIGN(tombstone.from, optional_value_in(slots[4]));
  MARIGRAM_ASSIGN(tombstone.to, optional_value_in(slots[5]));
  MARIGRAM_ASSIGN(tombstone.where, predicates_in(slots[6]));
  if (!json::given(slots[7])) return tombstone;
  MARIGRAM_ASSIGN(const auto except, json::array(slots[7]));
  for (const json::Element others : except) {
    MARIGRAM_ASSIGN(auto own, predicates_in({.name = "except", .value = others}));
    tombstone.except.push_back(std::move(own));
  }
  return tombstone;
}

}  // namespace

Json predicates_out(const std::vector<TagPredicate>& predicates) {
  Json out = Json::array();
  for (const TagPredicate& predicate : predicates) {
    out.push_back(Json{{"tag", predicate.column}, {"values", predicate.values}});
  }
  return out;
}

Result<std::vector<TagPredicate>> predicates_in(const json::Slot& slot) {
  std::vector<TagPredicate> predicates;
  if (!json::given(slot)) return predicates;
  MARIGRAM_ASSIGN(const auto elements, json::array(slot));
  for (const json::Element element : elements) {
    MARIGRAM_ASSIGN(TagPredicate own, predicate_in(element));
    predicates.push_back(std::move(own));
  }
  return predicates;
}

Json tombstones_out(const std::vector<model::Tombstone>& tombstones) {
  Json out = Json::array();
  for (const model::Tombstone& tombstone : tombstones) out.push_back(tombstone_out(tombstone));
  return out;
}

Result<std::vector<model::Tombstone>> tombstones_in(const json::Slot& slot) {
  std::vector<model::Tombstone> tombstones;
  if (!json::given(slot)) return tombstones;
  MARIGRAM_ASSIGN(const auto elements, json::array(slot));
  for (const json::Element element : elements) {
    MARIGRAM_ASSIGN(model::Tombstone tombstone, tombstone_in(element));
    tombstones.push_back(std::move(tombstone));
  }
  return tombstones;
}

}  // namespace marigram::log
