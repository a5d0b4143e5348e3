// RFC 3339 in. Grammar (blanks are literal, letters in either case):
//
//   instant  = date [ ("T" / " ") time [zone] ]        a date alone is its midnight, a missing zone is UTC
//   date     = year "-" 2DIGIT "-" 2DIGIT
//   year     = 4DIGIT / ("+" / "-") 4*12DIGIT
//   time     = 2DIGIT ":" 2DIGIT ":" 2DIGIT ["." 1*9DIGIT]
//   zone     = "Z" / ("+" / "-") 2DIGIT ":" 2DIGIT
//
// A leap second (second 60) is refused: Unix time has no place for it, and shifting it would alter data in silence.
#include <marigram/time.h>

#include "base/civil_date.h"
#include "base/try.h"

#include <fmt/format.h>

#include <cstddef>
#include <optional>

namespace marigram {
namespace {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Walks over the text and remembers it for messages.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), rest_(text) {}

  bool done() const { return rest_.empty(); }

  /// Consumes the next character if it is one of `wanted`.
  std::optional<char> take(std::string_view wanted) {
    if (rest_.empty() || wanted.find(rest_.front()) == std::string_view::npos) return std::nullopt;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  std::string_view take_digits(std::size_t count_max) {
    std::size_t count = 0;
    while (count < count_max && count < rest_.size() && is_digit(rest_[count])) ++count;
    const std::string_view digits = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return digits;
  }

  /// Exactly two digits, from `low` to `high`.
  Result<unsigned> take_two(const char* part, unsigned low, unsigned high) {
    const std::string_view digits = take_digits(2);
    if (digits.size() != 2) return refuse(part, fmt::format("two digits, {:02} to {:02}", low, high));
    const unsigned value = static_cast<unsigned>(digits[0] - '0') * 10 + static_cast<unsigned>(digits[1] - '0');
    if (value < low || value > high) return refuse(part, fmt::format("{:02} to {:02}", low, high));
    return value;
  }

  Status expect(char wanted, const char* after) {
    if (take(std::string_view(&wanted, 1))) return {};
    return refuse(fmt::format("separator after the {}", after).c_str(), fmt::format("'{}'", wanted));
  }

  std::unexpected<Error> refuse(const char* part, const std::string& want) const {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot read time: wrong {} at character {}; got '{}', want {}",
                                                      part, text_.size() - rest_.size() + 1, shown(text_), want));
  }

 private:
  /// What a message shows of a text of any length.
  static std::string shown(std::string_view text) {
    constexpr std::size_t kShownMax = 80;
    return text.size() <= kShownMax ? std::string(text) : std::string(text.substr(0, kShownMax)) + "...";
  }

  std::string_view text_;
  std::string_view rest_;
};

Result<std::int64_t> read_year(Reader& reader) {
  constexpr std::size_t kDigitsMax = 12;  // beyond every int64 second, and within kCivilYearMax
  const std::optional<char> sign = reader.take("+-");
  const std::string_view digits = reader.take_digits(sign ? kDigitsMax : 4);
  if (digits.size() < 4) return reader.refuse("year", "four digits, or a sign and four to twelve digits");
  std::int64_t year = 0;
  for (const char digit : digits) year = year * 10 + (digit - '0');
  return sign == '-' ? -year : year;
}

Result<CivilDate> read_date(Reader& reader) {
  CivilDate date;
  MARIGRAM_ASSIGN(date.year, read_year(reader));
  MARIGRAM_TRY(reader.expect('-', "year"));
  MARIGRAM_ASSIGN(date.month, reader.take_two("month", 1, 12));
  MARIGRAM_TRY(reader.expect('-', "month"));
  MARIGRAM_ASSIGN(date.day, reader.take_two("day", 1, days_in_month(date.year, date.month)));
  return date;
}

Result<std::uint32_t> read_fraction(Reader& reader) {
  if (!reader.take(".")) return 0;
  const std::string_view digits = reader.take_digits(10);
  if (digits.empty() || digits.size() > 9) return reader.refuse("fraction", "one to nine digits");
  std::uint32_t nanos = 0;
  for (std::size_t i = 0; i < 9; ++i) {
    nanos = nanos * 10 + (i < digits.size() ? static_cast<std::uint32_t>(digits[i] - '0') : 0);
  }
  return nanos;
}

struct TimeOfDay {
  std::int64_t seconds = 0;
  std::uint32_t nanos = 0;
};

Result<TimeOfDay> read_time(Reader& reader) {
  MARIGRAM_ASSIGN(const std::int64_t hour, reader.take_two("hour", 0, 23));
  MARIGRAM_TRY(reader.expect(':', "hour"));
  MARIGRAM_ASSIGN(const std::int64_t minute, reader.take_two("minute", 0, 59));
  MARIGRAM_TRY(reader.expect(':', "minute"));
  MARIGRAM_ASSIGN(const std::int64_t second, reader.take_two("second", 0, 60));
  if (second == 60) return reader.refuse("second", "00 to 59 (a leap second has no place in Unix time)");
  MARIGRAM_ASSIGN(const std::uint32_t nanos, read_fraction(reader));
  return TimeOfDay{hour * 3'600 + minute * 60 + second, nanos};
}

/// Seconds by which the local time is ahead of UTC.
Result<std::int64_t> read_zone(Reader& reader) {
  if (reader.done() || reader.take("Zz")) return 0;
  const std::optional<char> sign = reader.take("+-");
  if (!sign) return reader.refuse("zone", "Z, or an offset like +02:00");
  MARIGRAM_ASSIGN(const std::int64_t hours, reader.take_two("offset's hours", 0, 23));
  MARIGRAM_TRY(reader.expect(':', "offset's hours"));
  MARIGRAM_ASSIGN(const std::int64_t minutes, reader.take_two("offset's minutes", 0, 59));
  const std::int64_t seconds = hours * 3'600 + minutes * 60;
  return *sign == '-' ? -seconds : seconds;
}

/// The usual form, 2013-01-01T06:00:00Z with or without a fraction, in a tenth of the time; unset for any other text,
/// right or wrong.
std::optional<Instant> parse_usual(std::string_view text) {
  constexpr std::size_t kSecondsEnd = 19;
  if (text.size() <= kSecondsEnd || text.back() != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  bool valid = true;
  const auto digit = [&](std::size_t at) {
    const unsigned value = static_cast<unsigned char>(text[at]) - unsigned{'0'};
    valid &= value <= 9;
    return value;
  };
  const auto two = [&](std::size_t at, unsigned low, unsigned high) {
    const unsigned value = digit(at) * 10 + digit(at + 1);
    valid &= value >= low && value <= high;
    return value;
  };
  const CivilDate date{two(0, 0, 99) * 100 + two(2, 0, 99), two(5, 1, 12), two(8, 1, 31)};
  const std::int64_t seconds = two(11, 0, 23) * 3'600 + two(14, 0, 59) * 60 + two(17, 0, 59);
  const std::string_view fraction = text.substr(kSecondsEnd, text.size() - kSecondsEnd - 1);
  valid &= fraction.empty() || (fraction.front() == '.' && fraction.size() >= 2 && fraction.size() <= 10);
  if (!valid || date.day > days_in_month(date.year, date.month)) return std::nullopt;
  std::uint32_t nanos = 0;
  for (std::size_t i = 1; i < 10 && !fraction.empty(); ++i) {
    nanos = nanos * 10 + (i < fraction.size() ? digit(kSecondsEnd + i) : 0);
  }
  if (!valid) return std::nullopt;
  return Instant{days_from_civil(date) * kSecondsPerDay + seconds, nanos};
}

}  // namespace

Result<Instant> parse_rfc3339(std::string_view text) {
  if (const auto usual = parse_usual(text)) return *usual;
  Reader reader(text);
  MARIGRAM_ASSIGN(const CivilDate date, read_date(reader));
  TimeOfDay time;
  std::int64_t offset_seconds = 0;
  if (!reader.done()) {
    if (!reader.take("Tt ")) return reader.refuse("separator after the date", "'T' or a blank");
    MARIGRAM_ASSIGN(time, read_time(reader));
    MARIGRAM_ASSIGN(offset_seconds, read_zone(reader));
    if (!reader.done()) return reader.refuse("text after the time", "its end");
  }
  // Added up in 128 bits, because the first and the last representable day are not whole.
  __extension__ using Wide = __int128;
  const Wide seconds = Wide{days_from_civil(date)} * kSecondsPerDay + time.seconds - offset_seconds;
  if (seconds != static_cast<std::int64_t>(seconds)) {
    return reader.refuse("year", "a time within int64 seconds of 1970");
  }
  return Instant{static_cast<std::int64_t>(seconds), time.nanos};
}

}  // namespace marigram
