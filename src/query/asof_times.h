// The arithmetic of as-of joins: which of a series' times a probe meets.
#pragma once

#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

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
  /// The least time that a row not so far before the probe may have, and the largest of one not so far after it: the
  /// distances in the finer of the units. Unset: no time is so. Ascend with the probe.
  std::optional<std::int64_t> bound_from(std::int64_t probe, Distance before) const;
  std::optional<std::int64_t> bound_to(std::int64_t probe, Distance after) const;
  /// Whether the units are one.
  bool is_same() const { return per_probe_ == per_row_; }
  /// How far they are apart, in the finer of the units.
  Distance distance(std::int64_t probe, std::int64_t row) const;
  /// The same of nanoseconds, rounded down: no distance lies between.
  Distance from_nanoseconds(std::uint64_t nanoseconds) const { return nanoseconds / (kPerSecond / per_second_); }

 private:
  static constexpr std::uint64_t kPerSecond = 1'000'000'000;
  __extension__ using Fine = __int128;  // a time in the finer of the units

  std::optional<std::int64_t> first_from(Fine at) const;
  std::optional<std::int64_t> last_to(Fine at) const;

  std::int64_t per_probe_ = 1;  // finer units
  std::int64_t per_row_ = 1;
  std::uint64_t per_second_ = 1;
};

/// A row that a probe met, if there is one.
struct AsofRow {
  static constexpr std::int64_t kNone = -1;

  std::int64_t row = kNone;  // counted in its source
  std::int64_t time = 0;

  bool is_there() const { return row != kNone; }
};

/// Values of rows that lie side by side, of which those that are found come on their way; the first is that of
/// times[0].
struct CellFetch {
  const std::uint8_t* cells = nullptr;
  std::size_t width = 0;
};

/// found[i]: that of bounds[i], of those whose `times` ascend as the bounds do: the last one up to it (kBefore), or
/// the first one from it on (kAfter). Rows count from `first`. O(bounds log(times / bounds)): where there are many
/// times a bound, a search gallops (Bentley and Yao, 1976) from each to the next, else both are merged.
void find_rows(AsofSide side, std::span<const std::int64_t> times, std::int64_t first,
               std::span<const std::int64_t> bounds, std::span<AsofRow> found, std::span<const CellFetch> fetch = {});

/// Some rows of a series, in their order.
class ChosenRows {
 public:
  void add(std::int64_t row, std::int64_t time) {
    rows_.push_back(row);
    times_.push_back(time);
  }
  /// As find_rows, of these.
  void find(AsofSide side, std::span<const std::int64_t> bounds, std::span<AsofRow> found) const;

 private:
  std::vector<std::int64_t> rows_;
  std::vector<std::int64_t> times_;
};

}  // namespace marigram::query
