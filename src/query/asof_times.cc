#include "query/asof_times.h"

#include "base/prefetch.h"

#include <algorithm>

namespace marigram::query {
namespace {

__extension__ using Wide = __int128;

std::int64_t units(TimeUnit unit) {
  return marigram::units_per_second(unit);
}

Wide floor_div(Wide value, std::int64_t by) {
  const Wide quotient = value / by;
  return value % by < 0 ? quotient - 1 : quotient;
}

/// Of times of which the first `from` pass, and none from `to` on, how many do. Nothing to be mispredicted.
template <typename Passes>
std::size_t count_passing(const std::int64_t* times, std::size_t from, std::size_t to, Passes passes) {
  std::size_t size = to - from;
  while (size > 0) {
    const std::size_t half = (size + 1) / 2;
    from += passes(times[from + half - 1]) ? half : 0;
    size -= half;
  }
  return from;
}

/// Calls found(i, how many of the times pass by bounds[i]).
template <typename Passes, typename Found>
void gallop(std::span<const std::int64_t> times, std::span<const std::int64_t> bounds, Passes passes, Found found) {
  constexpr std::size_t kAhead = 64;  // times are on their way before they are looked at
  const std::size_t first_step = times.size() / std::max<std::size_t>(bounds.size(), 1) + 1;
  std::size_t count = 0;  // all before this pass
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (count + kAhead < times.size()) prefetch_to_read(&times[count + kAhead]);
    const auto is_within = [bound = bounds[i], &passes](std::int64_t time) { return passes(time, bound); };
    std::size_t step = first_step;
    std::size_t end = count + step;  // of where the first that does not pass may be
    while (end <= times.size() && is_within(times[end - 1])) {
      count = end;
      step *= 2;
      end += step;
    }
    count = count_passing(times.data(), count, std::min(end - 1, times.size()), is_within);
    found(i, count);
  }
}

}  // namespace

ProbeClock::ProbeClock(TimeUnit probe, TimeUnit row)
    : per_probe_(std::max<std::int64_t>(units(row) / units(probe), 1)),
      per_row_(std::max<std::int64_t>(units(probe) / units(row), 1)),
      per_second_(static_cast<std::uint64_t>(std::max(units(probe), units(row)))) {}

std::optional<std::int64_t> ProbeClock::first_from(Fine at) const {
  const Wide first = -floor_div(-at, per_row_);
  if (first > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(std::max<Wide>(first, INT64_MIN));
}

std::optional<std::int64_t> ProbeClock::last_to(Fine at) const {
  const Wide last = floor_div(at, per_row_);
  if (last < INT64_MIN) return std::nullopt;
  return static_cast<std::int64_t>(std::min<Wide>(last, INT64_MAX));
}

std::optional<std::int64_t> ProbeClock::bound(AsofSide side, std::int64_t probe, bool exact) const {
  const Wide at = Wide{probe} * per_probe_;
  return side == AsofSide::kBefore ? last_to(exact ? at : at - 1) : first_from(exact ? at : at + 1);
}

std::optional<std::int64_t> ProbeClock::bound_from(std::int64_t probe, Distance before) const {
  return first_from(Wide{probe} * per_probe_ - static_cast<Wide>(before));
}

std::optional<std::int64_t> ProbeClock::bound_to(std::int64_t probe, Distance after) const {
  return last_to(Wide{probe} * per_probe_ + static_cast<Wide>(after));
}

Distance ProbeClock::distance(std::int64_t probe, std::int64_t row) const {
  const Wide apart = Wide{probe} * per_probe_ - Wide{row} * per_row_;
  return static_cast<Distance>(apart < 0 ? -apart : apart);
}

void find_rows(AsofSide side, std::span<const std::int64_t> times, std::int64_t first,
               std::span<const std::int64_t> bounds, std::span<AsofRow> found) {
  const auto row_at = [&](std::size_t i) { return AsofRow{first + static_cast<std::int64_t>(i), times[i]}; };
  if (side == AsofSide::kBefore) {
    gallop(
        times, bounds, [](std::int64_t time, std::int64_t bound) { return time <= bound; },
        [&](std::size_t i, std::size_t count) { found[i] = count == 0 ? AsofRow() : row_at(count - 1); });
  } else {
    gallop(
        times, bounds, [](std::int64_t time, std::int64_t bound) { return time < bound; },
        [&](std::size_t i, std::size_t count) { found[i] = count == times.size() ? AsofRow() : row_at(count); });
  }
}

void ChosenRows::find(AsofSide side, std::span<const std::int64_t> bounds, std::span<AsofRow> found) const {
  find_rows(side, times_, 0, bounds, found);
  for (AsofRow& row : found) {
    if (row.is_there()) row.row = rows_[static_cast<std::size_t>(row.row)];
  }
}

}  // namespace marigram::query
