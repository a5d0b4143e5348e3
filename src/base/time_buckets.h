// Buckets of time: of a fixed width, or of the days and months of a calendar, in a time zone.
#pragma once

#include <marigram/error.h>
#include <marigram/interval.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace marigram {

/// Cuts all times of int64 into buckets: of(t) holds t, and buckets do not overlap. Copies share nothing. Not
/// thread-safe: it remembers where it looked last.
///
/// In a zone a bucket of fixed width begins whenever its clocks show a multiple of the width (from the origin), and
/// where they skip one: an hour that clocks show twice is two buckets, a bucket of four hours in which they are set is
/// three or five hours long. A day begins when clocks first show its midnight, or where they skip it; days that they
/// skip are none. Zones are those of the system's database, which knows of changes up to 2037.
class TimeBuckets {
 public:
  /// Without a zone, from 0: in units of the times. 0: one bucket for all.
  TimeBuckets(std::int64_t width = 0);  // NOLINT(google-explicit-constructor)

  /// `units_per_second` of the times, from `origin` on (unset: 1970-01-01, of weeks the Monday before it); the clocks
  /// of `zone` (an IANA name; empty: UTC). kInvalidInput: more than one width, one below 1 or that is no multiple of
  /// the unit, an unknown zone.
  static Result<TimeBuckets> make(const Interval& width, const std::string& zone, std::optional<std::int64_t> origin,
                                  std::int64_t units_per_second);

  ~TimeBuckets();
  TimeBuckets(const TimeBuckets& other);
  TimeBuckets& operator=(const TimeBuckets& other);
  TimeBuckets(TimeBuckets&&) noexcept;
  TimeBuckets& operator=(TimeBuckets&&) noexcept;

  /// Whether there is more than one.
  bool any() const { return width_ > 0 || calendar_ != nullptr; }
  /// Of each; 0 if they differ, or there is but one.
  std::uint64_t fixed_width() const { return calendar_ ? 0 : static_cast<std::uint64_t>(width_); }

  struct Bucket {
    std::int64_t start = 0;   ///< its first time; that of the domain where it begins before it
    std::uint64_t begin = 0;  ///< the same modulo 2^64, wherever it lies
    std::uint64_t width = 0;  ///< t lies in it if t - begin < width, modulo 2^64; 0: all do
    bool holds(std::int64_t time) const { return width == 0 || static_cast<std::uint64_t>(time) - begin < width; }
  };
  /// Quick where times ascend.
  Bucket of(std::int64_t time) {
    if (last_.width == 0 || time < last_.start) return find(time);
    if (last_.holds(time)) return last_;
    const std::uint64_t next = last_.begin + last_.width;
    if (static_cast<std::uint64_t>(time) - next >= last_.width) return find(time);
    last_.begin = next;
    last_.start = static_cast<std::int64_t>(next);
    return last_;
  }

  /// Whether all that meet [first, last] are made of whole ones of `finer`. O(buckets), or O(1) for fixed widths
  /// without a zone.
  bool are_made_of(TimeBuckets& finer, std::int64_t first, std::int64_t last);

 private:
  class Calendar;

  Bucket find(std::int64_t time);

  std::int64_t width_ = 0;   // without a zone
  std::int64_t origin_ = 0;  // likewise; 0 to width_ - 1
  Bucket last_;              // likewise, that was given last; of width 0: none was
  std::unique_ptr<Calendar> calendar_;
};

}  // namespace marigram
