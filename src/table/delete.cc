#include "table/delete.h"

#include "base/hash.h"
#include "base/try.h"
#include "coverage/coverage_map.h"
#include "model/retention.h"
#include "model/rollup.h"
#include "table/field_conditions.h"
#include "table/rewrite.h"
#include "table/row_removal.h"
#include "table/scan.h"
#include "table/staging.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::table {
namespace {

using coverage::CoverageMap;

/// When the rows that are to go, or some of their series, begin to be all there; unset: they always were.
std::optional<Instant> latest_horizon(const log::TableState& state, const RowSelection& rows) {
  std::optional<Instant> latest;
  for (std::size_t number = 0; number < state.retention.size(); ++number) {
    if (model::are_apart(state.retention[number].where, rows.where)) continue;
    const auto horizon = model::horizon_of(state.retention, number, model::kRows);
    if (horizon && (!latest || *latest < *horizon)) latest = horizon;
    if (model::implies(rows.where, state.retention[number].where)) break;  // no class behind has any of the series
  }
  return latest;
}

std::unexpected<Error> cannot_forget(const std::string& what) {
  return fail(ErrorCode::kInvalidInput,
              "cannot delete rows: some of them have expired, and rollups tell of them; " + what);
}

/// The intervals of a level that go with rows of which those before `horizon` have expired, so that the level cannot be
/// made again without them: all, or those that the range has as a whole. kInvalidInput: it cuts one.
Result<RowChoice> level_choice(const log::TableState& state, const log::Level& level, const RowSelection& rows,
                               Instant horizon) {
  MARIGRAM_ASSIGN(TimeBuckets intervals, model::buckets_of(state.rollups, level.interval));
  const auto begin_of = [&](const IndexValue& value) {
    return Instant{.seconds = intervals.of(std::get<Instant>(value).seconds).start};
  };
  RowChoice choice{.from = rows.from, .to = rows.to, .series = {rows.where, {}}};
  const bool cuts_first = rows.from && IndexValue(begin_of(*rows.from)) != *rows.from;
  const bool cuts_last = rows.to && IndexValue(begin_of(*rows.to)) != *rows.to;
  if (cuts_last) choice.to = begin_of(*rows.to);
  if (!cuts_first && (!cuts_last || begin_of(*rows.to) >= horizon)) return choice;
  return cannot_forget(fmt::format("want whole intervals of {}, as from {}, or rows from {} on alone", level.name,
                                   format_rfc3339(begin_of(cuts_first ? *rows.from : *rows.to)),
                                   format_rfc3339(horizon)));
}

/// A delete of one version's rows.
class Deletion {
 public:
  static Result<Deletion> make(Engine& engine, const StatePtr& state, const RowSelection& choice) {
    MARIGRAM_ASSIGN(CoveragePtr coverage, engine.coverage(*state));
    Deletion made(engine, state, std::move(coverage), choice);
    const std::optional<Instant> horizon = latest_horizon(*state, choice);
    if (!horizon || (choice.from && *choice.from >= IndexValue(*horizon))) return made;
    if (!choice.fields.empty())
      return cannot_forget("want no conditions on fields, or rows from " + format_rfc3339(*horizon) + " on alone");
    for (const log::Level& level : state->levels) {
      MARIGRAM_ASSIGN(RowChoice own, level_choice(*state, level, choice, *horizon));
      if (own.from && own.to && *own.from >= *own.to) continue;
      MARIGRAM_ASSIGN(CoveragePtr of_level, level_coverage(engine, level.table, own));
      made.levels_.emplace_back(level.name, RowRemoval(engine, level.table, std::move(of_level), std::move(own)));
    }
    return made;
  }

  /// How many rows there are to be seen.
  Result<std::uint64_t> find() {
    MARIGRAM_ASSIGN(const std::uint64_t rows, rows_.find());
    found_ = rows;
    for (auto& [name, removal] : levels_) {
      MARIGRAM_ASSIGN(const std::uint64_t own, removal.find());
      found_ += own;
    }
    return rows;
  }
  /// find() found nothing, neither in the table nor in levels.
  bool empty() const { return found_ == 0; }

  /// False, and nothing is there, if another writer came first.
  Result<bool> commit() {
    StagedFiles files(engine_.store());
    bool lost = false;
    MARIGRAM_ASSIGN(log::Proposal proposal, propose(files));
    const Status committed = engine_.commit([&](const log::TableState& now) -> Result<log::Proposal> {
      lost = now.version != state_->version;
      if (lost) return fail(ErrorCode::kConflict, "cannot delete rows: another writer came first");
      return proposal;
    });
    files.keep_after(committed);
    if (committed) return true;
    if (lost) return false;
    return std::unexpected(committed.error());
  }

 private:
  Deletion(Engine& engine, StatePtr state, CoveragePtr coverage, const RowSelection& choice)
      : engine_(engine),
        state_(std::move(state)),
        coverage_(std::move(coverage)),
        rows_(engine, state_, coverage_, {choice.from, choice.to, {choice.where, {}}, choice.fields}) {}

  Result<log::Proposal> propose(StagedFiles& files) {
    log::Proposal proposal{.actions = {}, .extension = {.operation = "remove_rows"}};
    if (!state_->meta->requires_feature(log::kTombstonesFeature)) {
      model::TableMeta meta = *state_->meta;
      meta.require(log::kTombstonesFeature);
      proposal.actions.emplace_back(log::UpdateTableMeta{std::move(meta)});
    }
    MARIGRAM_ASSIGN(RemovedRows removed, rows_.stage(state_->version, {}, files));
    std::ranges::move(removed.actions, std::back_inserter(proposal.actions));
    proposal.extension.tombstones = std::move(removed.tombstones);
    for (auto& [name, removal] : levels_) {
      MARIGRAM_ASSIGN(RemovedRows own, removal.stage(state_->version, {}, files));
      proposal.extension.levels.push_back(
          {.interval = name, .actions = std::move(own.actions), .tombstones = std::move(own.tombstones)});
    }
    CoverageMap left = *coverage_;
    coverage::subtract(left, rows_.emptied());
    MARIGRAM_ASSIGN(auto coverage, stage_table_coverage(engine_.store(), *state_, left, random_uuid(), files));
    proposal.actions.emplace_back(std::move(coverage));
    return proposal;
  }

  Engine& engine_;
  StatePtr state_;
  CoveragePtr coverage_;
  RowRemoval rows_;
  std::vector<std::pair<std::string, RowRemoval>> levels_;  // of those that cannot be made again
  std::uint64_t found_ = 0;
};

/// Whether a tombstone can say which rows go, and may.
bool may_hide_rows(const log::TableState& state, const RowSelection& choice) {
  return may_have_tombstones(state) && (choice.fields.empty() || state.duplicates != Duplicates::kAll);
}

}  // namespace

Result<std::uint64_t> remove_rows(Engine& engine, const RowSelection& rows, bool dry_run) {
  MARIGRAM_TRY(engine.check_writable());
  while (true) {
    MARIGRAM_TRY(engine.refresh());
    const StatePtr state = engine.state();
    MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(*state));
    MARIGRAM_TRY(check_range_and_tags(index, rows.from, rows.to, rows.where));
    if (!state->meta->schema) return 0;
    MARIGRAM_TRY(check_conditions(*state->meta->schema, index, rows.fields));
    if (!dry_run && !may_hide_rows(*state, rows)) return rewrite_without(engine, rows);
    MARIGRAM_ASSIGN(Deletion deletion, Deletion::make(engine, state, rows));
    MARIGRAM_ASSIGN(const std::uint64_t count, deletion.find());
    if (deletion.empty() || dry_run) return count;
    MARIGRAM_ASSIGN(const bool committed, deletion.commit());
    if (committed) return count;
  }
}

}  // namespace marigram::table
