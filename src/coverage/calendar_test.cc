// Calendars decide which missing buckets are gaps. Without these tests a change of clocks, a holiday or a session over
// midnight could pass for an hour of missing data, or hide one.
#include "coverage/calendar.h"

#include "coverage/bucket_grid.h"
#include "coverage/bucket_set.h"
#include "model/index.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <date/date.h>
#include <date/tz.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marigram::coverage {
namespace {

using testing::HasSubstr;

constexpr std::string_view kWeekdays = R"("days": ["mon","tue","wed","thu","fri"])";

Instant at(std::string_view text) {
  return parse_rfc3339(text).value();
}

Calendar calendar(std::string_view json) {
  auto parsed = Calendar::parse(json);
  EXPECT_TRUE(parsed) << parsed.error().message;
  return std::move(parsed).value();
}

/// `2024-03-11T13:30:00Z/2024-03-11T20:00:00Z` for each session.
std::vector<std::string> texts(const Calendar& of, std::string_view from, std::string_view to) {
  std::vector<std::string> result;
  const std::vector<Session> sessions = of.sessions(at(from), at(to)).value();
  result.reserve(sessions.size());
  for (const Session& session : sessions) {
    result.push_back(fmt::format("{}/{}", format_rfc3339(session.open), format_rfc3339(session.close)));
  }
  return result;
}

using Texts = std::vector<std::string>;

BucketGrid grid(std::uint32_t count, BucketWidth::Unit unit, Dialect dialect = Dialect::kV7) {
  return BucketGrid(dialect, model::TimestampIndex{.bucket = {.count = count, .unit = unit}, .timezone = {}});
}

IdRange ids(const BucketGrid& of, std::string_view from, std::string_view to) {
  return {.first = of.id_of(at(from)).value(), .last = of.last_id_before(at(to)).value()};
}

// ---- New York equities and the FX week, against what is public knowledge ----

const std::string kEquities = fmt::format(R"({{
  "timezone": "America/New_York",
  "sessions": [{{{}, "open": "09:30", "close": "16:00"}}],
  "holidays": ["2023-01-02", "2023-01-16", "2023-02-20", "2023-04-07", "2023-05-29", "2023-06-19", "2023-07-04",
               "2023-09-04", "2023-11-23", "2023-12-25",
               "2024-01-01", "2024-01-15", "2024-02-19", "2024-03-29", "2024-05-27", "2024-06-19", "2024-07-04",
               "2024-09-02", "2024-11-28", "2024-12-25"],
  "special": [{{"date": "2023-07-03", "open": "09:30", "close": "13:00"}},
              {{"date": "2023-11-24", "open": "09:30", "close": "13:00"}},
              {{"date": "2024-07-03", "open": "09:30", "close": "13:00"}},
              {{"date": "2024-11-29", "open": "09:30", "close": "13:00"}},
              {{"date": "2024-12-24", "open": "09:30", "close": "13:00"}}]
}})",
                                          kWeekdays);

TEST(Calendar, NewYorkEquities2023And2024) {
  const Calendar equities = calendar(kEquities);
  EXPECT_EQ(equities.json(), kEquities);
  // Trading days as the exchange counts them.
  EXPECT_EQ(equities.sessions(at("2023-01-01"), at("2024-01-01"))->size(), 250u);
  EXPECT_EQ(equities.sessions(at("2024-01-01"), at("2025-01-01"))->size(), 252u);
  const BucketGrid minutes = grid(1, BucketWidth::Unit::kMinute);
  EXPECT_EQ(equities.expected(minutes, ids(minutes, "2023-01-01", "2024-01-01"))->size(), 250u * 390 - 2 * 180);
  EXPECT_EQ(equities.expected(minutes, ids(minutes, "2024-01-01", "2025-01-01"))->size(), 252u * 390 - 3 * 180);
  // The week in which clocks go forward, and the one in which they go back.
  EXPECT_EQ(texts(equities, "2024-03-08", "2024-03-12"),
            (Texts{"2024-03-08T14:30:00Z/2024-03-08T21:00:00Z", "2024-03-11T13:30:00Z/2024-03-11T20:00:00Z"}));
  EXPECT_EQ(texts(equities, "2024-11-01", "2024-11-05"),
            (Texts{"2024-11-01T13:30:00Z/2024-11-01T20:00:00Z", "2024-11-04T14:30:00Z/2024-11-04T21:00:00Z"}));
  // A short day, a holiday, a weekend.
  EXPECT_EQ(texts(equities, "2024-07-03", "2024-07-08"),
            (Texts{"2024-07-03T13:30:00Z/2024-07-03T17:00:00Z", "2024-07-05T13:30:00Z/2024-07-05T20:00:00Z"}));
}

TEST(Calendar, SessionsAreCutAtTheEndsOfTheRange) {
  const Calendar equities = calendar(kEquities);
  EXPECT_EQ(texts(equities, "2024-03-11T14:00:00.5Z", "2024-03-11T15:00:00Z"),
            (Texts{"2024-03-11T14:00:00.500Z/2024-03-11T15:00:00Z"}));
  EXPECT_EQ(texts(equities, "2024-03-11T20:00:00Z", "2024-03-12T13:30:00Z"), Texts{});
  EXPECT_EQ(texts(equities, "2024-03-12", "2024-03-12"), Texts{});
  EXPECT_EQ(texts(equities, "2024-03-13", "2024-03-12"), Texts{});
}

TEST(Calendar, FxWeekRunsFromSundayToFriday) {
  const Calendar fx = calendar(R"({"timezone": "America/New_York", "sessions": [
      {"open": {"day": "sun", "time": "17:00"}, "close": {"day": "fri", "time": "17:00"}}]})");
  EXPECT_EQ(texts(fx, "2024-03-02", "2024-03-17"),
            (Texts{"2024-03-03T22:00:00Z/2024-03-08T22:00:00Z", "2024-03-10T21:00:00Z/2024-03-15T21:00:00Z"}));
  EXPECT_EQ(texts(fx, "2024-11-02", "2024-11-10"), (Texts{"2024-11-03T22:00:00Z/2024-11-08T22:00:00Z"}));
  // Asked in the middle of a week, far from its opening.
  EXPECT_EQ(texts(fx, "2024-03-07", "2024-03-08"), (Texts{"2024-03-07T00:00:00Z/2024-03-08T00:00:00Z"}));
  const BucketGrid hours = grid(1, BucketWidth::Unit::kHour);
  EXPECT_EQ(fx.expected(hours, ids(hours, "2023-01-01T22:00:00Z", "2023-12-29T22:00:00Z"))->size(), 52u * 120);
}

// ---- wall times that do not exist, or exist twice ----

TEST(Calendar, WallTimesAtChangesOfClocks) {
  const auto daily = [](std::string_view zone, std::string_view open, std::string_view close) {
    return calendar(fmt::format(R"({{"timezone": "{}", "sessions": [
        {{"days": ["sun","mon","tue","wed","thu","fri","sat"], "open": "{}", "close": "{}"}}]}})",
                                zone, open, close));
  };
  const auto on = [](const Calendar& of, std::string_view day, std::string_view next) { return texts(of, day, next); };
  // New York, 10 March 2024: 02:00 to 03:00 do not exist; the change is at 07:00Z.
  EXPECT_EQ(on(daily("America/New_York", "02:30", "05:00"), "2024-03-10T06:00:00Z", "2024-03-11"),
            (Texts{"2024-03-10T07:00:00Z/2024-03-10T09:00:00Z"}));
  EXPECT_EQ(on(daily("America/New_York", "01:00", "02:30"), "2024-03-10T05:00:00Z", "2024-03-11"),
            (Texts{"2024-03-10T06:00:00Z/2024-03-10T07:00:00Z"}));
  EXPECT_EQ(on(daily("America/New_York", "02:10", "02:50"), "2024-03-10T05:00:00Z", "2024-03-11"), Texts{});
  // 3 November 2024: 01:00 to 02:00 exist twice, at 05:00Z and at 06:00Z.
  EXPECT_EQ(on(daily("America/New_York", "01:30", "05:00"), "2024-11-03T04:00:00Z", "2024-11-04"),
            (Texts{"2024-11-03T05:30:00Z/2024-11-03T10:00:00Z"}));
  EXPECT_EQ(on(daily("America/New_York", "00:30", "01:30"), "2024-11-03T04:00:00Z", "2024-11-04"),
            (Texts{"2024-11-03T04:30:00Z/2024-11-03T06:30:00Z"}));
  // Lord Howe Island moves by half an hour: 7 April 2024, 02:00 (+11) becomes 01:30 (+10:30) at 6 April 15:00Z.
  EXPECT_EQ(on(daily("Australia/Lord_Howe", "01:45", "02:00"), "2024-04-06T14:00:00Z", "2024-04-07T00:00:00Z"),
            (Texts{"2024-04-06T14:45:00Z/2024-04-06T15:30:00Z"}));
  // 6 October 2024, 02:00 (+10:30) becomes 02:30 (+11) at 5 October 15:30Z.
  EXPECT_EQ(on(daily("Australia/Lord_Howe", "02:15", "03:00"), "2024-10-05T14:00:00Z", "2024-10-06T00:00:00Z"),
            (Texts{"2024-10-05T15:30:00Z/2024-10-05T16:00:00Z"}));
  // Casablanca leaves its summer time for Ramadan: 10 March 2024 at 02:00Z from +1 to 0, back on 14 April.
  EXPECT_EQ(on(daily("Africa/Casablanca", "09:00", "17:00"), "2024-03-09", "2024-03-11"),
            (Texts{"2024-03-09T08:00:00Z/2024-03-09T16:00:00Z", "2024-03-10T09:00:00Z/2024-03-10T17:00:00Z"}));
  // Samoa skipped 30 December 2011.
  EXPECT_EQ(on(daily("Pacific/Apia", "09:00", "10:00"), "2011-12-29T00:00:00Z", "2012-01-01T00:00:00Z"),
            (Texts{"2011-12-29T19:00:00Z/2011-12-29T20:00:00Z", "2011-12-30T19:00:00Z/2011-12-30T20:00:00Z",
                   "2011-12-31T19:00:00Z/2011-12-31T20:00:00Z"}));
}

TEST(Calendar, RoundTheClockIsOneSession) {
  const Calendar all = calendar(R"({"timezone": "UTC", "sessions": [
      {"days": ["sun","mon","tue","wed","thu","fri","sat"], "open": "00:00", "close": "24:00"}]})");
  EXPECT_EQ(texts(all, "1969-12-01", "1970-02-01"), (Texts{"1969-12-01T00:00:00Z/1970-02-01T00:00:00Z"}));
  const Calendar week = calendar(R"({"timezone": "UTC", "sessions": [
      {"open": {"day": "wed", "time": "24:00"}, "close": {"day": "thu", "time": "00:00"}}]})");
  EXPECT_EQ(texts(week, "1969-12-01", "1970-02-01"), (Texts{"1969-12-01T00:00:00Z/1970-02-01T00:00:00Z"}));
}

TEST(Calendar, HolidaysCutSessionsThatRunOverMidnight) {
  const Calendar nights = calendar(R"({"timezone": "UTC", "holidays": ["2024-05-02", "2024-05-08"], "sessions": [
      {"open": {"day": "wed", "time": "20:00"}, "close": {"day": "fri", "time": "04:00"}}],
      "special": [{"date": "2024-05-09", "open": "06:00", "close": "07:00"},
                  {"date": "2024-05-09", "open": "08:00", "close": "24:00"},
                  {"date": "2024-05-11", "open": "10:00", "close": "11:00"}]})");
  EXPECT_EQ(texts(nights, "2024-05-01", "2024-05-13"),
            (Texts{"2024-05-01T20:00:00Z/2024-05-02T00:00:00Z", "2024-05-03T00:00:00Z/2024-05-03T04:00:00Z",
                   "2024-05-09T06:00:00Z/2024-05-09T07:00:00Z", "2024-05-09T08:00:00Z/2024-05-10T04:00:00Z",
                   "2024-05-11T10:00:00Z/2024-05-11T11:00:00Z"}));
}

// ---- against a model that looks at each minute ----

/// The local wall clock at every UTC minute of a range, in minutes since 1970.
struct Clock {
  std::int64_t first = 0;  // UTC minute of wall[0]
  std::vector<std::int64_t> wall;

  Clock(const std::string& zone_name, std::int64_t from, std::int64_t to) : first(from) {
    const date::time_zone* zone = date::locate_zone(zone_name);
    date::sys_info info{};
    for (std::int64_t minute = from; minute < to; ++minute) {
      const date::sys_seconds now{std::chrono::minutes(minute)};
      if (now < info.begin || now >= info.end) info = zone->get_info(now);
      wall.push_back(std::chrono::floor<std::chrono::minutes>(now.time_since_epoch() + info.offset).count());
    }
  }

  /// Marks from the first minute at or after wall time `open` to the last one before `close`: with a wall time that is
  /// skipped that is the change, with one that comes twice its first or last coming.
  void mark(std::vector<bool>& minutes, std::int64_t open, std::int64_t close) const {
    constexpr std::int64_t kFar = 3 * 1'440;  // clocks and UTC differ by less
    const auto clamp = [&](std::int64_t index) { return std::clamp<std::int64_t>(index, 0, std::ssize(wall)); };
    std::int64_t begin = clamp(open - first - kFar);
    const std::int64_t end = clamp(close - first + kFar);
    while (begin < end && wall[begin] < open) ++begin;
    std::int64_t last = end;
    while (last > begin && wall[last - 1] >= close) --last;
    for (std::int64_t i = begin; i < last; ++i) minutes[i] = true;
  }
};

constexpr std::array<const char*, 7> kNames = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

std::string clock_text(std::int64_t minute) {
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

std::string date_text(std::int64_t day) {
  return date::format("%F", date::sys_days(date::days(day)));
}

unsigned weekday_of(std::int64_t day) {
  return date::weekday(date::sys_days(date::days(day))).c_encoding();
}

/// A random calendar as JSON and as marked minutes.
class RandomCalendar {
 public:
  RandomCalendar(std::uint64_t seed, std::string zone, std::int64_t first_day, std::int64_t last_day)
      : random_(seed),
        zone_(std::move(zone)),
        first_day_(first_day),
        last_day_(last_day),
        clock_(zone_, (first_day - 2) * 1'440, (last_day + 2) * 1'440),
        minutes_(clock_.wall.size()) {
    for (int n = below(3); n-- > 0;) add_daily();
    for (int n = below(2) + (sessions_.empty() ? 1 : 0); n-- > 0;) add_weekly();
    close_days();
  }

  std::string json() const {
    return fmt::format(R"({{"timezone": "{}", "sessions": [{}], "holidays": [{}], "special": [{}]}})", zone_, sessions_,
                       holidays_, special_);
  }
  bool open_at(std::int64_t utc_minute) const { return minutes_[utc_minute - clock_.first]; }

 private:
  int below(int end) { return static_cast<int>(random_() % static_cast<std::uint64_t>(end)); }

  static void append(std::string& list, const std::string& item) { list += (list.empty() ? "" : ", ") + item; }

  /// Opening and closing minute of a day; near the hours at which clocks change more often than not.
  std::pair<int, int> random_span() {
    int open = below(2) == 0 ? below(300) : below(1'440);
    int close = below(2) == 0 ? below(300) : below(1'441);
    if (open > close) std::swap(open, close);
    if (open == close) close < 1'440 ? ++close : --open;
    return {open, close};
  }

  void add_daily() {
    std::string days;
    std::array<bool, 7> chosen{};
    for (std::size_t day = 0; day < 7; ++day) {
      chosen[day] = below(3) > 0 || (day == 6 && days.empty());
      if (chosen[day]) append(days, fmt::format("\"{}\"", kNames[day]));
    }
    const auto [open, close] = random_span();
    append(sessions_,
           fmt::format(R"({{"days": [{}], "open": "{}", "close": "{}"}})", days, clock_text(open), clock_text(close)));
    for (std::int64_t day = first_day_ - 10; day <= last_day_ + 10; ++day) {
      if (chosen[weekday_of(day)]) clock_.mark(minutes_, day * 1'440 + open, day * 1'440 + close);
    }
  }

  void add_weekly() {
    const int open = below(7 * 1'440);
    const int length = 1 + below(7 * 1'440);
    const int close = (open + length) % (7 * 1'440);
    const auto moment = [](int minute) {
      return fmt::format(R"({{"day": "{}", "time": "{}"}})", kNames[minute / 1'440], clock_text(minute % 1'440));
    };
    append(sessions_, fmt::format(R"({{"open": {}, "close": {}}})", moment(open), moment(close)));
    for (std::int64_t day = first_day_ - 10; day <= last_day_ + 10; ++day) {
      if (weekday_of(day) != 0) continue;
      clock_.mark(minutes_, day * 1'440 + open, day * 1'440 + open + length);
    }
  }

  void close_days() {
    std::vector<bool> extra(minutes_.size());
    for (std::int64_t day = first_day_; day <= last_day_; ++day) {
      const int chance = below(12);
      if (chance > 1) continue;
      for (std::size_t i = 0; i < minutes_.size(); ++i) {
        if (clock_.wall[i] / 1'440 == day) minutes_[i] = false;
      }
      if (chance == 0) {
        append(holidays_, fmt::format("\"{}\"", date_text(day)));
        continue;
      }
      const auto [open, close] = random_span();
      append(special_, fmt::format(R"({{"date": "{}", "open": "{}", "close": "{}"}})", date_text(day), clock_text(open),
                                   clock_text(close)));
      clock_.mark(extra, day * 1'440 + open, day * 1'440 + close);
    }
    for (std::size_t i = 0; i < minutes_.size(); ++i) minutes_[i] = minutes_[i] || extra[i];
  }

  std::mt19937_64 random_;
  std::string zone_;
  std::int64_t first_day_;
  std::int64_t last_day_;
  Clock clock_;
  std::vector<bool> minutes_;
  std::string sessions_;
  std::string holidays_;
  std::string special_;
};

struct Scene {
  const char* zone;
  date::sys_days middle;  // a day near which clocks change
};

std::vector<Scene> scenes() {
  const auto day = [](int y, int m, int d) {
    return date::sys_days(date::year(y) / date::month(static_cast<unsigned>(m)) / date::day(static_cast<unsigned>(d)));
  };
  return {{"America/New_York", day(2024, 3, 10)},   {"America/New_York", day(2023, 11, 5)},
          {"Australia/Lord_Howe", day(2024, 4, 7)}, {"Australia/Lord_Howe", day(2024, 10, 6)},
          {"Africa/Casablanca", day(2024, 3, 10)},  {"Africa/Casablanca", day(2025, 2, 23)},
          {"America/Sao_Paulo", day(2017, 10, 15)}, {"America/Sao_Paulo", day(2018, 2, 18)},  // at midnight
          {"America/Havana", day(2024, 3, 10)},     {"America/Havana", day(2024, 11, 3)},
          {"Atlantic/Azores", day(2024, 3, 31)},    {"Atlantic/Azores", day(2024, 10, 27)},
          {"Pacific/Apia", day(2011, 12, 30)},      {"Asia/Kathmandu", day(2024, 1, 1)},
          {"Europe/London", day(2024, 10, 27)},     {"UTC", day(2024, 2, 29)}};
}

TEST(Calendar, AgreesWithAModelOfEachMinute) {
  for (const Scene& scene : scenes()) {
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      const std::int64_t middle = scene.middle.time_since_epoch().count();
      const RandomCalendar model(seed, scene.zone, middle - 12, middle + 12);
      SCOPED_TRACE(testing::Message() << "seed " << seed << ": " << model.json());
      const Calendar tested = calendar(model.json());
      const std::int64_t from = (middle - 11) * 1'440;
      const std::int64_t to = (middle + 11) * 1'440;
      const auto sessions = tested.sessions({.seconds = from * 60}, {.seconds = to * 60});
      ASSERT_TRUE(sessions) << sessions.error().message;
      std::vector<bool> open(to - from);
      for (const Session& session : *sessions) {
        ASSERT_LT(session.open, session.close);
        for (std::int64_t s = session.open.seconds; s < session.close.seconds; s += 60) open[s / 60 - from] = true;
      }
      for (std::size_t i = 1; i < sessions->size(); ++i) ASSERT_LT((*sessions)[i - 1].close, (*sessions)[i].open);
      for (std::int64_t minute = from; minute < to; ++minute) {
        ASSERT_EQ(open[minute - from], model.open_at(minute)) << format_rfc3339({.seconds = minute * 60});
      }
      for (const std::uint32_t width : {1u, 7u, 60u, 1'440u}) {
        const BucketGrid buckets = grid(width, BucketWidth::Unit::kMinute, seed % 2 == 0 ? Dialect::kV7 : Dialect::kV1);
        const IdRange range{.first = buckets.id_of(Instant{.seconds = from * 60}).value() + 1,
                            .last = buckets.id_of(Instant{.seconds = to * 60}).value() - 1};
        const BucketSet expected = tested.expected(buckets, range).value();
        std::uint64_t wanted = 0;
        for (std::uint64_t id = range.first; id <= range.last; ++id) {
          const std::int64_t start = std::get<Instant>(buckets.start_of(id)).seconds / 60;
          bool any = false;
          for (std::int64_t minute = start; minute < start + width; ++minute) any = any || model.open_at(minute);
          ASSERT_EQ(expected.contains(id), any) << format_index_value(buckets.start_of(id)) << " width " << width;
          wanted += any ? 1 : 0;
        }
        ASSERT_EQ(expected.size(), wanted);  // and nothing outside the range
      }
    }
  }
}

// ---- what is refused ----

TEST(Calendar, ErrorsNameTheMember) {
  const std::string head = R"({"timezone": "UTC", "sessions": [)";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "is not JSON"},
      {"{", "is not JSON"},
      {"[]", "`calendar` is wrong; got [], want an object"},
      {R"({"sessions": []})", "`timezone` is wrong; got nothing"},
      {R"({"timezone": 5, "sessions": []})", "`timezone` is wrong; got 5"},
      {R"({"timezone": "Mars/Base", "sessions": []})", "`timezone` is wrong; got \"Mars/Base\""},
      {R"({"timezone": "../../etc/passwd", "sessions": []})", "`timezone`"},
      {R"({"timezone": "", "sessions": []})", "`timezone`"},
      {R"({"timezone": "UTC"})", "`sessions` is wrong; got nothing"},
      {R"({"timezone": "UTC", "sessions": {}})", "`sessions` is wrong; got {}, want an array"},
      {R"({"timezone": "UTC", "sessions": [], "holiday": []})",
       "`holiday` is wrong; got an unknown member, want only timezone"},
      {R"({"timezone": "UTC", "timezone": "UTC", "sessions": []})", "`timezone` is wrong; got it twice"},
      {head + "5]}", "`sessions[0]` is wrong; got 5, want an object"},
      {head + R"({"days": ["mon"], "open": "09:30", "close": "16:00"}, {}]})",
       "`sessions[1].open` is wrong; got nothing"},
      {head + R"({"open": "09:30", "close": "16:00"}]})", "`sessions[0].days` is wrong; got nothing"},
      {head + R"({"days": [], "open": "09:30", "close": "16:00"}]})", "`sessions[0].days` is wrong; got no days"},
      {head + R"({"days": ["mon", "Tue"], "open": "09:30", "close": "16:00"}]})",
       "`sessions[0].days[1]` is wrong; got \"Tue\""},
      {head + R"({"days": ["mon", "mon"], "open": "09:30", "close": "16:00"}]})",
       "`sessions[0].days` is wrong; got mon twice"},
      {head + R"({"days": ["mon"], "open": "9:30", "close": "16:00"}]})", "`sessions[0].open` is wrong; got \"9:30\""},
      {head + R"({"days": ["mon"], "open": "09:30", "close": "16:60"}]})",
       "`sessions[0].close` is wrong; got \"16:60\""},
      {head + R"({"days": ["mon"], "open": "09:30", "close": "24:01"}]})",
       "`sessions[0].close` is wrong; got \"24:01\", want a time up to 24:00"},
      {head + R"({"days": ["mon"], "open": "24:00", "close": "24:00"}]})", "`sessions[0].open` is wrong"},
      {head + R"({"days": ["mon"], "open": "17:00", "close": "09:00"}]})",
       "`sessions[0].close` is wrong; got \"09:00\", want a time after \"17:00\"; a session over midnight names its "
       "days"},
      {head + R"({"days": ["mon"], "open": "17:00", "close": "17:00"}]})", "`sessions[0].close`"},
      {head +
           R"({"days": ["mon"], "open": {"day": "sun", "time": "17:00"}, "close": {"day": "fri", "time": "17:00"}}]})",
       "`sessions[0].days`"},
      {head + R"({"open": {"day": "sun", "time": "17:00"}, "close": "17:00"}]})",
       "`sessions[0].close` is wrong; got \"17:00\", want an object"},
      {head + R"({"open": {"day": "sun"}, "close": {"day": "fri", "time": "17:00"}}]})",
       "`sessions[0].open.time` is wrong; got nothing"},
      {head + R"({"open": {"day": 7, "time": "17:00"}, "close": {"day": "fri", "time": "17:00"}}]})",
       "`sessions[0].open.day` is wrong; got 7"},
      {head + R"({"open": {"day": "sun", "time": "17:00", "zone": "UTC"}, "close": {}}]})", "`sessions[0].open.zone`"},
      {head + R"(], "holidays": "2024-01-01"})", "`holidays` is wrong"},
      {head + R"(], "holidays": ["2024-01-01", "2024-02-30"]})",
       "`holidays[1]` is wrong; got \"2024-02-30\", want a date that exists"},
      {head + R"(], "holidays": ["2024-1-1"]})", "`holidays[0]` is wrong"},
      {head + R"(], "special": [{"open": "09:30", "close": "13:00"}]})", "`special[0].date` is wrong; got nothing"},
      {head + R"(], "special": [{"date": "2024-07-03", "close": "13:00"}]})",
       "`special[0].open` is wrong; got nothing"},
      {head +
           R"(], "holidays": ["2024-07-03"], "special": [{"date": "2024-07-03", "open": "09:30", "close": "13:00"}]})",
       "`special[0].date` is wrong; got \"2024-07-03\", which is a holiday too"},
  };
  for (const auto& [json, want] : cases) {
    SCOPED_TRACE(json);
    const auto parsed = Calendar::parse(json);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(parsed.error().message, HasSubstr(want));
  }
}

TEST(Calendar, EveryTruncationIsAnError) {
  for (std::size_t length = 0; length < kEquities.size(); ++length) {
    EXPECT_FALSE(Calendar::parse(std::string_view(kEquities).substr(0, length))) << length;
  }
}

TEST(Calendar, RangesThatCannotBeAnswered) {
  const Calendar equities = calendar(kEquities);
  const BucketGrid hours = grid(1, BucketWidth::Unit::kHour);
  const auto code = [&](const auto& result) { return result ? ErrorCode::kInternal : result.error().code; };
  EXPECT_TRUE(equities.expected(hours, ids(hours, "1840-01-01", "2038-01-01")));
  EXPECT_EQ(code(equities.expected(hours, ids(hours, "1830-01-01", "2038-01-01"))), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(equities.expected(hours, {.first = 0, .last = UINT64_MAX})), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(equities.sessions({.seconds = INT64_MIN}, {.seconds = INT64_MIN + 10})), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(equities.sessions({.seconds = INT64_MAX - 10}, {.seconds = INT64_MAX})), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(equities.sessions({.seconds = INT64_MIN}, {.seconds = INT64_MAX})), ErrorCode::kInvalidInput);
  const BucketGrid integers(Dialect::kV7, model::Int64Index{1});
  const auto of_integers = equities.expected(integers, {.first = 0, .last = 5});
  ASSERT_FALSE(of_integers);
  EXPECT_THAT(of_integers.error().message, HasSubstr("want a timestamp index"));
  EXPECT_TRUE(equities.expected(hours, {.first = 5, .last = 4})->empty());
}

TEST(Calendar, SaysWhereItsKnowledgeOfZonesEnds) {
  const Calendar equities = calendar(kEquities);
  EXPECT_TRUE(equities.sessions(at("2037-12-01"), at("2038-01-01")));
  const auto later = equities.sessions(at("2037-12-01"), at("2038-01-02"));
  ASSERT_FALSE(later);
  EXPECT_THAT(later.error().message,
              HasSubstr("the changes of clocks in America/New_York are not known from 2038-01-01 on"));
  // Zones that do not change their clocks are known for ever.
  for (const char* zone : {"UTC", "Asia/Tokyo", "America/Sao_Paulo"}) {
    const Calendar fixed = calendar(fmt::format(R"({{"timezone": "{}", "sessions": []}})", zone));
    EXPECT_TRUE(fixed.sessions(at("2100-01-01"), at("2200-01-01"))) << zone;
  }
}

}  // namespace
}  // namespace marigram::coverage
