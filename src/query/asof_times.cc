#include "query/asof_times.h"

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

/// counts[i]: how many of the times pass by bounds[i].
template <typename Passes>
void gallop(std::span<const std::int64_t> times, std::span<const std::int64_t> bounds, std::span<std::size_t> counts,
            Passes passes) {
  std::size_t count = 0;  // all before this pass
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const auto is_within = [&](std::int64_t time) { return passes(time, bounds[i]); };
    std::size_t step = 1;
    std::size_t end = count;
    while (end < times.size() && is_within(times[end])) {
      count = end + 1;
      end += step;
      step *= 2;
    }
    const auto rest = times.subspan(count, std::min(end, times.size()) - count);
    count += static_cast<std::size_t>(std::ranges::partition_point(rest, is_within) - rest.begin());
    counts[i] = count;
  }
}

}  // namespace

ProbeClock::ProbeClock(TimeUnit probe, TimeUnit row)
    : per_probe_(std::max<std::int64_t>(units(row) / units(probe), 1)),
      per_row_(std::max<std::int64_t>(units(probe) / units(row), 1)),
      per_second_(static_cast<std::uint64_t>(std::max(units(probe), units(row)))) {}

std::optional<std::int64_t> ProbeClock::bound(AsofSide side, std::int64_t probe, bool exact) const {
  const Wide at = Wide{probe} * per_probe_;
  if (side == AsofSide::kBefore) {
    const Wide last = floor_div(exact ? at : at - 1, per_row_);
    if (last < INT64_MIN) return std::nullopt;
    return static_cast<std::int64_t>(std::min<Wide>(last, INT64_MAX));
  }
  const Wide first = -floor_div(-(exact ? at : at + 1), per_row_);
  if (first > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(std::max<Wide>(first, INT64_MIN));
}

Distance ProbeClock::distance(std::int64_t probe, std::int64_t row) const {
  const Wide apart = Wide{probe} * per_probe_ - Wide{row} * per_row_;
  return static_cast<Distance>(apart < 0 ? -apart : apart);
}

void find_rows(AsofSide side, std::span<const std::int64_t> times, std::span<const std::int64_t> bounds,
               std::span<std::size_t> rows) {
  if (side == AsofSide::kBefore) {
    gallop(times, bounds, rows, [](std::int64_t time, std::int64_t bound) { return time <= bound; });
    for (std::size_t& row : rows) row = row == 0 ? kNoRow : row - 1;
  } else {
    gallop(times, bounds, rows, [](std::int64_t time, std::int64_t bound) { return time < bound; });
    for (std::size_t& row : rows) row = row == times.size() ? kNoRow : row;
  }
}

}  // namespace marigram::query
