// How the time column of an imported file is written.
#pragma once

#include <marigram/error.h>
#include <marigram/time.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace marigram::cli {

/// ISO 8601 / RFC 3339 unless told otherwise. Not thread-safe.
class TimeFormat {
 public:
  /// RFC 3339, a date, or both without a zone (then UTC).
  TimeFormat();
  ~TimeFormat();
  TimeFormat(TimeFormat&&) noexcept;
  TimeFormat& operator=(TimeFormat&&) noexcept;

  /// `epoch_s`, `epoch_ms`, `epoch_us`, `epoch_ns`, or strptime's conversions (`%d.%m.%Y %H:%M:%S%z`; %S takes a
  /// fraction, a missing %z means UTC). kInvalidInput for anything without a conversion.
  static Result<TimeFormat> parse(std::string_view text);

  /// The unit of epoch_*; unset for text.
  std::optional<TimeUnit> epoch_unit() const { return epoch_; }
  /// As parse takes it; `RFC 3339` for the default.
  std::string name() const;

  /// kInvalidInput if the text is no such time.
  Result<Instant> read(std::string_view text);

 private:
  struct Strptime;

  std::optional<TimeUnit> epoch_;
  std::unique_ptr<Strptime> strptime_;
};

}  // namespace marigram::cli
