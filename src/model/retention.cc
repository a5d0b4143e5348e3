#include "model/retention.h"

#include "base/interval_text.h"
#include "base/try.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace marigram::model {
namespace {

constexpr std::int64_t kSecondsPerDay = 86'400;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

bool has_all(const Retention& retention) {
  return std::ranges::any_of(retention, [](const RetentionClass& own) { return own.where.empty(); });
}

/// With a class for the series of none.
Retention whole(Retention retention) {
  if (!has_all(retention)) retention.emplace_back();
  return retention;
}

std::vector<TagPredicate> both(const std::vector<TagPredicate>& left, const std::vector<TagPredicate>& right) {
  std::vector<TagPredicate> all = left;
  for (const TagPredicate& predicate : right) {
    const auto same = std::ranges::find(all, predicate.column, &TagPredicate::column);
    if (same == all.end()) {
      all.push_back(predicate);
    } else {
      std::erase_if(same->values, [&](const std::string& value) {
        return std::ranges::find(predicate.values, value) == predicate.values.end();
      });
    }
  }
  return all;
}

/// Unless classes before have all of its series; in place of the last one if that has some of them and is kept alike.
void add_class(Retention& retention, RetentionClass own) {
  const auto has_them = [&](const RetentionClass& before) { return implies(own.where, before.where); };
  if (std::ranges::any_of(retention, has_them)) return;
  if (!retention.empty()) {
    const RetentionClass& last = retention.back();
    const bool is_alike = last.keep == own.keep && last.horizons == own.horizons;
    if (is_alike && implies(last.where, own.where)) retention.pop_back();
  }
  retention.push_back(std::move(own));
}

std::unexpected<Error> cannot_keep(const std::string& cause) {
  return fail(ErrorCode::kInvalidInput, "cannot keep for a time: " + cause);
}

/// A class by itself; `names`: what there is to keep, from the finest to the coarsest.
Status check_class(const RetentionClass& own, const IndexSpec& index, const std::vector<std::string>& names) {
  for (const TagPredicate& predicate : own.where) {
    if (std::ranges::find(index.tags, predicate.column) != index.tags.end()) continue;
    return cannot_keep(fmt::format("`{}` is no tag; tags are: {}", predicate.column, fmt::join(index.tags, ", ")));
  }
  for (const auto& [name, interval] : own.keep) {
    if (std::ranges::find(names, name) != names.end()) continue;
    return cannot_keep(
        fmt::format("`{}` is neither rows nor a level of rollups; there are: {}", name, fmt::join(names, ", ")));
  }
  for (std::size_t i = 1; i < names.size(); ++i) {
    const auto finer = own.keep.find(names[i - 1]);
    const auto coarser = own.keep.find(names[i]);
    if (coarser == own.keep.end()) continue;
    const bool is_shorter =
        finer == own.keep.end() || moment_before({}, finer->second) < moment_before({}, coarser->second);
    if (!is_shorter) continue;
    return cannot_keep(fmt::format("{} for {}, and {} {}; what is coarser is made of what is finer, and kept as long",
                                   coarser->first, format_interval(coarser->second), names[i - 1],
                                   finer == own.keep.end() ? "for ever" : "for " + format_interval(finer->second)));
  }
  return {};
}

}  // namespace

std::size_t class_count(const Retention& retention) {
  return retention.size() + (has_all(retention) ? 0 : 1);
}

SeriesSet series_of(const Retention& retention, std::size_t number) {
  SeriesSet series;
  if (number < retention.size()) series.where = retention[number].where;
  for (std::size_t i = 0; i < number; ++i) {
    if (!are_apart(retention[i].where, series.where)) series.except.push_back(retention[i].where);
  }
  return series;
}

std::optional<Instant> horizon_of(const Retention& retention, std::size_t number, std::string_view name) {
  if (number >= retention.size()) return std::nullopt;
  const auto found = retention[number].horizons.find(name);
  return found == retention[number].horizons.end() ? std::nullopt : std::optional(found->second);
}

bool has_horizons(const Retention& retention) {
  return std::ranges::any_of(retention, [](const RetentionClass& own) { return !own.horizons.empty(); });
}

Result<Retention> replace_keeps(const Retention& before, const Retention& wanted) {
  if (!has_horizons(before)) return wanted;
  Retention after;
  for (const RetentionClass& old : whole(before)) {
    for (const RetentionClass& own : whole(wanted)) {
      if (are_apart(old.where, own.where)) continue;
      add_class(after, {.where = both(old.where, own.where), .keep = own.keep, .horizons = old.horizons});
    }
  }
  // The last ones are as good as none where nothing is kept for a time, or gone.
  while (!after.empty() && after.back().keep.empty() && after.back().horizons.empty()) after.pop_back();
  if (after.size() <= kClassesMax) return after;
  return cannot_keep(fmt::format("that makes {} kinds of series, of which different times are gone; want at most {}",
                                 after.size(), kClassesMax));
}

Instant moment_before(Instant now, const Interval& interval) {
  const std::int64_t days = interval.days + 7 * static_cast<std::int64_t>(interval.weeks);
  std::int64_t seconds = now.seconds - days * kSecondsPerDay - interval.fixed / kNanosPerSecond;
  if (interval.months > 0) {
    namespace chrono = std::chrono;
    const chrono::sys_days day = chrono::floor<chrono::days>(chrono::sys_seconds(chrono::seconds(now.seconds)));
    const std::int64_t of_day = now.seconds - day.time_since_epoch().count() * kSecondsPerDay;
    chrono::year_month_day date = chrono::year_month_day(day) - chrono::months(interval.months);
    if (!date.ok()) date = date.year() / date.month() / chrono::last;
    seconds = chrono::sys_days(date).time_since_epoch().count() * kSecondsPerDay + of_day;
  }
  return {.seconds = seconds, .nanos = now.nanos};
}

Status check_retention(const Retention& retention, const IndexSpec& index, const std::vector<std::string>& levels) {
  std::vector<std::string> names = {std::string(kRows)};
  names.insert(names.end(), levels.begin(), levels.end());
  for (const RetentionClass& own : retention) MARIGRAM_TRY(check_class(own, index, names));
  if (retention.size() <= kClassesMax) return {};
  return cannot_keep(fmt::format("there are {} kinds of series; want at most {}", retention.size(), kClassesMax));
}

}  // namespace marigram::model
