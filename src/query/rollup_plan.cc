#include "query/rollup_plan.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "coverage/coverage_map.h"
#include "model/retention.h"
#include "query/level_columns.h"
#include "table/rollups.h"
#include "table/scan.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

namespace marigram::query {
namespace {

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

/// Half-open; kMin and kMax stand for no bound.
struct Span {
  std::int64_t from = kMin;
  std::int64_t to = kMax;
};

/// A level that can be used.
struct Source {
  const log::Level* level = nullptr;
  TimeBuckets intervals;
  std::vector<Span> due = {};        // ascending and apart: times of which it does not say what is so
  std::int64_t horizon = kMin;       // it says nothing before
  std::int64_t finest_until = kMin;  // before, rows and finer levels say nothing

  std::int64_t down(std::int64_t time) { return time == kMin || time == kMax ? time : intervals.of(time).start; }
  std::int64_t up(std::int64_t time) {
    if (time == kMin || time == kMax) return time;
    const TimeBuckets::Bucket bucket = intervals.of(time);
    if (bucket.start == time) return time;
    const auto end = static_cast<std::int64_t>(bucket.begin + bucket.width);
    return end > time ? end : kMax;
  }
};

/// Cuts a range for series that are kept alike.
class Planner {
 public:
  Planner(const TableView& table, std::shared_ptr<const model::SeriesSet> series, Plan& plan)
      : table_(table), series_(std::move(series)), plan_(plan), first_(plan.pieces.size()) {}

  void add(Source source) { sources_.push_back(std::move(source)); }

  void plan(const Span& whole) { cover(whole, sources_.size()); }

 private:
  /// By the first so many sources.
  void cover(const Span& span, std::size_t sources) {
    if (span.from >= span.to) return;
    if (sources == 0) return add_piece(nullptr, span);
    Source& source = sources_[sources - 1];
    const Span inner{.from = std::max(source.up(span.from), source.horizon), .to = source.down(span.to)};
    if (inner.from >= inner.to) return cover(span, sources - 1);
    cover({span.from, inner.from}, sources - 1);
    const std::int64_t rest = std::clamp(source.finest_until, inner.from, inner.to);
    if (inner.from < rest) add_finest(source, {inner.from, rest});
    add_clean(source, {rest, inner.to}, sources);
    cover({inner.to, span.to}, sources - 1);
  }

  /// The source where it says what is so, finer ones where it does not.
  void add_clean(Source& source, const Span& span, std::size_t sources) {
    std::int64_t at = span.from;
    auto due = std::ranges::lower_bound(source.due, at, {}, [](const Span& own) { return own.to; });
    for (; due != source.due.end() && due->from < span.to; ++due) {
      const Span wide{.from = std::max(source.down(due->from), at), .to = std::min(source.up(due->to), span.to)};
      if (wide.from >= wide.to) continue;  // within the interval that the one before had a part of
      if (at < wide.from) add_piece(source.level, {at, wide.from});
      cover(wide, sources - 1);
      at = wide.to;
    }
    if (at < span.to) add_piece(source.level, {at, span.to});
  }

  /// The source, and rows that came too late for it.
  void add_finest(const Source& source, const Span& span) {
    add_piece(source.level, span);
    auto due = std::ranges::lower_bound(source.due, span.from, {}, [](const Span& own) { return own.to; });
    for (; due != source.due.end() && due->from < span.to; ++due) {
      const Span late{.from = std::max(due->from, span.from), .to = std::min(due->to, span.to)};
      if (late.from >= late.to) continue;
      plan_.pieces.push_back(piece(nullptr, late));
      plan_.goes_back = true;
    }
  }

  void add_piece(const log::Level* level, const Span& span) {
    Piece own = piece(level, span);
    const bool goes_on =
        plan_.pieces.size() > first_ && plan_.pieces.back().level == level && plan_.pieces.back().to == own.from;
    if (goes_on) {
      plan_.pieces.back().to = own.to;
    } else {
      plan_.pieces.push_back(std::move(own));
    }
  }

  Piece piece(const log::Level* level, const Span& span) const {
    const auto value = [&](std::int64_t time, std::int64_t none) {
      return time == none ? std::optional<IndexValue>() : table_.units.to_value(time);
    };
    return {.level = level, .from = value(span.from, kMin), .to = value(span.to, kMax), .series = series_};
  }

  const TableView& table_;
  std::shared_ptr<const model::SeriesSet> series_;
  Plan& plan_;
  std::size_t first_;            // of its pieces
  std::vector<Source> sources_;  // from the finest to the coarsest
};

Span span_of(const TableView& table, const ScanRequest& rows) {
  Span span;
  if (rows.from) span.from = units_from(table, *rows.from);
  if (rows.to) span.to = units_from(table, *rows.to);
  return span;
}

/// Times of the buckets of series that are asked for, and in the set.
Result<std::vector<Span>> due_times(const TableView& table, const log::Level& level,
                                    const std::vector<TagPredicate>& where, const model::SeriesSet& series,
                                    const coverage::BucketSet& newer) {
  MARIGRAM_ASSIGN(const auto due, table.snapshot.engine.due(*table.snapshot.state, level));
  coverage::BucketSet buckets = newer;
  for (const auto& [key, own] : *due) {
    if (model::series_matches(key, table.index, where) && series.has(key, table.index)) buckets.unite(own);
  }
  const coverage::BucketGrid grid(Dialect::kV7, table.index.kind);
  std::vector<Span> times;
  for (const coverage::IdRange& run : buckets.runs_in({0, grid.max_id()})) {
    times.push_back({units_from(table, grid.start_of(run.first)), units_from(table, grid.end_of(run.last))});
  }
  return times;
}

/// From the first to the last interval that the level has rows of; unset if it has none.
std::optional<Span> extent(const TableView& table, const log::Level& level) {
  std::optional<Span> extent;
  for (const auto& [key, segment] : level.table->segments) {
    const Span own{table.units.from_value(segment->min), table.units.from_value(segment->max)};
    if (!extent) extent = own;
    extent->from = std::min(extent->from, own.from);
    extent->to = std::max(extent->to, own.to);
  }
  return extent;
}

std::int64_t horizon_of(const TableView& table, std::size_t series_class, std::string_view name) {
  const auto horizon = model::horizon_of(table.snapshot.state->retention, series_class, name);
  return horizon ? units_from(table, *horizon) : kMin;
}

/// The levels that can tell the aggregates, from the finest to the coarsest, for any series.
Result<std::vector<std::pair<std::size_t, Source>>> usable_levels(const TableView& table, const Span& whole,
                                                                  const AggregationSpec& spec, std::size_t levels) {
  const log::TableState& state = *table.snapshot.state;
  std::vector<std::pair<std::size_t, Source>> usable;
  for (std::size_t i = 0; i < std::min(levels, state.levels.size()); ++i) {
    const log::Level& level = state.levels[i];
    const auto has = extent(table, level);
    if (!has || !LevelColumns::make(spec.columns, *level.table->meta->schema)) continue;
    MARIGRAM_ASSIGN(TimeBuckets intervals, table::level_buckets(state, level.interval));
    TimeBuckets every = spec.every;
    if (!every.are_made_of(intervals, std::max(has->from, whole.from), std::min(has->to, whole.to))) continue;
    usable.emplace_back(i, Source{.level = &level, .intervals = std::move(intervals)});
  }
  return usable;
}

}  // namespace

std::int64_t units_from(const TableView& table, const IndexValue& value) {
  const std::int64_t units = table.units.from_value(value);
  return table.units.to_value(units) < value && units < kMax ? units + 1 : units;
}

std::int64_t finest_until(const TableView& table, std::size_t series_class, std::size_t level) {
  const log::TableState& state = *table.snapshot.state;
  std::int64_t until = horizon_of(table, series_class, model::kRows);
  for (std::size_t finer = 0; finer < level; ++finer) {
    until = std::min(until, horizon_of(table, series_class, state.levels[finer].name));
  }
  return until;
}

Result<Plan> plan_pieces(const TableView& table, const ScanRequest& rows, const AggregationSpec& spec,
                         const Sources& sources, const coverage::BucketSet& newer) {
  const model::Retention& retention = table.snapshot.state->retention;
  const Span whole = span_of(table, rows);
  MARIGRAM_ASSIGN(const auto usable, usable_levels(table, whole, spec, sources.levels));
  const bool has_classes = sources.series_class || model::has_horizons(retention);
  if ((usable.empty() && !sources.series_class) || (rows.from && rows.to && whole.from >= whole.to)) {
    return Plan{.pieces = {{.level = nullptr, .from = rows.from, .to = rows.to}}};
  }
  Plan plan;
  for (std::size_t number = 0; number < (has_classes ? model::class_count(retention) : 1); ++number) {
    if (sources.series_class && *sources.series_class != number) continue;
    const model::SeriesSet series = has_classes ? model::series_of(retention, number) : model::SeriesSet();
    if (model::are_apart(series.where, rows.where)) continue;
    Planner planner(table, series.is_all() ? nullptr : std::make_shared<const model::SeriesSet>(series), plan);
    for (const auto& [level, made] : usable) {
      Source source = made;
      MARIGRAM_ASSIGN(source.due, due_times(table, *source.level, rows.where, series, newer));
      source.horizon = horizon_of(table, number, source.level->name);
      source.finest_until = finest_until(table, number, level);
      planner.add(std::move(source));
    }
    planner.plan(whole);
  }
  return plan;
}

}  // namespace marigram::query
