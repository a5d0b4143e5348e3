// The arithmetic of as-of joins: which of a series' times a probe meets.
#pragma once

#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace marigram::query {

/// On which side of a probe its row lies.
enum class AsofSide : std::uint8_t { kBefore, kAfter };

/// Of two times; they may be 2^64 units apart.
__extension__ using Distance = unsigned __int128;

/// Times of probes beside times of rows, of any two units. Integer indexes have one unit; unsigned numbers come with
/// their highest bit flipped, so that they ascend as signed ones.
class ProbeClock {
 public:
  ProbeClock(TimeUnit probe, TimeUnit row);

  /// The largest time that a row before the probe may have, or the least of one after it; `exact`: it may be the
  /// probe's own. Unset: no time is so. Ascends with the probe.
  std::optional<std::int64_t> bound(AsofSide side, std::int64_t probe, bool exact) const;
  /// How far they are apart, in the finer of the units.
  Distance distance(std::int64_t probe, std::int64_t row) const;
  /// The same of nanoseconds, rounded down: no distance lies between.
  Distance from_nanoseconds(std::uint64_t nanoseconds) const { return nanoseconds / (kPerSecond / per_second_); }

 private:
  static constexpr std::uint64_t kPerSecond = 1'000'000'000;

  std::int64_t per_probe_ = 1;  // finer units
  std::int64_t per_row_ = 1;
  std::uint64_t per_second_ = 1;
};

/// rows[i]: that of bounds[i], of those whose `times` ascend as the bounds do: the last one up to it (kBefore), or
/// the first one from it on (kAfter); kNoRow if there is none. O(bounds log(times / bounds)): a search that gallops
/// (Bentley and Yao, 1976) from each to the next.
inline constexpr std::size_t kNoRow = SIZE_MAX;
void find_rows(AsofSide side, std::span<const std::int64_t> times, std::span<const std::int64_t> bounds,
               std::span<std::size_t> rows);

}  // namespace marigram::query
