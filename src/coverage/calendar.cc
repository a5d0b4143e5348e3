#include "coverage/calendar.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "coverage/bucket_set.h"
#include "coverage/calendar_rules.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>

namespace marigram::coverage {
namespace {

using date::local_days;
using date::local_seconds;
using date::sys_days;
using date::sys_seconds;

constexpr std::int64_t kYearsMax = 200;
constexpr std::int64_t kYearSeconds = 31'556'952;  // mean, Gregorian
// The calendar's own years end a little before what the date library can count.
constexpr sys_days kFirstDay = date::year(-30'000) / 1 / 1;
constexpr sys_days kLastDay = date::year(30'000) / 1 / 1;

struct Span {
  sys_seconds begin;
  sys_seconds end;  // exclusive
};

enum class Choice { kEarlier, kLater };

/// The instant of a wall time; at a gap the instant of the change, of two the one chosen.
sys_seconds to_utc(const date::time_zone& zone, local_seconds wall, Choice choice) {
  const date::local_info info = zone.get_info(wall);
  if (info.result == date::local_info::nonexistent) return info.first.end;
  const bool second = info.result == date::local_info::ambiguous && choice == Choice::kLater;
  return sys_seconds((wall - (second ? info.second : info.first).offset).time_since_epoch());
}

/// Sorts, and joins what overlaps or touches.
std::vector<Span> merge(std::vector<Span> spans) {
  std::ranges::sort(spans, {}, &Span::begin);
  std::vector<Span> merged;
  for (const Span& span : spans) {
    if (!merged.empty() && span.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, span.end);
    } else {
      merged.push_back(span);
    }
  }
  return merged;
}

/// `from` without `what`; both merged.
std::vector<Span> subtract(const std::vector<Span>& from, const std::vector<Span>& what) {
  std::vector<Span> rest;
  auto hole = what.begin();
  for (const Span& span : from) {
    sys_seconds begin = span.begin;
    while (hole != what.end() && hole->end <= begin) ++hole;
    for (auto it = hole; it != what.end() && it->begin < span.end; ++it) {
      if (begin < it->begin) rest.push_back({.begin = begin, .end = it->begin});
      begin = std::max(begin, it->end);
    }
    if (begin < span.end) rest.push_back({.begin = begin, .end = span.end});
  }
  return rest;
}

/// Lays a calendar's rules on the days of a range.
class Layout {
 public:
  Layout(const Calendar::Rules& rules, local_days first, local_days last) : rules_(rules), first_(first), last_(last) {}

  std::vector<Span> spans() {
    for (local_days day = first_; day <= last_; day += date::days(1)) add_sessions(day);
    std::vector<Span> open = subtract(merge(std::move(sessions_)), merge(closed_days()));
    for (auto it = rules_.special.lower_bound(first_); it != rules_.special.end() && it->first <= last_; ++it) {
      for (const WallSpan& span : it->second) add(open, it->first + span.open, it->first + span.close);
    }
    return merge(std::move(open));
  }

 private:
  void add(std::vector<Span>& to, local_seconds open, local_seconds close) const {
    const Span span{.begin = to_utc(*rules_.zone, open, Choice::kEarlier),
                    .end = to_utc(*rules_.zone, close, Choice::kLater)};
    // A session that lies inside a gap of the clock does not take place.
    if (span.begin < span.end) to.push_back(span);
  }

  void add_sessions(local_days day) {
    const unsigned weekday = date::weekday(day).c_encoding();
    for (const DailySession& session : rules_.daily) {
      if (session.days.contains(weekday)) add(sessions_, day + session.span.open, day + session.span.close);
    }
    for (const WeeklySession& session : rules_.weekly) {
      if (session.open_day == weekday) add(sessions_, day + session.open, day + session.open + session.length);
    }
  }

  void close_day(std::vector<Span>& closed, local_days day) const {
    // Both ends by the same choice: neighbouring days touch and do not overlap.
    closed.push_back({.begin = to_utc(*rules_.zone, day, Choice::kEarlier),
                      .end = to_utc(*rules_.zone, day + date::days(1), Choice::kEarlier)});
  }

  std::vector<Span> closed_days() const {
    std::vector<Span> closed;
    for (auto it = rules_.holidays.lower_bound(first_); it != rules_.holidays.end() && *it <= last_; ++it) {
      close_day(closed, *it);
    }
    for (auto it = rules_.special.lower_bound(first_); it != rules_.special.end() && it->first <= last_; ++it) {
      close_day(closed, it->first);
    }
    return closed;
  }

  const Calendar::Rules& rules_;
  local_days first_;
  local_days last_;
  std::vector<Span> sessions_;
};

std::unexpected<Error> cannot_expand(Instant from, Instant to, const std::string& cause) {
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot lay the calendar on [{}, {}): {}; ask for a narrower range",
                                                    format_rfc3339(from), format_rfc3339(to), cause));
}

/// The day from which on a zone's offsets are not known, because its yearly changes are recorded only so far.
sys_days known_until(const date::time_zone& zone) {
  const date::sys_info last = zone.get_info(sys_seconds(kLastDay));
  const auto year = date::year_month_day(date::floor<date::days>(last.begin)).year();
  // Files record yearly changes up to 2037. A zone whose last change is earlier has given them up.
  return year >= date::year(2037) ? sys_days((year + date::years(1)) / 1 / 1) : kLastDay;
}

Status check_range(const date::time_zone& zone, Instant from, Instant to) {
  if (from.seconds < sys_seconds(kFirstDay).time_since_epoch().count() ||
      to.seconds > sys_seconds(kLastDay).time_since_epoch().count()) {
    return cannot_expand(from, to, "want years -30000 to 30000");
  }
  if (to.seconds - from.seconds > kYearsMax * kYearSeconds) {
    return cannot_expand(from, to, fmt::format("want at most {} years", kYearsMax));
  }
  const sys_days known = known_until(zone);
  if (to.seconds <= sys_seconds(known).time_since_epoch().count()) return {};
  return cannot_expand(
      from, to,
      fmt::format("the changes of clocks in {} are not known from {} on", zone.name(), date::format("%F", known)));
}

std::vector<Session> clip(const std::vector<Span>& spans, Instant from, Instant to) {
  std::vector<Session> sessions;
  for (const Span& span : spans) {
    const Instant open = std::max(from, Instant{.seconds = span.begin.time_since_epoch().count()});
    const Instant close = std::min(to, Instant{.seconds = span.end.time_since_epoch().count()});
    if (open < close) sessions.push_back({.open = open, .close = close});
  }
  return sessions;
}

local_days local_day(Instant instant) {
  return local_days(date::floor<date::days>(sys_seconds(std::chrono::seconds(instant.seconds))).time_since_epoch());
}

}  // namespace

Calendar::Calendar(std::shared_ptr<const Rules> rules) : rules_(std::move(rules)) {}

const std::string& Calendar::json() const {
  return rules_->json;
}

Result<std::vector<Session>> Calendar::sessions(Instant from, Instant to) const {
  if (from >= to) return std::vector<Session>{};
  MARIGRAM_TRY(check_range(*rules_->zone, from, to));
  // A session may open up to a week before the day it is asked for, and a local date differs from the UTC date by one.
  Layout layout(*rules_, local_day(from) - date::days(9), local_day(to) + date::days(1));
  return clip(layout.spans(), from, to);
}

Result<BucketSet> Calendar::expected(const BucketGrid& grid, IdRange range) const {
  BucketSet buckets;
  if (range.first > range.last) return buckets;
  const IndexValue from = grid.start_of(range.first);
  const IndexValue to = grid.end_of(range.last);
  if (!std::holds_alternative<Instant>(from)) {
    return fail(ErrorCode::kInvalidInput,
                "cannot lay the calendar on an integer index: a calendar tells time; got an integer index, want a "
                "timestamp index");
  }
  MARIGRAM_ASSIGN(const std::vector<Session> open, sessions(std::get<Instant>(from), std::get<Instant>(to)));
  for (const Session& session : open) {
    MARIGRAM_ASSIGN(const std::uint64_t first, grid.id_of(session.open));
    MARIGRAM_ASSIGN(const std::uint64_t last, grid.last_id_before(session.close));
    buckets.add_range({.first = first, .last = last});
  }
  return buckets;
}

}  // namespace marigram::coverage
