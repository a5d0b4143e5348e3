#include "query/asof_times.h"

#include "base/prefetch.h"
#include "base/processors.h"

#include <algorithm>
#include <array>

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

/// Whether a time is among those that stand before the row of a probe, or are it.
template <AsofSide kSide>
MARIGRAM_LOOP bool passes(std::int64_t time, std::int64_t bound) {
  return kSide == AsofSide::kBefore ? time <= bound : time < bound;
}

/// Of times of which `count` pass.
template <AsofSide kSide>
MARIGRAM_LOOP AsofRow row_of(std::span<const std::int64_t> times, std::int64_t first, std::size_t count) {
  if (kSide == AsofSide::kBefore ? count == 0 : count == times.size()) return {};
  const std::size_t at = kSide == AsofSide::kBefore ? count - 1 : count;
  return {first + static_cast<std::int64_t>(at), times[at]};
}

constexpr std::size_t kGroup = 32;

/// Where bounds are close, of at least kGroup times: all are looked at, a group at a time and without a branch. Which
/// group it is hangs on a branch alone, so that a processor does not wait for one count before it begins the next.
template <AsofSide kSide>
MARIGRAM_LOOP void merge(std::span<const std::int64_t> times, std::int64_t first, std::span<const std::int64_t> bounds,
                         std::span<AsofRow> found, std::span<const CellFetch> fetch) {
  constexpr std::size_t kAhead = 160;  // times are on their way before they are looked at
  const std::size_t last = times.size() - kGroup;
  std::size_t group = 0;  // all before it pass
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const std::int64_t bound = bounds[i];
    while (group < last && passes<kSide>(times[group + kGroup - 1], bound)) {
      group = std::min(group + kGroup, last);
      for (std::size_t line = 0; line < kGroup; line += 8) prefetch_to_read(times.data() + group + kAhead + line);
    }
    const std::int64_t* const own = times.data() + group;
    std::int64_t passing = 0;  // as wide as they: compilers then compare several with one instruction
#pragma GCC unroll 1
    for (std::size_t k = 0; k < kGroup; ++k) passing += passes<kSide>(own[k], bound) ? 1 : 0;
    const std::size_t count = group + static_cast<std::size_t>(passing);
    found[i] = row_of<kSide>(times, first, count);
    for (const auto& [cells, width] : fetch) prefetch_to_read(cells + count * width);  // or next to it
  }
}

/// Where bounds are far apart: binary searches side by side, so that they wait for memory together.
template <AsofSide kSide>
MARIGRAM_LOOP void search(std::span<const std::int64_t> times, std::int64_t first, std::span<const std::int64_t> bounds,
                          std::span<AsofRow> found, std::span<const CellFetch> fetch) {
  constexpr std::size_t kTogether = 16;
  std::size_t before = 0;  // pass for all bounds that are left
  for (std::size_t begin = 0; begin < bounds.size(); begin += kTogether) {
    const auto own = bounds.subspan(begin, std::min(kTogether, bounds.size() - begin));
    std::array<std::size_t, kTogether> counts;
    counts.fill(before);
    for (std::size_t size = times.size() - before; size > 0; size /= 2) {
      const std::size_t half = (size + 1) / 2;
      for (std::size_t i = 0; i < own.size(); ++i) {
        counts[i] += passes<kSide>(times[counts[i] + half - 1], own[i]) ? half : 0;
      }
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
      found[begin + i] = row_of<kSide>(times, first, counts[i]);
      for (const auto& [cells, width] : fetch) prefetch_to_read(cells + counts[i] * width);
    }
    before = counts[own.size() - 1];
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
               std::span<const std::int64_t> bounds, std::span<AsofRow> found, std::span<const CellFetch> fetch) {
  constexpr std::size_t kCloseMax = 64;  // rows a bound up to which merging is quicker, by measurement
  const bool are_close = times.size() >= kGroup && times.size() / kCloseMax < bounds.size();
  if (side == AsofSide::kBefore) {
    are_close ? compiled<merge<AsofSide::kBefore>>(times, first, bounds, found, fetch)
              : compiled<search<AsofSide::kBefore>>(times, first, bounds, found, fetch);
  } else {
    are_close ? compiled<merge<AsofSide::kAfter>>(times, first, bounds, found, fetch)
              : compiled<search<AsofSide::kAfter>>(times, first, bounds, found, fetch);
  }
}

void ChosenRows::find(AsofSide side, std::span<const std::int64_t> bounds, std::span<AsofRow> found) const {
  find_rows(side, times_, 0, bounds, found);
  for (AsofRow& row : found) {
    if (row.is_there()) row.row = rows_[static_cast<std::size_t>(row.row)];
  }
}

}  // namespace marigram::query
