#include "cli/time_format.h"

#include "base/try.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <date/date.h>
#include <fmt/format.h>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace marigram::cli {

namespace {

constexpr std::string_view kEpoch = "epoch_";

std::unexpected<Error> no_time(std::string_view text, std::string_view want) {
  return fail(ErrorCode::kInvalidInput, fmt::format("got \"{}\", want {}", text, want));
}

// Digits after the point of `value` units, in nanoseconds; unset if they are more than a nanosecond tells.
std::optional<std::int64_t> fraction_nanos(std::string_view digits, TimeUnit unit) {
  std::int64_t nanos = 0;
  std::int64_t scale = 1'000'000'000 / units_per_second(unit);
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    if (scale == 1 && digit != '0') return std::nullopt;
    scale = scale > 1 ? scale / 10 : scale;
    nanos += (digit - '0') * (scale > 0 ? scale : 0);
  }
  return nanos;
}

Instant minus_nanos(Instant instant, std::int64_t nanos) {
  if (instant.nanos >= nanos) return {instant.seconds, static_cast<std::uint32_t>(instant.nanos - nanos)};
  return {instant.seconds - 1, static_cast<std::uint32_t>(instant.nanos + 1'000'000'000 - nanos)};
}

Result<Instant> read_epoch(std::string_view text, TimeUnit unit) {
  const auto wrong = [text, unit] {
    return no_time(text, fmt::format("a number of {} since 1970-01-01T00:00:00Z", time_unit_name(unit)));
  };
  const std::size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), value);
  if (error != std::errc() || end != whole.data() + whole.size()) return wrong();
  Instant instant = Instant::from_units(value, unit);
  if (point == std::string_view::npos) return instant;
  const auto nanos = fraction_nanos(text.substr(point + 1), unit);
  if (!nanos) return wrong();
  if (whole.starts_with('-')) return minus_nanos(instant, *nanos);
  instant.nanos += static_cast<std::uint32_t>(*nanos);
  return instant;
}

}  // namespace

// A stream that is kept, because making one costs more than parsing a time.
struct TimeFormat::Strptime {
  std::string format;
  std::istringstream stream;
};

TimeFormat::TimeFormat() = default;
TimeFormat::~TimeFormat() = default;
TimeFormat::TimeFormat(TimeFormat&&) noexcept = default;
TimeFormat& TimeFormat::operator=(TimeFormat&&) noexcept = default;

Result<TimeFormat> TimeFormat::parse(std::string_view text) {
  TimeFormat format;
  if (text.starts_with(kEpoch)) {
    if (auto unit = parse_time_unit(text.substr(kEpoch.size()))) {
      format.epoch_ = *unit;
      return format;
    }
  }
  if (text.find('%') == std::string_view::npos) {
    return no_time(text, "epoch_s, epoch_ms, epoch_us, epoch_ns, or conversions of strptime like %Y-%m-%d %H:%M:%S");
  }
  format.strptime_ = std::make_unique<Strptime>(std::string(text), std::istringstream());
  return format;
}

std::string TimeFormat::name() const {
  if (epoch_) return std::string(kEpoch) + time_unit_name(*epoch_);
  return strptime_ ? strptime_->format : "RFC 3339";
}

Result<Instant> TimeFormat::read(std::string_view text) {
  if (epoch_) return read_epoch(text, *epoch_);
  if (!strptime_) return parse_rfc3339(text);
  std::istringstream& stream = strptime_->stream;
  stream.clear();
  stream.str(std::string(text));
  date::fields<std::chrono::nanoseconds> fields;
  std::chrono::minutes offset{0};
  date::from_stream(stream, strptime_->format.c_str(), fields, static_cast<std::string*>(nullptr), &offset);
  const bool parsed =
      !stream.fail() && fields.ymd.ok() && (stream.eof() || stream.peek() == std::istringstream::traits_type::eof());
  if (!parsed) return no_time(text, fmt::format("a time like {}", strptime_->format));
  const auto of_day = fields.has_tod ? fields.tod.to_duration() : std::chrono::nanoseconds(0);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(of_day);
  const auto days = date::sys_days(fields.ymd).time_since_epoch();
  return Instant{(std::chrono::seconds(days) + seconds - offset).count(),
                 static_cast<std::uint32_t>((of_day - seconds).count())};
}

}  // namespace marigram::cli
