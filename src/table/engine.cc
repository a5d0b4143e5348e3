#include "table/engine.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "coverage/calendar.h"
#include "model/retention.h"
#include "table/coverage_files.h"
#include "table/definition.h"
#include "table/history.h"
#include "table/retention.h"
#include "table/tiers.h"
#include "table/zola_folder.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

namespace marigram::table {

namespace {

/// Whether the coverage knows all tags of the table, which may have got some since.
bool has_all_tags(const coverage::CoverageMap& map, const log::TableState& state) {
  if (map.empty() || !state.meta->grows()) return true;
  return map.begin()->first.size() == state.meta->index->tags.size();
}

std::size_t columns_of(const log::TableState& state) {
  return state.meta && state.meta->schema ? state.meta->schema->columns.size() : 0;
}

/// A level says nothing of what is older than its horizon.
void forget_what_is_gone(const log::TableState& state, const log::Level& level, coverage::CoverageMap& due) {
  const coverage::BucketGrid grid(state.dialect(), state.meta->index->kind);
  for (std::size_t number = 0; number < state.retention.size(); ++number) {
    const auto horizon = model::horizon_of(state.retention, number, level.name);
    const auto first = horizon ? grid.id_of(*horizon).value_or(0) : 0;
    if (first == 0) continue;
    const model::SeriesSet series = model::series_of(state.retention, number);
    for (auto& [key, buckets] : due) {
      if (!series.has(key, *state.meta->index)) continue;
      coverage::BucketSet gone;
      for (const coverage::IdRange& run : buckets.runs_in({0, first - 1})) gone.add_range(run);
      buckets.subtract(gone);
    }
  }
  std::erase_if(due, [](const auto& series) { return series.second.empty(); });
}

/// What a new table keeps for how long, and where.
Status add_lifecycle(const Environment& environment, const TableOptions& options, log::Proposal& proposal) {
  log::TableState made;
  MARIGRAM_TRY(log::apply(made, {.version = 1, .actions = proposal.actions, .extension = proposal.extension}));
  if (!options.retention.empty()) {
    MARIGRAM_ASSIGN(proposal.extension.retention, retention_by(made, options.retention, environment.clock->now()));
  }
  return options.tiers == TierOptions{} ? Status() : choose_tiers(environment, made, options.tiers, proposal);
}

}  // namespace

void reach_cold(const Environment& environment, const log::TableState& state) {
  if (environment.cold) environment.cold->set_second(state.tiers.cold_root);
}

Engine::Engine(Environment environment, log::TableState state, bool pinned)
    : environment_(std::move(environment)),
      log_(environment_.store, *environment_.clock, environment_.log),
      pinned_(pinned),
      state_(std::make_shared<const log::TableState>(std::move(state))),
      columns_(columns_of(*state_)) {
  reach_cold(environment_, *state_);
}

Result<std::unique_ptr<Engine>> Engine::create(Environment environment, const TableOptions& options) {
  MARIGRAM_ASSIGN(log::Proposal proposal, define_table(options, environment.clock->now()));
  MARIGRAM_TRY(add_lifecycle(environment, options, proposal));
  MARIGRAM_TRY(environment.store->check_writable());
  log::Log log(environment.store, *environment.clock, environment.log);
  MARIGRAM_ASSIGN(const std::uint64_t version, log.latest_version());
  MARIGRAM_ASSIGN(const bool is_zola, is_zola_folder(*environment.store));
  log::TableState state;
  if (version == 0 && is_zola) return refuse_to_write_zola(*environment.store);
  if (version == 0) {
    auto committed = log.commit(state, std::move(proposal));
    if (committed) return std::unique_ptr<Engine>(new Engine(std::move(environment), std::move(state), false));
    if (committed.error().code != ErrorCode::kConflict) return std::unexpected(std::move(committed).error());
  }
  return fail(ErrorCode::kAlreadyExists,
              fmt::format("cannot create table {}: a table is there already; open it or choose another folder",
                          environment.store->name()));
}

Result<std::unique_ptr<Engine>> Engine::open(Environment environment, const OpenOptions& options) {
  const log::Log log(environment.store, *environment.clock, environment.log);
  auto state = load_at(log, options);
  if (!state && state.error().code == ErrorCode::kNotFound && is_zola_folder(*environment.store).value_or(false)) {
    MARIGRAM_ASSIGN(const std::uint64_t version, log.latest_version());
    if (version == 0) return open_zola(std::move(environment), options);
  }
  if (!state) return std::unexpected(std::move(state).error());
  const bool pinned = !std::holds_alternative<std::monostate>(options.at);
  return std::unique_ptr<Engine>(new Engine(std::move(environment), *std::move(state), pinned));
}

Result<std::unique_ptr<Engine>> Engine::open_zola(Environment environment, const OpenOptions& options) {
  if (!std::holds_alternative<std::monostate>(options.at)) {
    return fail(ErrorCode::kNotFound, fmt::format("cannot open {} at a version: it is a zola folder, which keeps none",
                                                  environment.store->name()));
  }
  MARIGRAM_ASSIGN(ZolaFolder folder, load_zola_folder(environment));
  auto engine = std::unique_ptr<Engine>(new Engine(std::move(environment), std::move(folder.state), false));
  engine->remember_coverage(ZolaFolder::kCoverage, std::move(folder.coverage));
  return engine;
}

StatePtr Engine::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Status Engine::refresh() {
  if (pinned_) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot refresh table {}: it was opened at version {}; open it again without a version",
                            store().name(), state()->version));
  }
  const std::lock_guard writing(write_mutex_);
  if (!has_log()) {
    MARIGRAM_ASSIGN(ZolaFolder folder, load_zola_folder(environment_));
    move_to(std::make_shared<const log::TableState>(std::move(folder.state)));
    remember_coverage(ZolaFolder::kCoverage, std::move(folder.coverage));
    return {};
  }
  log::TableState next = *state();
  const std::uint64_t before = next.version;
  MARIGRAM_TRY(log_.refresh(next));
  if (next.version == before) return {};
  move_to(std::make_shared<const log::TableState>(std::move(next)));
  return {};
}

/// Whoever has the state finds its columns counted.
void Engine::move_to(StatePtr state) {
  reach_cold(environment_, *state);
  const std::lock_guard lock(mutex_);
  columns_.store(columns_of(*state), std::memory_order_release);
  state_ = std::move(state);
}

Status Engine::check_writable() const {
  if (pinned_) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot write to table {}: it was opened at version {}; open it without a version",
                            store().name(), state()->version));
  }
  if (!has_log()) return refuse_to_write_zola(store());
  return store().check_writable();
}

Status Engine::commit(const std::function<Result<log::Proposal>(const log::TableState&)>& propose) {
  MARIGRAM_TRY(check_writable());
  const std::lock_guard writing(write_mutex_);
  log::TableState next = *state();
  MARIGRAM_TRY(log_.commit_with_retry(next, propose));
  const auto committed = std::make_shared<const log::TableState>(std::move(next));
  move_to(committed);
  // The commit is there, with a checkpoint or without; the next one makes up for this.
  if (committed->version % kCheckpointEvery == 0) [[maybe_unused]]
    const Status written = log_.write_checkpoint(*committed);
  return {};
}

std::shared_ptr<const SegmentList> Engine::segments(const StatePtr& state) const {
  {
    const std::lock_guard lock(mutex_);
    const auto& [of, list] = segments_[state->level];
    if (of == state) return list;
  }
  auto list = std::make_shared<const SegmentList>(*state);
  const std::lock_guard lock(mutex_);
  segments_[state->level] = {state, list};
  return list;
}

Result<std::shared_ptr<const TombstoneList>> Engine::tombstones(const log::TableState& state) const {
  {
    const std::lock_guard lock(mutex_);
    const auto& [version, list] = tombstones_[state.level];
    if (list && version == state.version) return list;
  }
  MARIGRAM_ASSIGN(auto list, TombstoneList::load(store(), state));
  const std::lock_guard lock(mutex_);
  tombstones_[state.level] = {state.version, list};
  return list;
}

Result<CoveragePtr> Engine::due(const log::TableState& state, const log::Level& level) const {
  {
    const std::lock_guard lock(mutex_);
    const auto& [version, map] = due_[level.name];
    if (map && version == state.version) return map;
  }
  coverage::CoverageMap map;
  const auto add = [&](const std::string& path) -> Status {
    MARIGRAM_ASSIGN(const auto buckets, read_coverage_file(store(), state, coverage::FileRole::kSegment, path));
    coverage::unite(map, buckets);
    return {};
  };
  if (level.pending) MARIGRAM_TRY(add(*level.pending));
  for (const log::ChangedRows& change : state.changed) {
    if (change.version > level.through) MARIGRAM_TRY(add(change.coverage_path));
  }
  forget_what_is_gone(state, level, map);
  auto shared = std::make_shared<const coverage::CoverageMap>(std::move(map));
  const std::lock_guard lock(mutex_);
  due_[level.name] = {state.version, shared};
  return shared;
}

Result<CoveragePtr> Engine::coverage(const log::TableState& state) const {
  const std::string path = state.coverage ? state.coverage->path : std::string();
  {
    const std::lock_guard lock(mutex_);
    if (coverage_ && !path.empty() && coverage_path_ == path && has_all_tags(*coverage_, state)) return coverage_;
  }
  MARIGRAM_ASSIGN(coverage::CoverageMap map, load_table_coverage(store(), state));
  auto shared = std::make_shared<const coverage::CoverageMap>(std::move(map));
  remember_coverage(path, shared);
  return shared;
}

void Engine::remember_coverage(const std::string& path, CoveragePtr map) const {
  const std::lock_guard lock(mutex_);
  coverage_path_ = path;
  coverage_ = std::move(map);
}

Result<model::IndexSpec> require_index(const log::TableState& state) {
  if (state.meta && state.meta->index) return *state.meta->index;
  return fail(
      ErrorCode::kInvalidInput,
      "cannot use this table: its kind is \"Generic\", which has no time index; only \"TimeSeries\" tables hold data");
}

Result<model::Schema> require_schema(const log::TableState& state) {
  if (state.meta && state.meta->schema) return *state.meta->schema;
  return fail(ErrorCode::kInvalidInput, "cannot use columns of this table: it has none yet; append rows first");
}

}  // namespace marigram::table
