// What a calendar's JSON says, parsed. Inside coverage/ only.
#pragma once

#include "coverage/calendar.h"

#include <marigram/error.h>

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <date/date.h>
#include <date/tz.h>

namespace marigram::coverage {

/// Wall-clock time of a day: since its midnight, up to and with 24:00.
using WallTime = std::chrono::seconds;

struct WallSpan {
  WallTime open{};
  WallTime close{};  // exclusive, > open
};

/// A session of certain days of the week, inside the day.
struct DailySession {
  std::set<unsigned> days;  // 0 is Sunday
  WallSpan span;
};

/// A session from one moment of the week to another, at most a week later.
struct WeeklySession {
  unsigned open_day = 0;  // 0 is Sunday
  WallTime open{};
  std::chrono::seconds length{};  // on the wall clock, without changes of it; > 0, <= 7 days
};

struct Calendar::Rules {
  std::string json;
  const date::time_zone* zone = nullptr;  // of the process-wide database; lives for ever
  std::vector<DailySession> daily;
  std::vector<WeeklySession> weekly;
  std::set<date::local_days> holidays;
  std::map<date::local_days, std::vector<WallSpan>> special;

  static Result<Rules> parse(std::string_view json);
};

}  // namespace marigram::coverage
