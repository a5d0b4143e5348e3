// Reads a calendar's JSON. Every error names the member at fault, as `sessions[1].open.day`.
#include "base/try.h"
#include "coverage/calendar_rules.h"

#include <marigram/error.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <exception>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>
#include <simdjson.h>

namespace marigram::coverage {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::chrono::seconds kDay = std::chrono::hours(24);
constexpr std::array<std::string_view, 7> kDays = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::string_view kWantDay = "sun, mon, tue, wed, thu, fri or sat";
constexpr std::string_view kWantTime = "a wall-clock time HH:MM or HH:MM:SS";
constexpr std::string_view kWantDate = "a date YYYY-MM-DD";

std::unexpected<Error> wrong(std::string_view member, std::string_view got, std::string_view want) {
  constexpr std::size_t kGotMax = 80;
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot use calendar: member `{}` is wrong; got {}{}, want {}", member,
                          got.substr(0, kGotMax), got.size() > kGotMax ? "..." : "", want));
}

std::string minified(const element& value) {
  return simdjson::minify(value);
}

/// The value of a member of an object; unset if absent.
std::optional<element> find(const object& of, std::string_view name) {
  element value;
  if (of.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::string member_path(const std::string& parent, std::string_view name) {
  return parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name);
}

std::string list(std::initializer_list<std::string_view> names) {
  std::string text;
  for (const std::string_view name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

/// An object that has each member at most once and no others than those listed: a misspelt one must not be ignored.
Result<object> read_object(const std::string& path, const element& value,
                           std::initializer_list<std::string_view> members) {
  object result;
  if (value.get(result) != simdjson::SUCCESS) {
    return wrong(path.empty() ? "calendar" : path, minified(value), "an object");
  }
  std::set<std::string_view> seen;
  for (const auto field : result) {
    const std::string member = member_path(path, field.key);
    if (std::ranges::find(members, field.key) == members.end()) {
      return wrong(member, "an unknown member", "only " + list(members));
    }
    if (!seen.insert(field.key).second) return wrong(member, "it twice", "each member once");
  }
  return result;
}

Result<element> require(const std::string& path, const object& of, std::string_view name, std::string_view want) {
  if (const auto value = find(of, name)) return *value;
  return wrong(member_path(path, name), "nothing", want);
}

Result<array> read_array(const std::string& path, const element& value) {
  array result;
  if (value.get(result) != simdjson::SUCCESS) return wrong(path, minified(value), "an array");
  return result;
}

Result<std::string_view> read_string(const std::string& path, const element& value, std::string_view want) {
  std::string_view result;
  if (value.get(result) != simdjson::SUCCESS) return wrong(path, minified(value), want);
  return result;
}

/// `length` decimal digits at `at`; unset if there are others.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t length) {
  if (text.size() < at + length) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(at, length)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

Result<WallTime> read_time(const std::string& path, const element& value) {
  MARIGRAM_ASSIGN(const std::string_view text, read_string(path, value, kWantTime));
  const bool short_form = text.size() == 5;
  const auto hours = digits(text, 0, 2);
  const auto minutes = digits(text, 3, 2);
  const auto seconds = short_form ? 0 : digits(text, 6, 2);
  const bool shaped =
      (short_form || (text.size() == 8 && text[5] == ':')) && text[2] == ':' && hours && minutes && seconds;
  if (!shaped || *minutes > 59 || *seconds > 59) return wrong(path, minified(value), kWantTime);
  const auto time = std::chrono::hours(*hours) + std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds);
  if (time > kDay) return wrong(path, minified(value), "a time up to 24:00");
  return time;
}

Result<date::local_days> read_date(const std::string& path, const element& value) {
  MARIGRAM_ASSIGN(const std::string_view text, read_string(path, value, kWantDate));
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' || !year || !month || !day) {
    return wrong(path, minified(value), kWantDate);
  }
  const auto result =
      date::year(*year) / date::month(static_cast<unsigned>(*month)) / date::day(static_cast<unsigned>(*day));
  if (!result.ok()) return wrong(path, minified(value), "a date that exists");
  return date::local_days(result);
}

Result<unsigned> read_day(const std::string& path, const element& value) {
  MARIGRAM_ASSIGN(const std::string_view text, read_string(path, value, kWantDay));
  const auto* found = std::ranges::find(kDays, text);
  if (found == kDays.end()) return wrong(path, minified(value), kWantDay);
  return static_cast<unsigned>(found - kDays.begin());
}

Result<std::set<unsigned>> read_days(const std::string& path, const element& value) {
  MARIGRAM_ASSIGN(const array items, read_array(path, value));
  std::set<unsigned> days;
  for (const element day : items) {
    MARIGRAM_ASSIGN(const unsigned number, read_day(fmt::format("{}[{}]", path, days.size()), day));
    if (!days.insert(number).second) return wrong(path, fmt::format("{} twice", kDays[number]), "each day once");
  }
  if (days.empty()) return wrong(path, "no days", "at least one day");
  return days;
}

/// The members `open` and `close` of an object, inside one day.
Result<WallSpan> read_span(const std::string& path, const object& of) {
  MARIGRAM_ASSIGN(const element open, require(path, of, "open", kWantTime));
  MARIGRAM_ASSIGN(const element close, require(path, of, "close", kWantTime));
  WallSpan span;
  MARIGRAM_ASSIGN(span.open, read_time(member_path(path, "open"), open));
  MARIGRAM_ASSIGN(span.close, read_time(member_path(path, "close"), close));
  if (span.open == kDay) return wrong(member_path(path, "open"), minified(open), "a time before 24:00");
  if (span.open < span.close) return span;
  return wrong(
      member_path(path, "close"), minified(close),
      fmt::format(R"(a time after {}; a session over midnight names its days: "open": {{"day": "sun", "time": )"
                  R"("17:00"}})",
                  minified(open)));
}

/// A moment of the week: {"day": "sun", "time": "17:00"}, since Sunday's midnight.
Result<std::chrono::seconds> read_moment(const std::string& path, const element& value) {
  MARIGRAM_ASSIGN(const object of, read_object(path, value, {"day", "time"}));
  MARIGRAM_ASSIGN(const element day, require(path, of, "day", kWantDay));
  MARIGRAM_ASSIGN(const element time, require(path, of, "time", kWantTime));
  MARIGRAM_ASSIGN(const unsigned number, read_day(member_path(path, "day"), day));
  MARIGRAM_ASSIGN(const WallTime since_midnight, read_time(member_path(path, "time"), time));
  return date::days(number) + since_midnight;
}

Result<WeeklySession> read_weekly(const std::string& path, const object& of, const element& open) {
  if (find(of, "days")) {
    return wrong(member_path(path, "days"), "it beside an open with a day",
                 "either days, or open and close with a day each");
  }
  MARIGRAM_ASSIGN(const element close, require(path, of, "close", "an object with day and time, as for open"));
  MARIGRAM_ASSIGN(const std::chrono::seconds from, read_moment(member_path(path, "open"), open));
  MARIGRAM_ASSIGN(const std::chrono::seconds to, read_moment(member_path(path, "close"), close));
  constexpr std::chrono::seconds kWeek = 7 * kDay;
  const std::chrono::seconds length = (to - from + 2 * kWeek) % kWeek;
  const auto midnight = from - from % kDay;
  return WeeklySession{.open_day = static_cast<unsigned>(midnight / kDay % 7),
                       .open = from - midnight,
                       .length = length == std::chrono::seconds(0) ? kWeek : length};
}

Status read_session(const std::string& path, const element& value, Calendar::Rules& rules) {
  MARIGRAM_ASSIGN(const object of, read_object(path, value, {"days", "open", "close"}));
  MARIGRAM_ASSIGN(const element open, require(path, of, "open", kWantTime));
  if (open.is_object()) {
    MARIGRAM_ASSIGN(WeeklySession session, read_weekly(path, of, open));
    rules.weekly.push_back(session);
    return {};
  }
  MARIGRAM_ASSIGN(const element days, require(path, of, "days", "an array of days, or open and close with a day each"));
  DailySession session;
  MARIGRAM_ASSIGN(session.days, read_days(member_path(path, "days"), days));
  MARIGRAM_ASSIGN(session.span, read_span(path, of));
  rules.daily.push_back(std::move(session));
  return {};
}

Status read_special(const std::string& path, const element& value, Calendar::Rules& rules) {
  MARIGRAM_ASSIGN(const object of, read_object(path, value, {"date", "open", "close"}));
  MARIGRAM_ASSIGN(const element date, require(path, of, "date", kWantDate));
  MARIGRAM_ASSIGN(const date::local_days day, read_date(member_path(path, "date"), date));
  MARIGRAM_ASSIGN(const WallSpan span, read_span(path, of));
  if (rules.holidays.contains(day)) {
    return wrong(member_path(path, "date"), fmt::format("{}, which is a holiday too", minified(date)),
                 "a date in either holidays or special");
  }
  rules.special[day].push_back(span);
  return {};
}

/// Reads each element of the array `name` of the calendar, if it has one.
template <typename Read>
Status for_each(const object& calendar, std::string_view name, Read read) {
  const auto value = find(calendar, name);
  if (!value) return {};
  MARIGRAM_ASSIGN(const array items, read_array(std::string(name), *value));
  std::size_t index = 0;
  for (const element item : items) {
    MARIGRAM_TRY(read(fmt::format("{}[{}]", name, index), item));
    ++index;
  }
  return {};
}

/// Zones whose clocks change every year, for as long as anyone can tell: if none of them does in 2036, then the
/// system's files hold no changes so far ahead ("slim" files leave them to a rule that our reader of such files does
/// not know).
bool zone_files_are_complete() {
  const date::sys_seconds far = date::sys_days(date::year(2036) / 6 / 1);
  return std::ranges::any_of(
      std::array{"America/New_York", "Europe/London", "Australia/Sydney"}, [&](const char* name) {
        return date::locate_zone(name)->get_info(far).end < date::sys_days(date::year(2040) / 1 / 1);
      });
}

Result<const date::time_zone*> read_zone(const object& calendar) {
  constexpr std::string_view kWant = "the name of a time zone, like America/New_York or UTC";
  MARIGRAM_ASSIGN(const element value, require("", calendar, "timezone", kWant));
  MARIGRAM_ASSIGN(const std::string_view name, read_string("timezone", value, kWant));
  try {
    const date::time_zone* zone = date::locate_zone(std::string(name));
    // A zone's file is read at its first use, and may fail only then.
    zone->get_info(date::sys_seconds{});
    if (zone_files_are_complete()) return zone;
    return fail(ErrorCode::kInvalidInput,
                "cannot use calendar: the system's time-zone files lack future changes of clocks; got slim files, want "
                "files made with zic -b fat, as Debian's package tzdata has them");
  } catch (const std::exception&) {
    return wrong("timezone", minified(value), kWant);
  }
}

Status read_calendar(const element& root, Calendar::Rules& rules) {
  MARIGRAM_ASSIGN(const object calendar, read_object("", root, {"timezone", "sessions", "holidays", "special"}));
  MARIGRAM_ASSIGN(rules.zone, read_zone(calendar));
  MARIGRAM_TRY(require("", calendar, "sessions", "an array of sessions"));
  MARIGRAM_TRY(for_each(calendar, "sessions",
                        [&](const std::string& path, const element& item) { return read_session(path, item, rules); }));
  MARIGRAM_TRY(for_each(calendar, "holidays", [&](const std::string& path, const element& item) -> Status {
    MARIGRAM_ASSIGN(const date::local_days day, read_date(path, item));
    rules.holidays.insert(day);
    return {};
  }));
  return for_each(calendar, "special",
                  [&](const std::string& path, const element& item) { return read_special(path, item, rules); });
}

}  // namespace

Result<Calendar::Rules> Calendar::Rules::parse(std::string_view json) {
  simdjson::dom::parser parser;
  element root;
  if (const auto code = parser.parse(json.data(), json.size()).get(root); code != simdjson::SUCCESS) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot use calendar: it is not JSON; got {}", simdjson::error_message(code)));
  }
  Rules rules;
  rules.json = json;
  MARIGRAM_TRY(read_calendar(root, rules));
  return rules;
}

Result<Calendar> Calendar::parse(std::string_view json) {
  MARIGRAM_ASSIGN(Rules rules, Rules::parse(json));
  return Calendar(std::make_shared<const Rules>(std::move(rules)));
}

}  // namespace marigram::coverage
