#include "log/storage_codec.h"

#include "base/interval_text.h"
#include "base/try.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace marigram::log {
namespace {

using Json = nlohmann::ordered_json;

/// In the order of SegmentFormat.
constexpr std::string_view kFormats[] = {"parquet", "native"};

/// The members of an object, each once.
template <typename Value, typename Read>
Result<std::map<std::string, Value>> map_in(json::Element element, std::string_view what, const Read& read) {
  simdjson::dom::object object;
  if (element.get(object) != simdjson::SUCCESS) {
    return json::bad(fmt::format("{} are wrong; got {}, want an object", what, json::show(element)));
  }
  std::map<std::string, Value> values;
  for (const auto [name, member] : object) {
    MARIGRAM_ASSIGN(Value value, read(member));
    if (!values.emplace(name, std::move(value)).second) return json::bad(fmt::format("{} have {} twice", what, name));
  }
  return values;
}

Result<model::SegmentRank> rank_in(json::Element element) {
  simdjson::dom::array pair;
  model::SegmentRank rank;
  if (element.get(pair) == simdjson::SUCCESS && pair.size() == 2 && pair.at(0).get(rank.rank) == simdjson::SUCCESS &&
      pair.at(1).get(rank.place) == simdjson::SUCCESS) {
    return rank;
  }
  return json::bad(fmt::format("a rank is wrong; got {}, want [rank,place]", json::show(element)));
}

}  // namespace

std::string_view format_name(SegmentFormat format) {
  return kFormats[static_cast<std::size_t>(format)];
}

Result<SegmentFormat> format_in(const json::Slot& slot) {
  MARIGRAM_ASSIGN(const std::string_view text, json::text(slot));
  const auto* found = std::ranges::find(kFormats, text);
  if (found != std::end(kFormats)) return static_cast<SegmentFormat>(found - std::begin(kFormats));
  return json::bad(
      fmt::format("member \"{}\" is wrong; got \"{}\", want {}", slot.name, text, fmt::join(kFormats, " or ")));
}

Json ranks_out(const std::map<std::string, model::SegmentRank>& ranks) {
  Json out = Json::object();
  for (const auto& [path, rank] : ranks) out[path] = {rank.rank, rank.place};
  return out;
}

Result<std::map<std::string, model::SegmentRank>> ranks_in(const json::Slot& slot) {
  if (!json::given(slot)) return std::map<std::string, model::SegmentRank>();
  return map_in<model::SegmentRank>(*slot.value, "ranks", rank_in);
}

Json tiers_out(const model::Tiers& tiers) {
  Json out = Json::object();
  if (tiers.cold_after) out["cold_after"] = format_interval(*tiers.cold_after);
  out["cold_segments"] = format_name(tiers.cold_segments);
  out["cold_compression"] = tiers.cold_compression;
  if (!tiers.cold_root.empty()) out["cold_root"] = tiers.cold_root;
  return out;
}

Result<model::Tiers> tiers_in(json::Element element) {
  std::array slots{json::Slot{"cold_after"}, json::Slot{"cold_segments"}, json::Slot{"cold_compression"},
                   json::Slot{"cold_root"}};
  MARIGRAM_TRY(json::read_members(element, "the tiers", slots, json::Unknown::kRefuse));
  model::Tiers tiers;
  MARIGRAM_ASSIGN(const auto after, json::optional_text(slots[0]));
  if (after) {
    const auto interval = parse_interval(*after, false);
    if (!interval) return json::bad(interval.error().message);
    tiers.cold_after = *interval;
  }
  MARIGRAM_ASSIGN(tiers.cold_segments, format_in(slots[1]));
  MARIGRAM_ASSIGN(tiers.cold_compression, json::text(slots[2]));
  MARIGRAM_ASSIGN(const auto root, json::optional_text(slots[3]));
  tiers.cold_root = root.value_or("");
  return tiers;
}

Result<std::map<std::string, std::uint64_t>> version_names_in(json::Element element) {
  return map_in<std::uint64_t>(element, "names of versions", [](json::Element member) -> Result<std::uint64_t> {
    std::uint64_t version = 0;
    if (member.get(version) == simdjson::SUCCESS && version > 0) return version;
    return json::bad(fmt::format("the version of a name is wrong; got {}", json::show(member)));
  });
}

}  // namespace marigram::log
