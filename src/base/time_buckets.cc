#include "base/time_buckets.h"

#include "base/civil_date.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <limits>
#include <utility>

namespace marigram {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMonthsOfYear = 12;
constexpr std::int64_t kDaysOfWeek = 7;
constexpr std::int64_t kMonday = -3;              // the one before 1970-01-01, a Thursday
constexpr std::int64_t kSecondsMax = 1LL << 55U;  // beyond a thousand million years zones keep their offset

Wide floor_div_wide(Wide value, Wide divisor) {
  const Wide quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

std::unexpected<Error> bad(const std::string& what) {
  return fail(ErrorCode::kInvalidInput, "cannot make buckets of time: " + what);
}

Result<const date::time_zone*> find_zone(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return bad(fmt::format("there is no time zone \"{}\"; want a name of the IANA database, as Europe/Berlin", name));
  }
}

TimeBuckets::Bucket bucket_between(Wide begin, Wide end) {
  return {.start = begin < kMin ? kMin : static_cast<std::int64_t>(begin),
          .begin = static_cast<std::uint64_t>(begin),
          .width = static_cast<std::uint64_t>(end - begin)};
}

}  // namespace

/// Buckets that depend on what clocks show. Times are in units, and wide enough that none overflows.
class TimeBuckets::Calendar {
 public:
  Calendar(const Interval& width, const date::time_zone* zone, std::int64_t units_per_second)
      : width_(width), zone_(zone), units_per_second_(units_per_second) {}

  void set_fixed(std::int64_t width) { fixed_ = width; }
  void set_origin(std::int64_t origin) {
    const Period period = period_at(origin);
    const Wide local = origin + period.offset;
    fixed_origin_ = local;
    day_origin_ = static_cast<std::int64_t>(floor_div_wide(local, Wide{units_per_second_} * kSecondsPerDay));
  }

  Bucket of(std::int64_t time) {
    if (is_set_ && last_.holds(time)) return last_;
    last_ = fixed_ > 0 ? of_fixed(time) : of_days(time);
    is_set_ = true;
    return last_;
  }

 private:
  /// When clocks show the same offset.
  struct Period {
    Wide begin = 0;
    Wide end = 0;
    Wide offset = 0;  // of what they show to the time
  };

  Period period_at(Wide time) {
    const Wide seconds = floor_div_wide(time, units_per_second_);
    const auto bound = std::clamp<Wide>(seconds, -kSecondsMax, kSecondsMax);
    const date::sys_info info =
        zone_->get_info(date::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(bound))));
    const auto units = [&](date::sys_seconds at) { return Wide{at.time_since_epoch().count()} * units_per_second_; };
    Period period{
        .begin = units(info.begin), .end = units(info.end), .offset = info.offset.count() * units_per_second_};
    // Beyond the years that the database counts nothing changes.
    if (bound == -kSecondsMax || period.begin > time) period.begin = first_time();
    if (bound == kSecondsMax || period.end <= time) period.end = last_time();
    return period;
  }

  // ---- fixed widths ----

  Wide aligned_down(Wide local) const { return fixed_origin_ + floor_div_wide(local - fixed_origin_, fixed_) * fixed_; }

  /// Whether clocks that are set between the two skip a multiple of the width, so that a bucket begins there.
  bool begins_bucket(const Period& before, const Period& after) const {
    return aligned_down(after.begin + after.offset) >= before.end + before.offset;
  }

  Bucket of_fixed(std::int64_t time) {
    const Period own = period_at(time);
    Period period = own;
    Wide begin = aligned_down(time + period.offset) - period.offset;
    while (begin < period.begin && period.begin > first_time()) {
      const Period before = period_at(period.begin - 1);
      if (begins_bucket(before, period)) {
        begin = period.begin;
        break;
      }
      begin = aligned_down(before.end - 1 + before.offset) - before.offset;
      period = before;
    }
    period = own;
    Wide end = aligned_down(time + period.offset) + fixed_ - period.offset;
    while (end >= period.end && period.end < last_time()) {
      const Period after = period_at(period.end);
      if (begins_bucket(period, after)) {
        end = after.begin;
        break;
      }
      end = aligned_down(after.begin + after.offset - 1) + fixed_ - after.offset;
      period = after;
    }
    return bucket_between(begin, end);
  }

  static Wide first_time() { return Wide{kMin} * 4; }
  static Wide last_time() { return -first_time(); }

  // ---- days and months ----

  /// Of the days since 1970 that clocks show, the number of the bucket.
  std::int64_t number_of(std::int64_t day) const {
    if (width_.months == 0) return floor_div(day - day_origin_, days_of_bucket());
    const CivilDate origin = civil_from_days(day_origin_);
    const CivilDate date = civil_from_days(day);
    const std::int64_t months = (date.year - origin.year) * kMonthsOfYear + date.month - origin.month;
    return floor_div(months, width_.months);
  }

  std::int64_t days_of_bucket() const { return width_.days > 0 ? width_.days : kDaysOfWeek * width_.weeks; }

  /// The first day of a bucket.
  std::int64_t day_of(std::int64_t number) const {
    if (width_.months == 0) return day_origin_ + number * days_of_bucket();
    const CivilDate origin = civil_from_days(day_origin_);
    const std::int64_t months = origin.year * kMonthsOfYear + origin.month - 1 + number * width_.months;
    return days_from_civil(
        {floor_div(months, kMonthsOfYear), static_cast<unsigned>(floor_mod(months, kMonthsOfYear)) + 1, 1});
  }

  /// When clocks first show the midnight that begins a bucket, or something later.
  Wide begin_of(std::int64_t number) {
    const Wide local = Wide{day_of(number)} * kSecondsPerDay * units_per_second_;
    // Offsets are below two days: what shows `local` is not before this period.
    Period period = period_at(local - Wide{2} * kSecondsPerDay * units_per_second_);
    while (period.end + period.offset <= local) period = period_at(period.end);
    return std::max(local - period.offset, period.begin);
  }

  Bucket of_days(std::int64_t time) {
    const Wide local = time + period_at(time).offset;
    std::int64_t number =
        number_of(static_cast<std::int64_t>(floor_div_wide(local, Wide{units_per_second_} * kSecondsPerDay)));
    Wide begin = begin_of(number);
    Wide end = begin_of(number + 1);
    while (end <= time) {  // clocks were set back over its beginning
      begin = end;
      end = begin_of(++number + 1);
    }
    return bucket_between(begin, end);
  }

  Interval width_;
  const date::time_zone* zone_;
  std::int64_t units_per_second_;
  std::int64_t fixed_ = 0;
  Wide fixed_origin_ = 0;
  std::int64_t day_origin_ = width_.weeks > 0 ? kMonday : 0;
  bool is_set_ = false;
  Bucket last_;  // that was asked for, if is_set_
};

TimeBuckets::TimeBuckets(std::int64_t width) : width_(width) {}
TimeBuckets::~TimeBuckets() = default;
TimeBuckets::TimeBuckets(TimeBuckets&&) noexcept = default;
TimeBuckets& TimeBuckets::operator=(TimeBuckets&&) noexcept = default;

TimeBuckets::TimeBuckets(const TimeBuckets& other)
    : width_(other.width_),
      origin_(other.origin_),
      calendar_(other.calendar_ ? std::make_unique<Calendar>(*other.calendar_) : nullptr) {}

TimeBuckets& TimeBuckets::operator=(const TimeBuckets& other) {
  return *this = TimeBuckets(other);
}

Result<TimeBuckets> TimeBuckets::make(const Interval& width, const std::string& zone,
                                      std::optional<std::int64_t> origin, std::int64_t units_per_second) {
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  const int widths = (width.fixed != 0) + (width.days != 0) + (width.weeks != 0) + (width.months != 0);
  if (widths > 1) return bad("their width is to be fixed, or of days, weeks or months, not several of these");
  if (std::min({width.fixed, std::int64_t{width.days}, std::int64_t{width.weeks}, std::int64_t{width.months}}) < 0) {
    return bad("their width is negative");
  }
  const std::int64_t unit_ns = kNanoseconds / units_per_second;
  if (width.fixed % unit_ns != 0) {
    return bad(
        fmt::format("their width of {} ns is no multiple of {} ns, the unit of the times", width.fixed, unit_ns));
  }
  if (zone.empty() && (widths == 0 || width.fixed > 0)) {
    TimeBuckets buckets(width.fixed / unit_ns);
    if (origin && buckets.any()) buckets.origin_ = floor_mod(*origin, buckets.width_);
    return buckets;
  }
  auto found = find_zone(zone.empty() ? "Etc/UTC" : zone);
  if (!found) return std::unexpected(found.error());
  TimeBuckets buckets;
  if (widths == 0) return buckets;
  buckets.calendar_ = std::make_unique<Calendar>(width, *found, units_per_second);
  if (width.fixed > 0) buckets.calendar_->set_fixed(width.fixed / unit_ns);
  if (origin) buckets.calendar_->set_origin(*origin);
  return buckets;
}

TimeBuckets::Bucket TimeBuckets::find(std::int64_t time) {
  if (calendar_) return calendar_->of(time);
  if (width_ == 0) return {};
  std::int64_t into = floor_mod(time, width_) - origin_;
  if (into < 0) into += width_;
  const Wide begin = Wide{time} - into;
  return last_ = bucket_between(begin, begin + width_);
}

bool TimeBuckets::are_made_of(TimeBuckets& finer, std::int64_t first, std::int64_t last) {
  if (!any() || !finer.any()) return !any();
  if (!calendar_ && !finer.calendar_)
    return width_ % finer.width_ == 0 && (origin_ - finer.origin_) % finer.width_ == 0;
  Bucket bucket = of(first);
  while (finer.of(bucket.start).begin == bucket.begin) {
    const Wide next = Wide{bucket.start} + bucket.width;
    if (next > last) return finer.of(last).width <= bucket.width;
    bucket = of(static_cast<std::int64_t>(next));
  }
  return false;
}

}  // namespace marigram
