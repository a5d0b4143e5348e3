// Every step that the disk takes for anything that changes a database fails once, fails for good, finds no space, loses
// power, or comes after the death of the process. After each, the database must open, hold what was acknowledged, of
// the change under way all or nothing, and go on. Without this test a fault at the wrong moment could lose rows, double
// them, or wedge the database.
#include "db/test_strike.h"
#include "db/test_watched_database.h"
#include "db/verify.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db::testing {
namespace {

using Mode = TestDisk::Mode;

constexpr std::int64_t kMinuteNs = 60'000'000'000;

DatabaseOptions keep_all() {
  DatabaseOptions options;
  options.log_file_bytes = TestDisk::kLogFileBytes;
  options.duplicates = Duplicates::kAll;  // so that a row that comes twice shows
  return options;
}

/// `count` rows of one series, one a minute.
std::vector<Row> minutes(const Tags& tags, std::int64_t first, std::int64_t count, const std::string& field = "f0") {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    rows.push_back({.time_ns = (first + i) * kMinuteNs, .tags = tags, .fields = {{field, static_cast<double>(i)}}});
  }
  return rows;
}

/// Something done with a database.
struct Act {
  std::function<Status(WatchedDatabase&)> act;
  bool again = true;  // may be done again if it did not succeed
};

Act insert(const std::string& table, std::vector<Row> rows, Durability durability) {
  return {.act = [=](WatchedDatabase& database) { return database.insert(table, rows, durability); }};
}

Status open(WatchedDatabase& database) {
  Status opened = database.open();
  EXPECT_TRUE(opened || database.is_struck()) << opened.error().message;
  return opened;
}

/// All that changes a database: tables are made in both ways, get tags and fields, rows become segments, segments
/// others.
std::vector<Act> day() {
  const auto flush = [](WatchedDatabase& database) { return database.flush(); };
  return {
      {.act = open},
      {.act = [](WatchedDatabase& database) { return database.create("t1"); }},
      insert("t0", minutes({{.name = "a", .value = "v0"}}, 0, 5), Durability::kSync),
      insert("t0", minutes({{.name = "b", .value = "v1"}}, 0, 5, "f1"), Durability::kSync),
      insert("t1", minutes({}, 2'000, 3), Durability::kInterval),
      insert("t1", minutes({{.name = "a", .value = "v0"}}, 0, 3), Durability::kNone),
      {.act = flush},
      insert("t0", minutes({{.name = "a", .value = "v0"}}, -2, 5), Durability::kSync),
      {.act = [](WatchedDatabase& database) { return database.compact(); }},
      insert("t1", minutes({{.name = "a", .value = "v0"}}, 1, 5), Durability::kSync),
      {.act = [](WatchedDatabase& database) { return database.remove("t0", {.to_ns = kMinuteNs}); }},
      insert("t0", minutes({{.name = "a", .value = "v2"}}, 0, 200), Durability::kInterval),
      {.act = [](WatchedDatabase& database) { return database.reopen(); }, .again = false},
      insert("t2", minutes({{.name = "c", .value = "v0"}}, 0, 2), Durability::kSync),
      insert("t0", minutes({{.name = "a", .value = "v2"}}, 0, 2), Durability::kSync),
  };
}

/// All tables and the log, of a database that nobody has open.
void expect_sound(TestDisk& disk) {
  const auto found = verify(disk.surroundings("/db"), false);
  ASSERT_TRUE(found) << found.error().message;
  for (const TableFindings& table : found->tables) {
    EXPECT_EQ(fmt::format("{}", fmt::join(table.report.problems, "; ")), "") << table.name;
  }
  ASSERT_TRUE(found->log);
  EXPECT_EQ(fmt::format("{}", fmt::join(found->log->problems, "; ")), "");
}

class FaultTest : public ::testing::TestWithParam<Mode> {};

TEST_P(FaultTest, AtEveryStepOfADay) {
  const std::uint64_t points = strike_everywhere(GetParam(), [](std::uint64_t point, std::uint64_t seed) {
    WatchedDatabase database(keep_all());
    database.arm(GetParam(), point, seed);
    bool struck = false;
    for (const Act& act : day()) {
      [[maybe_unused]] const Status done = act.act(database);
      if (!database.is_struck()) continue;
      struck = true;
      database.recover(seed % 3, seed);
    }
    database.expect_equal();
    database.put_down();
    expect_sound(database.disk());
    return struck;
  });
  EXPECT_GT(points, 150U) << "so few faults prove nothing";
}

INSTANTIATE_TEST_SUITE_P(Modes, FaultTest, io::all_fault_modes(), io::fault_mode_name);

/// The log may lose its first files at any step, and is opened again.
TEST(LogStartTest, ALogThatWasCutIsOpenedAgain) {
  const std::uint64_t points = strike_everywhere(Mode::kPowerCut, [](std::uint64_t point, std::uint64_t seed) {
    WatchedDatabase database(keep_all());
    EXPECT_TRUE(database.open());
    const auto fill = [&](const std::string& field) {
      for (std::int64_t i = 0; i < 12 && !database.is_struck(); ++i) {
        const Row row{.time_ns = i * kMinuteNs, .fields = {{field, std::string(10'000, static_cast<char>('a' + i))}}};
        [[maybe_unused]] const Status inserted = database.insert("t0", std::span(&row, 1), Durability::kSync);
      }
    };
    fill("s0");
    database.arm(Mode::kPowerCut, point, seed);
    [[maybe_unused]] Status done = database.flush();
    const bool struck = database.is_struck();
    if (struck) database.recover(seed % 2, seed);
    fill("s1");
    done = database.reopen();
    if (database.is_struck()) database.recover(seed % 2, seed);
    database.expect_equal();
    database.put_down();
    expect_sound(database.disk());
    return struck;
  });
  EXPECT_GT(points, 20U);
}

/// What fails for lack of space changed nothing, and succeeds without more ado when there is some again.
TEST(SpaceTest, WhatFoundNoneSucceedsWhenThereIsSome) {
  std::uint64_t again = 0;
  strike_everywhere(Mode::kNoSpaceOnce, [&](std::uint64_t point, std::uint64_t seed) {
    WatchedDatabase database(keep_all());
    database.arm(Mode::kNoSpaceOnce, point, seed);
    bool struck = false;
    for (const Act& act : day()) {
      const Status done = act.act(database);
      struck = struck || database.is_struck();
      if (done) continue;
      if (done.error().code != ErrorCode::kResourceExhausted || !act.again) {
        EXPECT_TRUE(!act.again || done.error().code == ErrorCode::kIo) << done.error().message;
        database.recover();
        continue;
      }
      ++again;
      database.forget();
      const Status retried = act.act(database);
      EXPECT_TRUE(retried || retried.error().code == ErrorCode::kAlreadyExists) << retried.error().message;
    }
    database.expect_equal();
    return struck;
  });
  EXPECT_GT(again, kSanitized ? 15U : 30U);
}

}  // namespace
}  // namespace marigram::db::testing
