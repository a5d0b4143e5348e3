#include "query/expiry.h"

#include "base/hash.h"
#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "coverage/coverage_map.h"
#include "model/retention.h"
#include "query/aggregate_snapshot.h"
#include "query/level_rows.h"
#include "query/rollup_plan.h"
#include "query/rollup_refresh.h"
#include "query/table_view.h"
#include "table/batch_source.h"
#include "table/expiry_commit.h"
#include "table/retention.h"
#include "table/rollups.h"
#include "table/tombstone_list.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using coverage::BucketSet;
using coverage::CoverageMap;
using coverage::IdRange;
using model::ByKept;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr int kTriesMax = 10;  // against other writers

std::unexpected<Error> gave_up(const char* doing) {
  return fail(ErrorCode::kConflict, std::string("cannot ") + doing + ": other writers came first, again and again");
}

// ---- rows that came late ----

/// Those of one class of series, at one version.
class LateRows {
 public:
  static Result<LateRows> make(table::Engine& engine, std::size_t series_class) {
    MARIGRAM_ASSIGN(TableView view, TableView::make({engine, engine.state(), {}}, {}, {}, {}));
    LateRows made(engine, std::move(view), series_class);
    for (std::size_t level = 0; level < made.state().levels.size(); ++level) MARIGRAM_TRY(made.look_at(level));
    return made;
  }

  bool empty() const { return late_.empty(); }

  /// False if another writer came first.
  Result<bool> merge(const CancelToken& cancel, RefreshReport& report) {
    table::ExpiryCommit commit(engine_, view_.snapshot.state, series_class_);
    std::uint64_t rows = 0;
    for (const Late& late : late_) {
      if (cancel.cancelled()) return fail(ErrorCode::kCancelled, "merging of late rows cancelled");
      MARIGRAM_ASSIGN(log::LevelChange change, change_of(late, cancel, commit.files()));
      for (const log::Action& action : change.actions) rows += std::get<log::AddSegment>(action).segment.row_count;
      commit.add(std::move(change));
    }
    MARIGRAM_TRY(commit.remove(model::kRows, *horizon(model::kRows)));
    MARIGRAM_ASSIGN(const bool committed, commit.commit("merge_late_rows"));
    if (!committed) return false;
    report.rows += rows;
    ++report.commits;
    return true;
  }

 private:
  /// What is due of a level where it is the finest that is left.
  struct Late {
    std::size_t level = 0;
    CoverageMap due;
    CoverageMap others;  // what else is due of it
  };

  LateRows(table::Engine& engine, TableView view, std::size_t series_class)
      : engine_(engine),
        view_(std::move(view)),
        series_class_(series_class),
        series_(model::series_of(state().retention, series_class)),
        grid_(Dialect::kV7, view_.index.kind) {}

  const log::TableState& state() const { return *view_.snapshot.state; }
  std::optional<Instant> horizon(std::string_view name) const {
    return model::horizon_of(state().retention, series_class_, name);
  }

  Status look_at(std::size_t level) {
    const std::int64_t until = finest_until(view_, series_class_, level);
    if (until == kMin) return {};
    MARIGRAM_ASSIGN(const std::uint64_t end, grid_.id_of(view_.units.to_value(until)));
    MARIGRAM_ASSIGN(const auto due, engine_.due(state(), state().levels[level]));
    Late late{.level = level, .due = {}, .others = *due};
    for (const auto& [key, buckets] : *due) {
      if (end == 0 || !series_.has(key, view_.index)) continue;
      for (const IdRange& run : buckets.runs_in({0, end - 1})) late.due[key].add_range(run);
    }
    if (late.due.empty()) return {};
    coverage::subtract(late.others, late.due);
    late_.push_back(std::move(late));
    return {};
  }

  /// The intervals that have such rows: what the level says of them, and these.
  Result<log::LevelChange> change_of(const Late& late, const CancelToken& cancel, table::StagedFiles& files) const {
    const log::Level& level = state().levels[late.level];
    MARIGRAM_ASSIGN(TimeBuckets intervals, table::level_buckets(state(), level.interval));
    std::vector<SeriesKey> touched;
    for (const auto& [key, buckets] : late.due) touched.push_back(key);
    std::vector<std::unique_ptr<table::BatchSource>> sources;
    std::shared_ptr<arrow::Schema> schema;
    for (ScanRequest& request : requests_of(coverage::across_series(late.due), intervals)) {
      request.where = predicates_of(touched, view_.index);
      request.cancel = cancel;
      MARIGRAM_ASSIGN(auto stream,
                      aggregate_snapshot(view_.snapshot, request, level_aggregates(view_, intervals), nullptr,
                                         {.levels = late.level + 1, .series_class = series_class_}));
      schema = stream.schema;
      sources.push_back(std::move(stream.rows));
    }
    const auto rows = table::chain_sources(std::move(sources));
    const std::string attempt = random_uuid();
    log::LevelChange change{.interval = level.name, .through = state().version};
    MARIGRAM_ASSIGN(change.actions,
                    table::stage_level(engine_, view_.snapshot.state, level.name, *schema, *rows, attempt, files));
    if (!late.others.empty()) {
      MARIGRAM_ASSIGN(change.pending, table::stage_coverage(engine_.store(), state(), late.others, attempt, files));
    }
    return change;
  }

  /// Whole intervals that the buckets lie in, apart from one another.
  std::vector<ScanRequest> requests_of(const BucketSet& buckets, TimeBuckets& intervals) const {
    std::vector<std::pair<std::int64_t, std::int64_t>> spans;
    for (const IdRange& run : buckets.runs_in({0, grid_.max_id()})) {
      const std::int64_t from = intervals.of(units_from(view_, grid_.start_of(run.first))).start;
      const TimeBuckets::Bucket last = intervals.of(units_from(view_, grid_.end_of(run.last)) - 1);
      const auto to = static_cast<std::int64_t>(last.begin + last.width);
      if (!spans.empty() && from <= spans.back().second) {
        spans.back().second = to;
      } else {
        spans.emplace_back(from, to);
      }
    }
    std::vector<ScanRequest> requests;
    requests.reserve(spans.size());
    for (const auto& [from, to] : spans) {
      requests.push_back({.from = view_.units.to_value(from), .to = view_.units.to_value(to)});
    }
    return requests;
  }

  table::Engine& engine_;
  TableView view_;
  std::size_t series_class_;
  model::SeriesSet series_;
  coverage::BucketGrid grid_;
  std::vector<Late> late_;
};

// ---- what goes ----

/// Of one class of series, at one version.
class Expiry {
 public:
  Expiry(table::Engine& engine, table::StatePtr state, std::size_t series_class, const CancelToken& cancel)
      : engine_(engine), state_(std::move(state)), series_class_(series_class), cancel_(cancel) {}

  Status preview(ExpiryReport& report) const {
    MARIGRAM_ASSIGN(const ByKept<Instant> horizons, horizons_now({}));
    table::ExpiryCommit commit(engine_, state_, series_class_);
    MARIGRAM_TRY(remove(horizons, commit));
    add(commit.report(), report);
    return {};
  }

  /// False if another writer came first, or rows came late that are not merged yet.
  Result<bool> run(ExpiryReport& report) const {
    const model::RetentionClass& own = state_->retention[series_class_];
    MARIGRAM_ASSIGN(const std::optional<Instant> due, earliest_due());
    const auto rows = own.horizons.find(model::kRows);
    if (due && rows != own.horizons.end() && *due < rows->second) return false;
    MARIGRAM_ASSIGN(const ByKept<Instant> horizons, horizons_now(due));
    table::ExpiryCommit commit(engine_, state_, series_class_);
    MARIGRAM_TRY(remove(horizons, commit));
    if (commit.report().rows + commit.report().rollup_rows == 0) return true;
    commit.move_horizons(horizons);
    MARIGRAM_ASSIGN(const bool committed, commit.commit("expire"));
    if (committed) add(commit.report(), report);
    return committed;
  }

 private:
  Status remove(const ByKept<Instant>& horizons, table::ExpiryCommit& commit) const {
    for (const auto& [name, to] : horizons) {
      if (cancel_.cancelled()) return fail(ErrorCode::kCancelled, "expiry cancelled");
      MARIGRAM_TRY(commit.remove(name, name == model::kRows ? removable_until(to) : to));
    }
    return {};
  }

  static void add(const ExpiryReport& gone, ExpiryReport& report) {
    report.rows += gone.rows;
    report.rollup_rows += gone.rollup_rows;
    report.segments += gone.segments;
    report.bytes += gone.bytes;
  }

  /// The first moment of which some level does not say what is so; unset: they all say everything.
  Result<std::optional<Instant>> earliest_due() const {
    std::optional<Instant> earliest;
    const model::IndexSpec& index = *state_->meta->index;
    const model::SeriesSet series = model::series_of(state_->retention, series_class_);
    const coverage::BucketGrid grid(Dialect::kV7, index.kind);
    for (const log::Level& level : state_->levels) {
      MARIGRAM_ASSIGN(const auto due, engine_.due(*state_, level));
      for (const auto& [key, buckets] : *due) {
        if (!series.has(key, index)) continue;
        const auto first = std::get<Instant>(grid.start_of(buckets.runs_in({0, grid.max_id()}).front().first));
        earliest = std::min(first, earliest.value_or(first));
      }
    }
    return earliest;
  }

  /// Never back, and of what is coarser never beyond what it is made of.
  Result<ByKept<Instant>> horizons_now(const std::optional<Instant>& due) const {
    const model::RetentionClass& own = state_->retention[series_class_];
    ByKept<Instant> horizons;
    std::vector<std::string> names = {std::string(model::kRows)};
    for (const log::Level& level : state_->levels) names.push_back(level.name);
    std::optional<Instant> finer = due;
    for (const std::string& name : names) {
      const auto keep = own.keep.find(name);
      const auto before = own.horizons.find(name);
      if (before != own.horizons.end()) horizons.insert(*before);
      if (keep == own.keep.end()) {
        if (before == own.horizons.end()) break;  // nothing coarser goes either
        finer = before->second;
        continue;
      }
      Instant to = model::moment_before(engine_.environment().clock->now(), keep->second);
      if (finer) to = std::min(to, *finer);
      MARIGRAM_ASSIGN(to, table::align_horizon(*state_, own, name, to));
      if (name == model::kRows) to = removable_until(to);
      if (before != own.horizons.end()) to = std::max(to, before->second);
      horizons.insert_or_assign(name, to);
      finer = to;
    }
    return horizons;
  }

  /// Where no segment is cut, if rows cannot be hidden.
  Instant removable_until(Instant to) const {
    if (table::may_have_tombstones(*state_)) return to;
    for (bool is_cut = true; is_cut;) {
      is_cut = false;
      for (const auto& [key, segment] : state_->segments) {
        if (segment->min >= IndexValue(to) || segment->max < IndexValue(to)) continue;
        const auto aligned = table::align_horizon(*state_, state_->retention[series_class_], model::kRows,
                                                  std::get<Instant>(segment->min));
        to = std::min(to, aligned.value_or(to));
        is_cut = std::get<Instant>(segment->min) < to;
      }
    }
    return to;
  }

  table::Engine& engine_;
  table::StatePtr state_;
  std::size_t series_class_;
  CancelToken cancel_;
};

}  // namespace

Status merge_late_rows(table::Engine& engine, const CancelToken& cancel, RefreshReport& report) {
  for (std::size_t number = 0; number < engine.state()->retention.size(); ++number) {
    for (int tries = 0;; ++tries) {
      if (number >= engine.state()->retention.size()) break;
      MARIGRAM_ASSIGN(LateRows late, LateRows::make(engine, number));
      if (late.empty()) break;
      MARIGRAM_ASSIGN(const bool merged, late.merge(cancel, report));
      if (merged) break;
      if (tries == kTriesMax) return gave_up("merge late rows");
      MARIGRAM_TRY(engine.refresh());
    }
  }
  return {};
}

Result<ExpiryReport> expire(table::Engine& engine, const CancelToken& cancel) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(engine.refresh());
  ExpiryReport report;
  const bool has_rows = engine.state()->meta->schema.has_value();
  for (std::size_t number = 0; has_rows && number < engine.state()->retention.size(); ++number) {
    for (int tries = 0;; ++tries) {
      MARIGRAM_TRY(refresh_rollups(engine, {.cancel = cancel}));
      const table::StatePtr state = engine.state();
      if (number >= state->retention.size()) break;
      MARIGRAM_ASSIGN(const bool done, Expiry(engine, state, number, cancel).run(report));
      if (done) break;
      if (tries == kTriesMax) return gave_up("expire rows");
    }
  }
  report.version = engine.state()->version;
  return report;
}

Result<ExpiryReport> preview_expiry(table::Engine& engine, const model::Retention& retention,
                                    const CancelToken& cancel) {
  log::TableState changed = *engine.state();
  changed.retention = retention;
  const auto state = std::make_shared<const log::TableState>(std::move(changed));
  ExpiryReport report{.version = state->version};
  for (std::size_t number = 0; state->meta->schema && number < retention.size(); ++number) {
    MARIGRAM_TRY(Expiry(engine, state, number, cancel).preview(report));
  }
  return report;
}

}  // namespace marigram::query
