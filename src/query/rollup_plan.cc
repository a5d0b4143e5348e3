#include "query/rollup_plan.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "coverage/coverage_map.h"
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
  std::vector<Span> due = {};  // ascending and apart: times of which it does not say what is so

  std::int64_t down(std::int64_t time) { return time == kMin || time == kMax ? time : intervals.of(time).start; }
  std::int64_t up(std::int64_t time) {
    if (time == kMin || time == kMax) return time;
    const TimeBuckets::Bucket bucket = intervals.of(time);
    if (bucket.start == time) return time;
    const auto end = static_cast<std::int64_t>(bucket.begin + bucket.width);
    return end > time ? end : kMax;
  }
};

class Planner {
 public:
  explicit Planner(const TableView& table) : table_(table) {}

  void add(Source source) { sources_.push_back(std::move(source)); }
  bool empty() const { return sources_.empty(); }

  std::vector<Piece> plan(const Span& whole) {
    cover(whole, sources_.size());
    return std::move(pieces_);
  }

 private:
  /// By the first so many sources.
  void cover(const Span& span, std::size_t sources) {
    if (span.from >= span.to) return;
    if (sources == 0) return add_piece(nullptr, span);
    Source& source = sources_[sources - 1];
    const Span inner{.from = source.up(span.from), .to = source.down(span.to)};
    if (inner.from >= inner.to) return cover(span, sources - 1);
    cover({span.from, inner.from}, sources - 1);
    std::int64_t at = inner.from;
    auto due = std::ranges::lower_bound(source.due, at, {}, [](const Span& own) { return own.to; });
    for (; due != source.due.end() && due->from < inner.to; ++due) {
      const Span wide{.from = std::max(source.down(due->from), at), .to = std::min(source.up(due->to), inner.to)};
      if (wide.from >= wide.to) continue;  // within the interval that the one before had a part of
      if (at < wide.from) add_piece(source.level, {at, wide.from});
      cover(wide, sources - 1);
      at = wide.to;
    }
    if (at < inner.to) add_piece(source.level, {at, inner.to});
    cover({inner.to, span.to}, sources - 1);
  }

  void add_piece(const log::Level* level, const Span& span) {
    const auto value = [&](std::int64_t time, std::int64_t none) {
      return time == none ? std::optional<IndexValue>() : table_.units.to_value(time);
    };
    if (!pieces_.empty() && pieces_.back().level == level) {
      pieces_.back().to = value(span.to, kMax);
    } else {
      pieces_.push_back({.level = level, .from = value(span.from, kMin), .to = value(span.to, kMax)});
    }
  }

  const TableView& table_;
  std::vector<Source> sources_;  // from the finest to the coarsest
  std::vector<Piece> pieces_;
};

/// The first unit that is not before the value.
std::int64_t units_from(const TableView& table, const IndexValue& value) {
  const std::int64_t units = table.units.from_value(value);
  return table.units.to_value(units) < value && units < kMax ? units + 1 : units;
}

Span span_of(const TableView& table, const ScanRequest& rows) {
  Span span;
  if (rows.from) span.from = units_from(table, *rows.from);
  if (rows.to) span.to = units_from(table, *rows.to);
  return span;
}

/// Times of the buckets of series that are asked for.
Result<std::vector<Span>> due_times(const TableView& table, const log::Level& level,
                                    const std::vector<TagPredicate>& where, const coverage::BucketSet& newer) {
  MARIGRAM_ASSIGN(const auto due, table.snapshot.engine.due(*table.snapshot.state, level));
  coverage::BucketSet buckets = newer;
  for (const auto& [series, own] : *due) {
    if (table::series_matches(series, table.index, where)) buckets.unite(own);
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

}  // namespace

Result<std::vector<Piece>> plan_pieces(const TableView& table, const ScanRequest& rows, const AggregationSpec& spec,
                                       std::size_t levels, const coverage::BucketSet& newer) {
  const log::TableState& state = *table.snapshot.state;
  const Span whole = span_of(table, rows);
  Planner planner(table);
  for (std::size_t i = 0; i < levels; ++i) {
    const log::Level& level = state.levels[i];
    const auto has = extent(table, level);
    if (!has || !LevelColumns::make(spec.columns, *level.table->meta->schema)) continue;
    MARIGRAM_ASSIGN(TimeBuckets intervals, table::level_buckets(state, level.interval));
    TimeBuckets every = spec.every;
    if (!every.are_made_of(intervals, std::max(has->from, whole.from), std::min(has->to, whole.to))) continue;
    MARIGRAM_ASSIGN(std::vector<Span> due, due_times(table, level, rows.where, newer));
    planner.add({.level = &level, .intervals = std::move(intervals), .due = std::move(due)});
  }
  if (planner.empty() || (rows.from && rows.to && whole.from >= whole.to)) {
    return std::vector<Piece>{{.level = nullptr, .from = rows.from, .to = rows.to}};
  }
  return planner.plan(whole);
}

}  // namespace marigram::query
