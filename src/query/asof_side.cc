#include "query/asof_side.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "coverage/run_cursor.h"
#include "table/scan.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace marigram::query {
namespace {

constexpr std::size_t kSeriesInPredicateMax = 1'000;

/// Conditions that rows of these series fulfil, and of few others; none if the series are many.
std::vector<TagPredicate> predicates_for(const std::vector<const SeriesKey*>& series, const model::IndexSpec& index) {
  std::vector<TagPredicate> predicates;
  if (series.size() > kSeriesInPredicateMax) return predicates;
  for (std::size_t i = 0; i < index.tags.size(); ++i) {
    std::set<std::string> values;
    for (const SeriesKey* key : series) values.insert(format_tag_value((*key)[i]));
    predicates.push_back({.column = index.tags[i], .values = {values.begin(), values.end()}});
  }
  return predicates;
}

}  // namespace

AsofSearch::AsofSearch(const AsofPlan& plan, AsofSide side, std::vector<AsofLane>& lanes, AsofStatistics& statistics)
    : plan_(plan),
      side_(side),
      lanes_(lanes),
      statistics_(statistics),
      matches_(lanes.size(), std::vector<AsofMatch>(plan.probes.times().size())) {}

Result<std::vector<std::vector<AsofMatch>>> AsofSearch::run() {
  set_bounds();
  for (const auto& [window, works] : distribute()) MARIGRAM_TRY(search(window, works));
  if (!pending_.empty()) {
    MARIGRAM_ASSIGN(coverage_, plan_.snapshot.engine.coverage(*plan_.snapshot.state));
    MARIGRAM_TRY(read_newer());
  }
  while (!pending_.empty()) MARIGRAM_TRY(look_further());
  return std::move(matches_);
}

void AsofSearch::set_bounds() {
  const auto times = plan_.probes.times();
  bounds_.resize(times.size());
  bounded_.resize(times.size());
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto bound = plan_.clock.bound(side_, times[i], plan_.request.allow_exact_matches);
    bounded_[i] = bound ? 1 : 0;
    bounds_[i] = bound.value_or(0);
  }
}

/// The probes of each window. Bounds ascend within a series, and those that are none stand at one end.
std::map<std::size_t, std::vector<AsofSearch::Work>> AsofSearch::distribute() const {
  std::map<std::size_t, std::vector<Work>> works;
  for (const auto& [key, stretch] : plan_.probes.series()) {
    if (!table::series_matches(key, plan_.index, plan_.request.where)) continue;
    std::size_t begin = stretch.begin;
    std::size_t end = stretch.end;
    while (begin < end && bounded_[begin] == 0) ++begin;
    while (begin < end && bounded_[end - 1] == 0) --end;
    while (begin < end) {
      const std::size_t window = plan_.windows.of(bounds_[begin]);
      const auto next = plan_.windows.end(window);
      const auto rest = std::span(bounds_).subspan(begin, end - begin);
      const std::size_t own =
          next ? static_cast<std::size_t>(std::ranges::lower_bound(rest, *next) - rest.begin()) : rest.size();
      works[window].push_back({&key, begin, begin + own});
      begin += own;
    }
  }
  return works;
}

Result<AsofRows> AsofSearch::load(std::size_t window, ScanRequest request,
                                  const std::vector<const SeriesKey*>& series) const {
  request.columns = plan_.columns;
  request.where = plan_.request.where;
  request.cancel = plan_.request.cancel;
  request.batch_rows = std::size_t{1} << 24U;  // in one piece: what comes in several is copied
  std::ranges::move(predicates_for(series, plan_.index), std::back_inserter(request.where));
  MARIGRAM_ASSIGN(table::ScanStream stream, plan_.windows.rows(window, std::move(request)));
  return AsofRows::load(*stream.rows, stream.schema, plan_.index);
}

Status AsofSearch::search(std::size_t window, const std::vector<Work>& works) {
  ++statistics_.windows_read;
  std::vector<const SeriesKey*> series;
  std::int64_t first = INT64_MAX;
  std::int64_t last = INT64_MIN;
  for (const Work& work : works) {
    series.push_back(work.series);
    first = std::min(first, bounds_[work.begin]);
    last = std::max(last, bounds_[work.end - 1]);
  }
  ScanRequest request;
  if (before() && last < INT64_MAX) request.to = plan_.units.to_value(last + 1);
  if (!before()) request.from = plan_.units.to_value(first);
  MARIGRAM_ASSIGN(const AsofRows rows, load(window, std::move(request), series));
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    for (const Work& work : works) match(rows, lane, work, window);
    MARIGRAM_TRY(lanes_[lane].flush(rows));
  }
  return {};
}

void AsofSearch::match(const AsofRows& rows, std::size_t lane, const Work& work, std::size_t window) {
  const SeriesTimes own = rows.times_of(*work.series, lanes_[lane].valid());
  const auto times = own.times();
  std::vector<std::size_t> found(work.end - work.begin);
  find_rows(side_, times, std::span(bounds_).subspan(work.begin, found.size()), found);
  Work missed = work;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i] == kNoRow) continue;
    if (before() && missed.end == work.end) missed.end = work.begin + i;
    if (!before()) missed.begin = work.begin + i + 1;
    matches_[lane][work.begin + i] = {lanes_[lane].keep(own.row(found[i])), times[found[i]]};
  }
  if (missed.begin != missed.end) put_off(lane, missed, window);
}

/// Their rows, if there are any, lie beyond this window.
void AsofSearch::put_off(std::size_t lane, const Work& missed, std::size_t window) {
  const auto end = plan_.windows.end(window);
  if (before() ? window == 0 : !end) return;  // there is nothing beyond
  pending_.push_back({.lane = lane, .work = missed, .limit = before() ? plan_.windows.begin(window) : *end - 1});
}

// ---- beyond a probe's own window ----

/// Coverage does not know of rows that are newer than all segments.
Status AsofSearch::read_newer() {
  if (!plan_.snapshot.newer) return {};
  ScanRequest request;
  request.columns = plan_.columns;
  request.where = plan_.request.where;
  request.cancel = plan_.request.cancel;
  MARIGRAM_ASSIGN(const table::ScanStream stream, plan_.windows.newer_rows(request));
  MARIGRAM_ASSIGN(newer_, AsofRows::load(*stream.rows, stream.schema, plan_.index));
  return {};
}

/// The first time beyond the limit; unset: there is none.
std::optional<std::int64_t> AsofSearch::beyond(std::int64_t limit) const {
  if (limit == (before() ? INT64_MIN : INT64_MAX)) return std::nullopt;
  return before() ? limit - 1 : limit + 1;
}

/// The row beyond the limit, at the nearest; kNoRow: there is none.
std::size_t AsofSearch::nearest_row(const SeriesTimes& own, std::int64_t limit) const {
  const auto bound = beyond(limit);
  std::size_t row = kNoRow;
  if (bound) find_rows(side_, own.times(), std::span(&*bound, 1), std::span(&row, 1));
  return row;
}

/// Where a segment has a row of the series beyond the limit, at the nearest; rows of other lanes count too.
std::optional<std::int64_t> AsofSearch::covered(const Pending& pending) const {
  const bool by_series = plan_.snapshot.state->dialect() == Dialect::kV7;  // v1 has one series, and does not name it
  const auto found = coverage_->find(by_series ? *pending.work.series : SeriesKey());
  const auto nearest = beyond(pending.limit);
  if (found == coverage_->end() || !nearest) return std::nullopt;
  const coverage::BucketGrid grid(plan_.snapshot.state->dialect(), plan_.index.kind);
  const auto id = grid.id_of(plan_.units.to_value(*nearest));
  if (!id) return std::nullopt;
  using Direction = coverage::RunCursor::Direction;
  coverage::RunCursor runs(found->second, before() ? coverage::IdRange{0, *id} : coverage::IdRange{*id, grid.max_id()},
                           before() ? Direction::kDown : Direction::kUp);
  const auto run = runs.next();
  if (!run) return std::nullopt;
  if (!before()) return std::max(plan_.units.from_value(grid.start_of(run->first)), *nearest);
  if (run->last == *id) return nearest;
  return plan_.units.from_value(grid.end_of(run->last)) - 1;
}

/// Where a row is that is newer than all segments, likewise.
std::optional<std::int64_t> AsofSearch::newer(const Pending& pending) const {
  if (!newer_) return std::nullopt;
  const SeriesTimes own = newer_->times_of(*pending.work.series, lanes_[pending.lane].valid());
  const std::size_t row = nearest_row(own, pending.limit);
  return row == kNoRow ? std::nullopt : std::optional(own.times()[row]);
}

/// The nearest time at which there may be a row; unset if there is none, or none near enough.
std::optional<std::int64_t> AsofSearch::target(const Pending& pending) const {
  const auto old = covered(pending);
  const auto late = newer(pending);
  if (!old && !late) return std::nullopt;
  const std::int64_t at = !old ? *late : !late ? *old : before() ? std::max(*old, *late) : std::min(*old, *late);
  if (!plan_.tolerance) return at;
  const std::int64_t probe = plan_.probes.times()[before() ? pending.work.begin : pending.work.end - 1];
  return plan_.clock.distance(probe, at) <= *plan_.tolerance ? std::optional(at) : std::nullopt;
}

/// One window further for each.
Status AsofSearch::look_further() {
  std::map<std::size_t, std::vector<Pending>> by_window;
  for (const Pending& pending : std::exchange(pending_, {})) {
    const auto at = target(pending);
    if (at) by_window[plan_.windows.of(*at)].push_back(pending);
  }
  for (auto& [window, pending] : by_window) MARIGRAM_TRY(look_into(window, pending));
  return {};
}

Status AsofSearch::look_into(std::size_t window, std::vector<Pending>& pending) {
  ++statistics_.looked_back;
  std::set<const SeriesKey*> series;
  std::int64_t limit = before() ? INT64_MIN : INT64_MAX;
  for (const Pending& one : pending) {
    series.insert(one.work.series);
    limit = before() ? std::max(limit, one.limit) : std::min(limit, one.limit);
  }
  ScanRequest request;
  if (before()) request.to = plan_.units.to_value(limit);
  if (!before()) request.from = plan_.units.to_value(limit + 1);
  MARIGRAM_ASSIGN(const AsofRows rows, load(window, std::move(request), {series.begin(), series.end()}));
  std::ranges::stable_sort(pending, {}, &Pending::lane);
  for (std::size_t i = 0; i < pending.size(); ++i) {
    settle(rows, window, pending[i]);
    const bool is_last = i + 1 == pending.size() || pending[i + 1].lane != pending[i].lane;
    if (is_last) MARIGRAM_TRY(lanes_[pending[i].lane].flush(rows));
  }
  return {};
}

void AsofSearch::settle(const AsofRows& rows, std::size_t window, const Pending& pending) {
  const auto& [lane, work, limit] = pending;
  const SeriesTimes own = rows.times_of(*work.series, lanes_[lane].valid());
  const std::size_t row = nearest_row(own, limit);
  if (row == kNoRow) return put_off(lane, work, window);
  const AsofMatch match{lanes_[lane].keep(own.row(row)), own.times()[row]};
  std::fill_n(matches_[lane].begin() + static_cast<std::ptrdiff_t>(work.begin), work.end - work.begin, match);
}

}  // namespace marigram::query
