#include "query/asof_side.h"

#include "base/parallel.h"
#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "coverage/run_cursor.h"
#include "model/series_set.h"
#include "table/scan.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace marigram::query {
namespace {

constexpr std::size_t kProbesOfPart = 16'384;
constexpr std::size_t kProbesOfBatch = 1'024;  // what they touch stays in a processor's own memory till it is put

ScanRequest request_of(const AsofPlan& plan, ScanRequest request, const std::vector<const SeriesKey*>& series) {
  request.columns = plan.columns;
  request.where = plan.request.where;
  request.cancel = plan.request.cancel;
  return rows_of_series(std::move(request), series, plan.table.index);
}

/// Stretches of entries that have kProbesOfPart together, or few more: `probes` of each.
template <typename T, typename Probes>
std::vector<std::span<const T>> cut(std::span<const T> entries, Probes probes) {
  std::vector<std::span<const T>> parts;
  std::size_t begin = 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    count += probes(entries[i]);
    if (count < kProbesOfPart && i + 1 < entries.size()) continue;
    parts.push_back(entries.subspan(begin, i + 1 - begin));
    begin = i + 1;
    count = 0;
  }
  return parts;
}

/// In another order: threads that take one after the other work far apart, and so write far apart where probes come by
/// time.
template <typename T>
std::vector<T> dealt(const std::vector<T>& parts, std::size_t threads) {
  const std::size_t share = parts.size() / threads + 1;
  std::vector<T> dealt;
  for (std::size_t i = 0; i < share; ++i) {
    for (std::size_t at = i; at < parts.size(); at += share) dealt.push_back(parts[at]);
  }
  return dealt;
}

}  // namespace

Result<AsofRows> scan_window(const AsofPlan& plan, std::size_t window, ScanRequest request,
                             const std::vector<const SeriesKey*>& series) {
  MARIGRAM_ASSIGN(table::ScanStream stream,
                  plan.windows.rows(window, window, request_of(plan, std::move(request), series)));
  return AsofRows::load(*stream.rows, stream.schema, plan.table.index);
}

Status scan_newer(AsofPlan& plan) {
  if (!plan.table.snapshot.newer) return {};
  std::vector<const SeriesKey*> series;
  for (const auto& [key, stretch] : plan.probes.series()) series.push_back(&key);
  MARIGRAM_ASSIGN(const table::ScanStream stream, plan.windows.newer_rows(request_of(plan, {}, series)));
  MARIGRAM_ASSIGN(AsofRows rows, AsofRows::load(*stream.rows, stream.schema, plan.table.index));
  plan.newer_times.assign(rows.times().begin(), rows.times().end());
  std::ranges::sort(plan.newer_times);
  plan.newer = std::make_shared<AsofRows>(std::move(rows));
  return {};
}

AsofSearch::AsofSearch(const AsofPlan& plan, AsofSide side, std::vector<AsofLane>& lanes, AsofStatistics& statistics)
    : plan_(plan),
      side_(side),
      is_second_(plan.request.direction == AsofDirection::kNearest && side == AsofSide::kAfter),
      lanes_(lanes),
      statistics_(statistics),
      bounds_(plan.probes.times()) {
  if (plan.clock.is_same() && plan.request.allow_exact_matches) return;
  other_bounds_.resize(bounds_.size());
  bounded_.resize(bounds_.size());
  bounds_ = other_bounds_;
}

Status AsofSearch::run() {
  for (const auto& [key, stretch] : plan_.probes.series()) {
    if (model::series_matches(key, plan_.table.index, plan_.request.where)) {
      if (!bounded_.empty()) set_bounds(stretch);
      distribute(key, stretch);
    } else {
      miss(stretch.begin, stretch.end);
    }
  }
  statistics_.windows_read += works_.size();
  const std::vector<Part> all = parts();
  ThreadPool& pool = plan_.table.pool();
  MARIGRAM_TRY(for_each_part(pool, all.size(), [&](std::size_t i) { return search_part(all[i]); }));
  statistics_.windows_scanned += to_scan_.size();
  const Status scanned = scan_each([&](std::size_t window) { return scan(window, works_.at(window)); });
  if (!scanned) return scanned;
  if (pending_.empty()) return {};
  MARIGRAM_ASSIGN(coverage_, plan_.table.snapshot.engine.coverage(*plan_.table.snapshot.state));
  while (!pending_.empty()) MARIGRAM_TRY(look_further());
  return {};
}

void AsofSearch::set_bounds(const ProbeSet::Stretch& stretch) {
  const auto times = plan_.probes.times();
  for (std::size_t i = stretch.begin; i < stretch.end; ++i) {
    const auto bound = plan_.clock.bound(side_, times[i], plan_.request.allow_exact_matches);
    bounded_[i] = bound ? 1 : 0;
    other_bounds_[i] = bound.value_or(0);
  }
}

/// No row for these probes, unless the other side had one.
void AsofSearch::miss(std::size_t begin, std::size_t end) {
  if (is_second_) return;
  for (AsofLane& lane : lanes_) lane.miss(plan_.probes.positions().subspan(begin, end - begin));
}

/// Bounds ascend within a series, and those that are none stand at one end.
void AsofSearch::distribute(const SeriesKey& series, const ProbeSet::Stretch& stretch) {
  std::size_t begin = stretch.begin;
  std::size_t end = stretch.end;
  if (!bounded_.empty()) {
    while (begin < end && bounded_[begin] == 0) ++begin;
    while (begin < end && bounded_[end - 1] == 0) --end;
    miss(stretch.begin, begin);
    miss(end, stretch.end);
  }
  while (begin < end) {
    const std::size_t window = plan_.windows.of(bounds_[begin]);
    const auto next = plan_.windows.end(window);
    const auto rest = bounds_.subspan(begin, end - begin);
    const std::size_t own =
        next ? static_cast<std::size_t>(std::ranges::lower_bound(rest, *next) - rest.begin()) : rest.size();
    for (const std::size_t last = begin + own; begin < last; begin = works_[window].back().end) {
      works_[window].push_back({&series, begin, std::min(begin + kProbesOfPart, last)});
    }
  }
}

std::vector<AsofSearch::Part> AsofSearch::parts() const {
  std::vector<Part> parts;
  for (const auto& [window, works] : works_) {
    const auto probes = [](const Work& work) { return work.end - work.begin; };
    for (const auto own : cut(std::span(works), probes)) parts.push_back({.window = window, .works = own});
  }
  return dealt(parts, plan_.table.pool().size());
}

/// The segments of a window, if they alone have rows there and can be searched; else none.
Result<std::span<const NativeSegment>> AsofSearch::segments_of(std::size_t window) const {
  const auto newer = std::ranges::lower_bound(plan_.newer_times, plan_.windows.begin(window));
  const auto end = plan_.windows.end(window);
  if (newer != plan_.newer_times.end() && (!end || *newer < *end)) return std::span<const NativeSegment>();
  MARIGRAM_ASSIGN(const auto segments, plan_.segments.at(window));
  const bool has_hidden =
      std::ranges::any_of(segments, [](const auto& segment) { return segment.hidden() != nullptr; });
  return has_hidden ? std::span<const NativeSegment>() : segments;
}

Status AsofSearch::search_part(const Part& part) {
  if (plan_.request.cancel.cancelled()) return fail(ErrorCode::kCancelled, "as-of join cancelled");
  MARIGRAM_ASSIGN(const auto segments, segments_of(part.window));
  std::vector<Pending> missed;
  if (!segments.empty()) {
    AsofChain rows(segments);
    MARIGRAM_TRY(search(rows, part.window, part.works, missed));
  }
  const std::lock_guard lock(mutex_);
  if (segments.empty()) to_scan_.insert(part.window);
  pending_.insert(pending_.end(), missed.begin(), missed.end());
  return {};
}

Status AsofSearch::scan(std::size_t window, const std::vector<Work>& works) {
  std::vector<const SeriesKey*> series;
  std::int64_t first = INT64_MAX;
  std::int64_t last = INT64_MIN;
  for (const Work& work : works) {
    series.push_back(work.series);
    first = std::min(first, bounds_[work.begin]);
    last = std::max(last, bounds_[work.end - 1]);
  }
  ScanRequest request;
  if (before() && last < INT64_MAX) request.to = plan_.table.units.to_value(last + 1);
  if (!before()) request.from = plan_.table.units.to_value(first);
  MARIGRAM_ASSIGN(AsofRows rows, scan_window(plan_, window, std::move(request), series));
  std::vector<Pending> missed;
  MARIGRAM_TRY(search(rows, window, works, missed));
  const std::lock_guard lock(mutex_);
  pending_.insert(pending_.end(), missed.begin(), missed.end());
  return {};
}

/// Calls it for each window that is to be scanned: side by side where one segment is read, whose scan waits for no task
/// of the pool; others read ahead on the pool themselves.
Status AsofSearch::scan_each(const std::function<Status(std::size_t)>& task) const {
  std::vector<std::size_t> alone;
  std::vector<std::size_t> merged;
  for (const std::size_t window : to_scan_) {
    const bool is_alone = !plan_.table.snapshot.newer && plan_.windows.segments(window).size() <= 1;
    (is_alone ? alone : merged).push_back(window);
  }
  ThreadPool& pool = plan_.table.pool();
  const Status status = for_each_part(pool, alone.size(), [&](std::size_t i) { return task(alone[i]); });
  if (!status) return status;
  for (const std::size_t window : merged) MARIGRAM_TRY(task(window));
  return {};
}

Status AsofSearch::search(AsofSource& source, std::size_t window, std::span<const Work> works,
                          std::vector<Pending>& missed) {
  Batch batch;
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    std::size_t room = kProbesOfBatch;
    for (const Work& work : works) {
      for (std::size_t begin = work.begin; begin < work.end;) {
        const std::size_t count = std::min(room, work.end - begin);
        batch.works.push_back({work.series, begin, begin + count});
        begin += count;
        room -= count;
        if (room > 0) continue;
        MARIGRAM_TRY(search(source, window, lane, batch, missed));
        room = kProbesOfBatch;
      }
    }
    MARIGRAM_TRY(search(source, window, lane, batch, missed));
  }
  return {};
}

/// Leaves the batch empty.
Status AsofSearch::search(AsofSource& source, std::size_t window, std::size_t lane, Batch& batch,
                          std::vector<Pending>& missed) {
  auto& [works, found, questions, picks] = batch;
  std::size_t probes = 0;
  for (const Work& work : works) probes += work.end - work.begin;
  found.resize(probes);
  for (const Work& work : works) {
    const std::size_t count = work.end - work.begin;
    questions.push_back({work.series, bounds_.subspan(work.begin, count), std::span(found).last(probes).first(count)});
    probes -= count;
  }
  AsofLane& to = lanes_[lane];
  MARIGRAM_TRY(source.find(side_, to.valid(), to.columns(), questions));
  for (std::size_t i = 0; i < works.size(); ++i) {
    // Those that met none stand at one end, too.
    const std::span<const AsofRow> own = questions[i].found;
    const auto cut = std::ranges::partition_point(own, [&](const AsofRow& row) { return row.is_there() != before(); });
    const Work ahead{works[i].series, works[i].begin, works[i].begin + static_cast<std::size_t>(cut - own.begin())};
    const Work behind{works[i].series, ahead.end, works[i].end};
    const Work& met = before() ? behind : ahead;
    const Work& none = before() ? ahead : behind;
    meet(to, met, own.subspan(met.begin - works[i].begin, met.end - met.begin), picks);
    if (none.begin == none.end) continue;
    if (!is_second_) to.miss(plan_.probes.positions().subspan(none.begin, none.end - none.begin));
    put_off(lane, none, window, missed);
  }
  works.clear();
  questions.clear();
  return picks.put(source, to);
}

void AsofSearch::Picks::add(std::span<const AsofRow> found, std::span<const std::uint32_t> probes) {
  const std::size_t before = rows.size();
  rows.resize(before + found.size());
  times.resize(before + found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    rows[before + i] = found[i].row;
    times[before + i] = found[i].time;
  }
  to.insert(to.end(), probes.begin(), probes.end());
}

Status AsofSearch::Picks::put(AsofSource& source, AsofLane& lane) {
  MARIGRAM_TRY(lane.put(source, {rows, to}, times));
  rows.clear();
  times.clear();
  to.clear();
  return {};
}

/// The probes take the rows that were found, all of them, if these are near enough, and nearer than those before.
void AsofSearch::meet(AsofLane& lane, const Work& work, std::span<const AsofRow> found, Picks& picks) {
  const auto positions = plan_.probes.positions().subspan(work.begin, found.size());
  if (!plan_.tolerance && !is_second_) return picks.add(found, positions);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (is_better(lane, work.begin + i, found[i])) {
      picks.add(found[i], positions[i]);
      lane.meet(positions[i]);
    } else if (!is_second_) {
      lane.miss(positions[i]);
    }
  }
}

/// `probe`: of ProbeSet::times().
bool AsofSearch::is_better(const AsofLane& lane, std::size_t probe, const AsofRow& row) const {
  const std::int64_t time = plan_.probes.times()[probe];
  const Distance distance = plan_.clock.distance(time, row.time);
  if (plan_.tolerance && distance > *plan_.tolerance) return false;
  const std::int64_t* const other = is_second_ ? lane.met(plan_.probes.positions()[probe]) : nullptr;
  return other == nullptr || distance < plan_.clock.distance(time, *other);
}

/// Their rows, if there are any, lie beyond this window.
void AsofSearch::put_off(std::size_t lane, const Work& missed, std::size_t window,
                         std::vector<Pending>& pending) const {
  const auto end = plan_.windows.end(window);
  if (before() ? window == 0 : !end) return;  // there is nothing beyond
  const std::int64_t limit = before() ? plan_.windows.begin(window) : *end - 1;
  const bool goes_on = !pending.empty() && pending.back().lane == lane && pending.back().limit == limit &&
                       pending.back().work.series == missed.series && pending.back().work.end == missed.begin;
  if (goes_on) {
    pending.back().work.end = missed.end;
  } else {
    pending.push_back({.lane = lane, .work = missed, .limit = limit});
  }
}

// ---- beyond a probe's own window ----

/// The first time beyond the limit; unset: there is none.
std::optional<std::int64_t> AsofSearch::beyond(std::int64_t limit) const {
  if (limit == (before() ? INT64_MIN : INT64_MAX)) return std::nullopt;
  return before() ? limit - 1 : limit + 1;
}

/// Where a segment has a row of the series beyond the limit, at the nearest; rows of other lanes count too.
std::optional<std::int64_t> AsofSearch::covered(const Pending& pending) const {
  const bool by_series =
      plan_.table.snapshot.state->dialect() == Dialect::kV7;  // v1 has one series, and does not name it
  const auto found = coverage_->find(by_series ? *pending.work.series : SeriesKey());
  const auto nearest = beyond(pending.limit);
  if (found == coverage_->end() || !nearest) return std::nullopt;
  const coverage::BucketGrid grid(plan_.table.snapshot.state->dialect(), plan_.table.index.kind);
  const auto id = grid.id_of(plan_.table.units.to_value(*nearest));
  if (!id) return std::nullopt;
  using Direction = coverage::RunCursor::Direction;
  coverage::RunCursor runs(found->second, before() ? coverage::IdRange{0, *id} : coverage::IdRange{*id, grid.max_id()},
                           before() ? Direction::kDown : Direction::kUp);
  const auto run = runs.next();
  if (!run) return std::nullopt;
  if (!before()) return std::max(plan_.table.units.from_value(grid.start_of(run->first)), *nearest);
  if (run->last == *id) return nearest;
  return plan_.table.units.from_value(grid.end_of(run->last)) - 1;
}

/// Where a row is that is newer than all segments, likewise: coverage does not know of it.
Result<std::optional<std::int64_t>> AsofSearch::newer(const Pending& pending) const {
  const auto bound = beyond(pending.limit);
  if (!plan_.newer || !bound) return std::nullopt;
  AsofRow row;
  const AsofQuestion question{pending.work.series, {&*bound, 1}, {&row, 1}};
  MARIGRAM_TRY(plan_.newer->find(side_, lanes_[pending.lane].valid(), {}, {&question, 1}));
  return row.is_there() ? std::optional(row.time) : std::nullopt;
}

/// The nearest time at which there may be a row; unset if there is none, or none near enough.
Result<std::optional<std::int64_t>> AsofSearch::target(const Pending& pending) const {
  const auto old = covered(pending);
  MARIGRAM_ASSIGN(const auto late, newer(pending));
  if (!old && !late) return std::nullopt;
  const std::int64_t at = !old ? *late : !late ? *old : before() ? std::max(*old, *late) : std::min(*old, *late);
  if (!plan_.tolerance) return at;
  const std::int64_t probe = plan_.probes.times()[before() ? pending.work.begin : pending.work.end - 1];
  return plan_.clock.distance(probe, at) <= *plan_.tolerance ? std::optional(at) : std::nullopt;
}

/// One window further for each.
Status AsofSearch::look_further() {
  const std::vector<Pending> pending = std::exchange(pending_, {});
  constexpr std::size_t kOfPart = 1'024;
  std::map<std::size_t, std::vector<Pending>> by_window;
  ThreadPool& pool = plan_.table.pool();
  MARIGRAM_TRY(for_each_part(pool, (pending.size() + kOfPart - 1) / kOfPart, [&](std::size_t part) -> Status {
    const auto own = std::span(pending).subspan(part * kOfPart, std::min(kOfPart, pending.size() - part * kOfPart));
    std::vector<std::optional<std::int64_t>> targets;
    for (const Pending& one : own) {
      MARIGRAM_ASSIGN(const auto at, target(one));
      targets.push_back(at);
    }
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (targets[i]) by_window[plan_.windows.of(*targets[i])].push_back(own[i]);
    }
    return {};
  }));
  statistics_.looked_back += by_window.size();
  to_scan_.clear();
  std::vector<std::pair<std::size_t, std::span<const Pending>>> parts;
  for (auto& [window, own] : by_window) {
    std::ranges::stable_sort(own, {}, [](const Pending& one) { return std::pair(one.lane, one.work.begin); });
    const auto probes = [](const Pending& one) { return one.work.end - one.work.begin; };
    for (const auto part : cut(std::span<const Pending>(own), probes)) parts.emplace_back(window, part);
  }
  MARIGRAM_TRY(for_each_part(pool, parts.size(), [&](std::size_t i) -> Status {
    const auto& [window, own] = parts[i];
    MARIGRAM_ASSIGN(const auto segments, segments_of(window));
    if (!segments.empty()) {
      AsofChain rows(segments);
      return settle(rows, window, own);
    }
    const std::lock_guard lock(mutex_);
    to_scan_.insert(window);
    return {};
  }));
  return scan_each([&](std::size_t window) { return scan_for(window, by_window.at(window)); });
}

Status AsofSearch::scan_for(std::size_t window, const std::vector<Pending>& pending) {
  std::set<const SeriesKey*> series;
  std::int64_t limit = before() ? INT64_MIN : INT64_MAX;
  for (const Pending& one : pending) {
    series.insert(one.work.series);
    limit = before() ? std::max(limit, one.limit) : std::min(limit, one.limit);
  }
  ScanRequest request;
  if (before()) request.to = plan_.table.units.to_value(limit);
  if (!before()) request.from = plan_.table.units.to_value(limit + 1);
  MARIGRAM_ASSIGN(AsofRows rows, scan_window(plan_, window, std::move(request), {series.begin(), series.end()}));
  return settle(rows, window, pending);
}

/// `pending` by lane. Of one entry, all probes meet the same row.
Status AsofSearch::settle(AsofSource& source, std::size_t window, std::span<const Pending> pending) {
  std::vector<Pending> missed;
  Picks picks;
  for (std::size_t i = 0; i < pending.size(); ++i) {
    const auto& [lane, work, limit] = pending[i];
    const auto bound = beyond(limit);
    AsofRow row;
    if (bound) {
      const AsofQuestion question{work.series, {&*bound, 1}, {&row, 1}};
      MARIGRAM_TRY(source.find(side_, lanes_[lane].valid(), {}, {&question, 1}));
    }
    if (row.is_there()) {
      MARIGRAM_TRY(settle(source, lanes_[lane], work, row, picks));
    } else {
      put_off(lane, work, window, missed);
    }
    if (i + 1 == pending.size() || pending[i + 1].lane != lane) MARIGRAM_TRY(picks.put(source, lanes_[lane]));
  }
  const std::lock_guard lock(mutex_);
  pending_.insert(pending_.end(), missed.begin(), missed.end());
  return {};
}

/// Probes that missed meet a row, if it is near enough.
Status AsofSearch::settle(AsofSource& source, AsofLane& lane, const Work& work, const AsofRow& row, Picks& picks) {
  const std::vector<AsofRow> found(std::min(kProbesOfBatch, work.end - work.begin), row);
  for (std::size_t begin = work.begin; begin < work.end; begin += found.size()) {
    const std::size_t count = std::min(found.size(), work.end - begin);
    if (!is_second_) lane.meet(plan_.probes.positions().subspan(begin, count));
    meet(lane, {work.series, begin, begin + count}, std::span(found).first(count), picks);
    if (picks.to.size() >= kProbesOfBatch) MARIGRAM_TRY(picks.put(source, lane));
  }
  return {};
}

}  // namespace marigram::query
