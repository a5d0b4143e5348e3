#include "log/level_codec.h"

#include "base/interval_text.h"
#include "base/try.h"
#include "log/action_codec.h"
#include "log/meta_codec.h"
#include "log/storage_codec.h"
#include "log/tombstone_codec.h"

#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace marigram::log {
namespace {

using Json = nlohmann::ordered_json;

Json level_out(const LevelChange& level) {
  Json out;
  out["interval"] = level.interval;
  for (const Action& action : level.actions) out["actions"].push_back(action_out(Dialect::kV7, action));
  if (level.rank) out["rank"] = *level.rank;
  if (!level.ranks.empty()) out["ranks"] = ranks_out(level.ranks);
  if (!level.tombstones.empty()) out["tombstones"] = tombstones_out(level.tombstones);
  if (!level.dissolved.empty()) out["dissolved"] = level.dissolved;
  if (level.through) out["through"] = *level.through;
  if (level.pending) out["pending"] = *level.pending;
  return out;
}

/// Those of segments alone.
Result<std::vector<Action>> actions_in(const json::Slot& slot) {
  std::vector<Action> actions;
  if (!json::given(slot)) return actions;
  MARIGRAM_ASSIGN(const auto elements, json::array(slot));
  for (const json::Element element : elements) {
    MARIGRAM_ASSIGN(DecodedAction decoded, action_in(element));
    const bool is_of_segments =
        std::holds_alternative<AddSegment>(decoded.action) || std::holds_alternative<RemoveSegment>(decoded.action);
    if (!is_of_segments || decoded.dialect != Dialect::kV7) {
      return json::bad(fmt::format("a level has action {}, want those of segments", json::show(element)));
    }
    actions.push_back(std::move(decoded.action));
  }
  return actions;
}

Result<LevelChange> level_in(json::Element element) {
  std::array slots{json::Slot{"interval"},  json::Slot{"actions"}, json::Slot{"rank"},    json::Slot{"tombstones"},
                   json::Slot{"dissolved"}, json::Slot{"through"}, json::Slot{"pending"}, json::Slot{"ranks"}};
  MARIGRAM_TRY(json::read_members(element, "a level", slots, json::Unknown::kRefuse));
  LevelChange level;
  MARIGRAM_ASSIGN(level.interval, json::text(slots[0]));
  MARIGRAM_ASSIGN(level.actions, actions_in(slots[1]));
  MARIGRAM_ASSIGN(level.rank, json::optional_u64(slots[2]));
  MARIGRAM_ASSIGN(level.tombstones, tombstones_in(slots[3]));
  if (json::given(slots[4])) {
    MARIGRAM_ASSIGN(level.dissolved, json::texts(slots[4]));
  }
  MARIGRAM_ASSIGN(level.through, json::optional_u64(slots[5]));
  if (json::given(slots[6])) {
    MARIGRAM_ASSIGN(level.pending, path_in(slots[6]));
  }
  MARIGRAM_ASSIGN(level.ranks, ranks_in(slots[7]));
  return level;
}

}  // namespace

Json rollups_out(const model::RollupSpec& spec) {
  Json out;
  out["intervals"] = Json::array();
  for (const Interval& interval : spec.intervals) out["intervals"].push_back(format_interval(interval));
  if (!spec.timezone.empty()) out["timezone"] = spec.timezone;
  if (spec.origin) out["origin"] = format_rfc3339(*spec.origin);
  if (!spec.sketches.empty()) out["sketches"] = spec.sketches;
  return out;
}

Json levels_out(const std::vector<LevelChange>& levels) {
  Json out = Json::array();
  for (const LevelChange& level : levels) out.push_back(level_out(level));
  return out;
}

Result<model::RollupSpec> rollups_in(json::Element element) {
  std::array slots{json::Slot{"intervals"}, json::Slot{"timezone"}, json::Slot{"origin"}, json::Slot{"sketches"}};
  MARIGRAM_TRY(json::read_members(element, "the rollups", slots, json::Unknown::kRefuse));
  model::RollupSpec spec;
  MARIGRAM_ASSIGN(const auto zone, json::optional_text(slots[1]));
  spec.timezone = zone.value_or("");
  MARIGRAM_ASSIGN(const auto intervals, json::texts(slots[0]));
  for (const std::string& text : intervals) {
    const auto interval = parse_interval(text, !spec.timezone.empty());
    if (!interval) return json::bad(interval.error().message);
    spec.intervals.push_back(*interval);
  }
  if (json::given(slots[2])) {
    MARIGRAM_ASSIGN(spec.origin, json::instant(slots[2]));
  }
  if (json::given(slots[3])) {
    MARIGRAM_ASSIGN(const auto sketches, json::texts(slots[3]));
    spec.sketches = {sketches.begin(), sketches.end()};
  }
  const auto checked = model::check_rollups(spec);
  if (!checked) return json::bad(checked.error().message);
  return spec;
}

Result<std::vector<LevelChange>> levels_in(const json::Slot& slot) {
  std::vector<LevelChange> levels;
  if (!json::given(slot)) return levels;
  MARIGRAM_ASSIGN(const auto elements, json::array(slot));
  for (const json::Element element : elements) {
    MARIGRAM_ASSIGN(LevelChange level, level_in(element));
    levels.push_back(std::move(level));
  }
  return levels;
}

}  // namespace marigram::log
