#include "log/apply_commit.h"

#include "base/interval_text.h"
#include "model/rollup.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::log {
namespace {

/// All but what it says of levels.
void apply_extension(TableState& state, Extension& extension) {
  if (extension.duplicates != Duplicates::kReject) state.duplicates = extension.duplicates;
  if (extension.segments) state.segment_format = *extension.segments;
  if (extension.compression) state.compression = *std::move(extension.compression);
  if (extension.wal) state.wal = std::move(extension.wal);
  if (extension.partition) state.partition = std::move(extension.partition);
  if (extension.calendar) state.calendar = std::move(extension.calendar);
  if (extension.oldest) state.oldest = *extension.oldest;
  if (extension.tiers) state.tiers = *std::move(extension.tiers);
  if (extension.version_names) state.version_names = *std::move(extension.version_names);
  if (extension.retention) state.retention = *std::move(extension.retention);
  if (!extension.declared_types.empty()) state.declared_types = std::move(extension.declared_types);
  for (const std::string& name : extension.dissolved) state.tombstones.erase(name);
  for (model::Tombstone& tombstone : extension.tombstones) state.add(std::move(tombstone));
}

/// The series of all segments lack the tags that were added.
void fill_absent_tags(TableState& state) {
  const std::size_t tags = state.meta->index->tags.size();
  for (auto& [key, segment] : state.segments) {
    if (std::holds_alternative<model::MixedSeries>(segment->layout)) continue;
    model::SegmentMeta filled = *segment;
    model::fill_absent_tags(filled.layout, tags);
    segment = std::make_shared<const model::SegmentMeta>(std::move(filled));
  }
}

void apply_meta(TableState& state, model::TableMeta meta) {
  const bool grew = meta.grows() && state.meta && state.meta->index != meta.index;
  state.meta = std::move(meta);
  if (grew) fill_absent_tags(state);
}

using Ranks = std::map<std::string, model::SegmentRank>;

/// `rank`: of the next segment, if `own` has none of it.
void apply_action(TableState& state, Action action, std::uint64_t version, model::SegmentRank& rank, const Ranks& own) {
  if (auto* update = std::get_if<UpdateTableMeta>(&action)) {
    apply_meta(state, std::move(update->meta));
  } else if (auto* add = std::get_if<AddSegment>(&action)) {
    auto segment = std::make_shared<model::SegmentMeta>(std::move(add->segment));
    const auto given = own.find(segment->path);
    const model::SegmentRank stands = given == own.end() ? rank : given->second;
    segment->rank = state.has_ranks() ? stands : model::SegmentRank{};
    ++rank.place;
    state.segments.insert_or_assign(segment->key(state.dialect()), segment);
  } else if (const auto* remove = std::get_if<RemoveSegment>(&action)) {
    state.segments.erase(remove->key);
  } else if (auto* coverage = std::get_if<UpdateTableCoverage>(&action)) {
    state.coverage = CoveragePointer{std::move(coverage->coverage_path), version};
  } else {
    state.unknown_actions.push_back(std::move(std::get<UnknownAction>(action).json));
  }
}

/// `place`: of the next segment among those of the commit.
void apply_actions(TableState& state, std::vector<Action> actions, std::uint64_t version,
                   std::optional<std::uint64_t> asked, const Ranks& ranks, std::uint64_t& place) {
  model::SegmentRank rank{.rank = asked.value_or(version), .place = place};
  for (Action& action : actions) apply_action(state, std::move(action), version, rank, ranks);
  place = rank.place;
}

// ---- levels ----

/// Files of buckets of rows that the commit adds, replaces or removes; the state is that before it.
std::set<std::string> changed_rows(const TableState& state, const Commit& commit) {
  std::set<std::string> paths;
  if (commit.extension->keeps_rollups || (state.levels.empty() && !commit.extension->rollups)) return paths;
  const auto note = [&](const model::SegmentMeta& segment) {
    if (segment.coverage_path) paths.insert(*segment.coverage_path);
  };
  for (const Action& action : commit.actions) {
    if (const auto* add = std::get_if<AddSegment>(&action)) note(add->segment);
    const auto* remove = std::get_if<RemoveSegment>(&action);
    if (remove == nullptr) continue;
    const auto segment = state.segments.find(remove->key);
    if (segment != state.segments.end()) note(*segment->second);
  }
  for (const model::Tombstone& tombstone : commit.extension->tombstones) paths.insert(tombstone.touched_path);
  // Where a commit that moves rows dissolves one it hid nothing any more; where another does, rows may come back.
  for (const std::string& name : commit.extension->dissolved) {
    if (state.tombstones.contains(name)) paths.insert(name);
  }
  return paths;
}

/// Their columns follow from the table's.
void follow_meta(TableState& state) {
  for (Level& level : state.levels) {
    model::TableMeta meta = model::level_meta(*state.meta, state.rollups, level.interval);
    if (level.table->meta == meta) continue;
    TableState table = *level.table;
    table.version = state.version + 1;
    apply_meta(table, std::move(meta));
    level.table = std::make_shared<const TableState>(std::move(table));
  }
}

void choose_levels(TableState& state, model::RollupSpec spec) {
  std::vector<Level> before = std::move(state.levels);
  if (!keeps_levels(state.rollups, spec)) before.clear();
  state.rollups = std::move(spec);
  state.levels.clear();
  for (const Interval& interval : state.rollups.intervals) {
    const auto kept = std::ranges::find(before, interval, &Level::interval);
    state.levels.push_back(kept == before.end() ? make_level(state, interval) : std::move(*kept));
  }
}

void apply_level(TableState& state, LevelChange change, std::uint64_t version, std::uint64_t& place) {
  const auto level = std::ranges::find(state.levels, change.interval, &Level::name);
  TableState table = *level->table;
  table.version = version;
  for (const std::string& name : change.dissolved) table.tombstones.erase(name);
  for (model::Tombstone& tombstone : change.tombstones) table.add(std::move(tombstone));
  apply_actions(table, std::move(change.actions), version, change.rank, change.ranks, place);
  level->table = std::make_shared<const TableState>(std::move(table));
  if (!change.through) return;
  level->through = *change.through;
  level->pending = std::move(change.pending);
}

void forget_changes_that_all_levels_know(TableState& state) {
  std::uint64_t least = UINT64_MAX;
  for (const Level& level : state.levels) least = std::min(least, level.through);
  std::erase_if(state.changed, [&](const ChangedRows& change) { return change.version <= least; });
}

}  // namespace

bool keeps_levels(const model::RollupSpec& before, const model::RollupSpec& after) {
  return before.timezone == after.timezone && before.origin == after.origin && before.sketches == after.sketches;
}

Level make_level(const TableState& table, const Interval& interval) {
  Level level{.name = format_interval(interval), .interval = interval};
  TableState own;
  own.level = level.name;
  own.version = table.version + 1;
  own.meta = model::level_meta(*table.meta, table.rollups, interval);
  own.partition = model::level_partition(interval);
  own.duplicates = Duplicates::kLast;
  own.segment_format = SegmentFormat::kNative;
  level.table = std::make_shared<const TableState>(std::move(own));
  return level;
}

void apply_commit(TableState& state, Commit commit) {
  // The dialect is needed for the keys of segments that come before the first metadata.
  if (!state.meta) {
    for (const Action& action : commit.actions) {
      if (const auto* update = std::get_if<UpdateTableMeta>(&action)) state.meta = update->meta;
    }
  }
  if (!commit.extension) commit.extension.emplace();
  Extension& extension = *commit.extension;
  const std::set<std::string> changed = changed_rows(state, commit);
  const bool has_meta = std::ranges::any_of(
      commit.actions, [](const Action& action) { return std::holds_alternative<UpdateTableMeta>(action); });
  apply_extension(state, extension);
  std::uint64_t place = 0;
  apply_actions(state, std::move(commit.actions), commit.version, extension.rank, extension.ranks, place);
  if (has_meta) follow_meta(state);
  if (extension.rollups) choose_levels(state, *std::move(extension.rollups));
  for (LevelChange& level : extension.levels) apply_level(state, std::move(level), commit.version, place);
  for (const std::string& path : changed) state.changed.push_back({commit.version, path});
  forget_changes_that_all_levels_know(state);
  state.version = commit.version;
  state.timestamp = commit.timestamp;
}

}  // namespace marigram::log
