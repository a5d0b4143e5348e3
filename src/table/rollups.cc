#include "table/rollups.h"

#include "base/hash.h"
#include "base/interval_text.h"
#include "base/try.h"
#include "log/apply_commit.h"
#include "table/append.h"
#include "table/coverage_files.h"
#include "table/definition.h"
#include "table/retention.h"
#include "table/staging.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ranges>
#include <utility>
#include <variant>

namespace marigram::table {
namespace {

std::unexpected<Error> cannot_keep(const std::string& cause) {
  return fail(ErrorCode::kInvalidInput, "cannot keep rollups: " + cause);
}

Status check_fits(const log::TableState& state, const model::RollupSpec& spec) {
  if (spec.empty()) return {};
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  MARIGRAM_TRY(check_keeps_rollups(state.dialect(), index.kind, "keep rollups"));
  for (const std::string& field : spec.sketches) {
    const model::Column* const column = state.meta->schema ? state.meta->schema->find(field) : nullptr;
    if (column == nullptr && !state.meta->schema) continue;
    const auto parts = column == nullptr ? std::vector<model::RollupPart>() : model::parts_of(column->type, true);
    if (std::ranges::find(parts, model::RollupPart::kSketch) == parts.end()) {
      return cannot_keep(fmt::format("percentiles are of fields of numbers; got `{}`", field));
    }
  }
  return {};
}

}  // namespace

Result<std::uint64_t> set_rollups(Engine& engine, const model::RollupSpec& spec) {
  StagedFiles files(engine.store());
  const std::string attempt = random_uuid();
  const auto propose = [&](const log::TableState& now) -> Result<log::Proposal> {
    MARIGRAM_TRY(check_fits(now, spec));
    log::Proposal proposal{.actions = {}, .extension = {.operation = "set_rollups", .rollups = spec}};
    MARIGRAM_ASSIGN(model::Retention retention, retention_with(now, spec));
    if (retention != now.retention) proposal.extension.retention = std::move(retention);
    std::optional<std::string> all;  // what is due to levels that are new
    for (const Interval& interval : spec.intervals) {
      const std::string name = format_interval(interval);
      if (log::keeps_levels(now.rollups, spec) && now.find_level(name) != nullptr) continue;
      MARIGRAM_ASSIGN(const CoveragePtr coverage, engine.coverage(now));
      if (!all && !coverage->empty()) {
        MARIGRAM_ASSIGN(all, stage_coverage(engine.store(), now, *coverage, attempt, files));
      }
      proposal.extension.levels.push_back({.interval = name, .through = now.version, .pending = all});
    }
    return proposal;
  };
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(engine.refresh());
  if (engine.state()->rollups == spec) return engine.state()->version;
  const Status committed = engine.commit(propose);
  files.keep_after(committed);
  MARIGRAM_TRY(committed);
  return engine.state()->version;
}

std::vector<std::string> level_names(const log::TableState& state) {
  std::vector<std::string> names;
  names.reserve(state.levels.size());
  for (const log::Level& level : state.levels) names.push_back(level.name);
  return names;
}

RollupOptions rollup_options(const log::TableState& state) {
  RollupOptions options{.intervals = {},
                        .timezone = state.rollups.timezone,
                        .origin = state.rollups.origin,
                        .percentiles = {state.rollups.sketches.begin(), state.rollups.sketches.end()}};
  for (const Interval& interval : state.rollups.intervals) options.intervals.push_back(format_interval(interval));
  return options;
}

Result<std::vector<RollupInfo>> list_rollups(const Engine& engine) {
  const StatePtr state = engine.state();
  std::vector<RollupInfo> levels;
  for (const log::Level& level : state->levels) {
    RollupInfo info{.interval = level.name, .segments = level.table->segments.size(), .through = level.through};
    for (const auto& [key, segment] : level.table->segments) {
      info.rows += segment->row_count;
      info.bytes += segment->file_size.value_or(0);
    }
    MARIGRAM_ASSIGN(const CoveragePtr due, engine.due(*state, level));
    for (const auto& [series, buckets] : *due) info.pending += buckets.size();
    levels.push_back(std::move(info));
  }
  return levels;
}

Result<TimeBuckets> level_buckets(const log::TableState& state, const Interval& interval) {
  const TimeUnit unit = time_unit(state).value_or(TimeUnit::kMicro);
  std::optional<std::int64_t> origin;
  if (state.rollups.origin) {
    MARIGRAM_ASSIGN(origin, to_units_floor(*state.rollups.origin, unit));
  }
  return TimeBuckets::make(interval, state.rollups.timezone, origin, units_per_second(unit));
}

Result<std::vector<log::Action>> stage_level(Engine& engine, const StatePtr& state, const std::string& level,
                                             const arrow::Schema& schema, BatchSource& rows, const std::string& attempt,
                                             StagedFiles& files) {
  const StatePtr table = state->find_level(level)->table;
  MARIGRAM_ASSIGN(const Alignment alignment, Alignment::make(schema, *table));
  const auto taken = std::make_shared<const coverage::CoverageMap>();
  AlignedSource aligned(rows, alignment);
  MARIGRAM_ASSIGN(const Staged staged, stage_append(engine, table, alignment, taken, aligned, {}, attempt, files));
  std::vector<log::Action> actions;
  actions.reserve(staged.segments.size());
  for (const model::SegmentMeta& segment : staged.segments) actions.emplace_back(log::AddSegment{segment});
  return actions;
}

bool may_write_levels(const log::TableState& now, const log::TableState& made_of) {
  const auto names = [](const log::TableState& table) { return table.tombstones | std::views::keys; };
  const auto is_as_it_was = [&](const log::Level& level) {
    const log::Level* const before = made_of.find_level(level.name);
    return before != nullptr && std::ranges::equal(names(*level.table), names(*before->table));
  };
  return now.retention == made_of.retention && std::ranges::all_of(now.levels, is_as_it_was);
}

}  // namespace marigram::table
