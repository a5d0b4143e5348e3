#include "table/expiry_commit.h"

#include "base/hash.h"
#include "base/try.h"
#include "coverage/coverage_map.h"
#include "table/coverage_files.h"
#include "table/row_removal.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace marigram::table {
namespace {

/// Those that hide no more than one for these series up to there would.
std::vector<model::Tombstone> within(const log::TableState& table, const model::SeriesSet& series, Instant to) {
  std::vector<model::Tombstone> found;
  for (const auto& [name, tombstone] : table.tombstones) {
    const bool is_within = !tombstone->from && !tombstone->points_path && tombstone->to &&
                           *tombstone->to <= IndexValue(to) && tombstone->series() == series;
    if (is_within) found.push_back(*tombstone);
  }
  return found;
}

}  // namespace

ExpiryCommit::ExpiryCommit(Engine& engine, StatePtr state, std::size_t series_class)
    : engine_(engine),
      state_(std::move(state)),
      series_class_(series_class),
      series_(model::series_of(state_->retention, series_class)),
      files_(engine.store()) {
  proposal_.extension.keeps_rollups = true;
}

Status ExpiryCommit::remove(std::string_view name, Instant to) {
  const bool is_rows = name == model::kRows;
  const StatePtr table = is_rows ? state_ : state_->find_level(name)->table;
  const RowChoice choice{.to = to, .series = series_};
  MARIGRAM_ASSIGN(const CoveragePtr coverage,
                  is_rows ? engine_.coverage(*state_) : level_coverage(engine_, table, choice));
  RowRemoval removal(engine_, table, coverage, choice);
  MARIGRAM_ASSIGN(const std::uint64_t rows, removal.find());
  if (rows == 0) return {};
  (is_rows ? report_.rows : report_.rollup_rows) += rows;
  for (const SegmentPtr& segment : removal.dropped_segments()) {
    ++report_.segments;
    report_.bytes += segment->file_size.value_or(0);
  }
  removals_.push_back({std::string(name), to, std::move(removal)});
  return {};
}

Status ExpiryCommit::stage(Removal& removal) {
  const bool is_rows = removal.name == model::kRows;
  const StatePtr table = is_rows ? state_ : state_->find_level(removal.name)->table;
  const std::vector<model::Tombstone> replaced = within(*table, series_, removal.to);
  MARIGRAM_ASSIGN(RemovedRows removed, removal.rows.stage(state_->version, replaced, files_));
  std::ranges::move(removed.actions, std::back_inserter(is_rows ? proposal_.actions : level(removal.name).actions));
  std::ranges::move(removed.tombstones,
                    std::back_inserter(is_rows ? proposal_.extension.tombstones : level(removal.name).tombstones));
  std::ranges::transform(replaced,
                         std::back_inserter(is_rows ? proposal_.extension.dissolved : level(removal.name).dissolved),
                         &model::Tombstone::touched_path);
  if (is_rows) emptied_ = removal.rows.emptied();
  return {};
}

void ExpiryCommit::add(log::LevelChange change) {
  log::LevelChange& own = level(change.interval);
  std::ranges::move(change.actions, std::back_inserter(own.actions));
  own.through = change.through;
  own.pending = std::move(change.pending);
}

log::LevelChange& ExpiryCommit::level(std::string_view name) {
  std::vector<log::LevelChange>& levels = proposal_.extension.levels;
  const auto found = std::ranges::find(levels, name, &log::LevelChange::interval);
  return found != levels.end() ? *found : levels.emplace_back(log::LevelChange{.interval = std::string(name)});
}

void ExpiryCommit::move_horizons(const model::ByKept<Instant>& horizons) {
  proposal_.extension.retention = state_->retention;
  for (const auto& [name, time] : horizons) {
    (*proposal_.extension.retention)[series_class_].horizons.insert_or_assign(name, time);
  }
}

bool ExpiryCommit::is_lost(const log::TableState& now) const {
  const auto names = [](const log::TableState& table) { return table.tombstones | std::views::keys; };
  const auto is_as_it_was = [](const log::Level& left, const log::Level& right) {
    return left.table == right.table && left.through == right.through && left.pending == right.pending;
  };
  if (now.retention != state_->retention || !std::ranges::equal(names(now), names(*state_)) ||
      !std::ranges::equal(now.levels, state_->levels, is_as_it_was)) {
    return true;
  }
  return std::ranges::any_of(state_->segments, [&](const auto& own) { return !now.segments.contains(own.first); });
}

/// Of rows that came since all is covered.
Result<coverage::CoverageMap> ExpiryCommit::coverage_after(const log::TableState& now) const {
  MARIGRAM_ASSIGN(const CoveragePtr before, engine_.coverage(*state_));
  coverage::CoverageMap after = *before;
  coverage::subtract(after, emptied_);
  if (now.version == state_->version) return after;
  log::TableState added = now;
  added.tombstones.clear();
  std::erase_if(added.segments, [&](const auto& own) { return state_->segments.contains(own.first); });
  MARIGRAM_ASSIGN(const coverage::CoverageMap more, union_of_sidecars(engine_.store(), added));
  coverage::unite(after, more);
  return after;
}

Result<bool> ExpiryCommit::commit(const std::string& operation) {
  bool lost = false;
  proposal_.extension.operation = operation;
  for (Removal& removal : removals_) MARIGRAM_TRY(stage(removal));
  const Status committed = engine_.commit([&](const log::TableState& now) -> Result<log::Proposal> {
    lost = is_lost(now);
    if (lost) return fail(ErrorCode::kConflict, "cannot expire rows: another writer came first");
    log::Proposal proposal = proposal_;
    if (!proposal.extension.tombstones.empty() || !proposal.extension.levels.empty()) {
      model::TableMeta meta = *now.meta;
      meta.require(log::kTombstonesFeature);
      if (meta != *now.meta) proposal.actions.emplace_back(log::UpdateTableMeta{std::move(meta)});
    }
    if (report_.rows == 0) return proposal;
    MARIGRAM_ASSIGN(const coverage::CoverageMap left, coverage_after(now));
    MARIGRAM_ASSIGN(auto coverage, stage_table_coverage(engine_.store(), now, left, random_uuid(), files_));
    proposal.actions.emplace_back(std::move(coverage));
    return proposal;
  });
  files_.keep_after(committed);
  if (committed) return true;
  if (lost) return false;
  return std::unexpected(committed.error());
}

}  // namespace marigram::table
