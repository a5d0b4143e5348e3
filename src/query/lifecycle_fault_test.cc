// Every storage call of refresh, expiry, the merging of late rows, compaction, vacuum, a delete, of naming versions,
// going back to one and truncating, and of moving rows to the cold tier on either disk, fails once, fails for good,
// runs out of space, or loses power. After each the table must answer as if each step had been taken as a whole or not
// at all, and go on. Without this a crash could take rows before the levels tell of them, or count a late one twice.
#include "base/test_sanitized.h"
#include "io/test_fault_modes.h"
#include "query/expiry.h"
#include "query/rollup_refresh.h"
#include "query/test_aggregates.h"
#include "table/history.h"
#include "table/retention.h"
#include "table/test_disks.h"
#include "table/tiers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

namespace marigram::query {
namespace {

using Mode = io::FaultStore::Mode;
using table::testing::kMinuteUs;
using table::testing::Row;
using testing::Cells;

constexpr std::int64_t kHourUs = 60 * kMinuteUs;
constexpr std::int64_t kDayUs = 24 * kHourUs;
constexpr std::int64_t kDays = 6;

/// By series and day.
std::vector<Cells> days_of(const std::vector<Row>& rows) {
  std::map<std::pair<std::string, std::int64_t>, std::pair<std::int64_t, double>> days;
  for (const Row& row : rows) {
    auto& [count, sum] = days[{row.series, row.time_us / kDayUs * kDayUs}];
    ++count;
    sum += row.value.value_or(0);
  }
  std::vector<Cells> cells;
  for (const auto& [key, own] : days) cells.push_back({key.first, key.second, own.first, own.second});
  return cells;
}

Result<std::vector<Cells>> read_days(table::Engine& engine) {
  AggregationSpec spec = testing::spec_of({"count", "sum(value)"});
  spec.by = {"series"};
  spec.every = kDayUs;
  auto stream = aggregate_snapshot({engine, engine.state()}, {}, spec, nullptr);
  if (!stream) return std::unexpected(stream.error());
  return testing::read_rows(*stream);
}

/// A table with rows of some days, whose levels are empty still. Its rows.
std::vector<Row> make_table(const table::Environment& environment) {
  TableOptions options = table::testing::Fixture::options();
  options.bucket = "1h";
  options.segments = SegmentFormat::kNative;
  options.duplicates = Duplicates::kLast;
  options.rollups = {.intervals = {"6h", "1d"}};
  const auto engine = table::Engine::create(environment, options).value();
  std::vector<Row> rows;
  for (const char* series : {"a", "b"}) {
    for (std::int64_t hour = 0; hour < kDays * 24; ++hour) rows.push_back({hour * kHourUs, series, 1.0});
  }
  EXPECT_TRUE(table::testing::append_rows(*engine, rows));
  EXPECT_TRUE(table::set_retention(*engine, {{.keep = {{"rows", "30h"}, {"6h", "3d"}}}}));
  return rows;
}

constexpr std::uint64_t kFirst = 2;  // version with all rows and nothing else

/// What a run told its caller.
struct Told {
  std::vector<Row> rows;        // that the days are to tell of
  std::vector<Row> or_as_well;  // if the step that failed was taken all the same

  /// A step behind which the rows are others.
  bool becomes(const std::vector<Row>& next, const std::function<bool()>& step) {
    or_as_well = next;
    if (!step()) return false;
    rows = next;
    return true;
  }
};

std::vector<Row> without_b(std::vector<Row> all) {
  std::erase_if(all, [](const Row& row) { return row.series == "b"; });
  return all;
}

bool remove_b(table::Engine& engine) {
  return table::remove_rows(engine, {.where = {{.column = "series", .values = {"b"}}}}).has_value();
}

bool append(table::Engine& engine, const std::vector<Row>& more, Told& told) {
  std::vector<Row> rows = told.rows;
  rows.insert(rows.end(), more.begin(), more.end());
  return told.becomes(rows, [&] { return table::testing::append_rows(engine, more).has_value(); });
}

bool vacuum_all(table::Engine& engine) {
  engine.environment().clock->sleep_for(std::chrono::seconds(1));  // else no file is old enough
  return table::vacuum(engine, 0, false, {.versions = 1}).has_value();
}

/// Stops at the first that fails.
void take(const std::vector<std::function<bool()>>& steps) {
  for (const auto& step : steps) {
    if (!step()) return;
  }
}

void live(table::Engine& engine, Told& told) {
  take({
      [&] { return refresh_rollups(engine).has_value(); },
      [&] { return expire(engine).has_value(); },
      [&] { return append(engine, {{kDayUs + 1, "a", 100.0}, {4 * kDayUs + 1, "b", 1000.0}}, told); },
      [&] { return table::compact(engine).has_value(); },
      [&] { return refresh_rollups(engine).has_value(); },
      [&] { return table::vacuum(engine, 0, false).has_value(); },
      [&] { return told.becomes(without_b(told.rows), [&] { return remove_b(engine); }); },
      [&] { return table::compact(engine).has_value(); },
  });
}

/// What changes rows by going back.
void go_back(table::Engine& engine, Told& told) {
  const std::vector<Row> rows = told.rows;
  const auto restores = [&] { return table::restore_version(engine, kFirst).has_value(); };
  take({
      [&] { return refresh_rollups(engine).has_value(); },
      [&] { return table::name_version(engine, "first", kFirst).has_value(); },
      [&] { return told.becomes(without_b(rows), [&] { return remove_b(engine); }); },
      [&] { return refresh_rollups(engine).has_value(); },
      [&] { return told.becomes(rows, restores); },
      [&] { return told.becomes({}, [&] { return table::truncate(engine).has_value(); }); },
      [&] { return vacuum_all(engine); },
      [&] { return told.becomes(rows, restores); },
      [&] { return refresh_rollups(engine).has_value(); },
      [&] { return table::forget_version_name(engine, "first").has_value(); },
      [&] { return vacuum_all(engine); },
  });
}

/// What moves rows to the cold tier, and small segments together.
void grow_cold(table::Engine& engine, Told& told) {
  const auto append_hours = [&] {
    for (std::int64_t hour = 0; hour < 4; ++hour) {
      if (!append(engine, {{kDays * kDayUs + hour * kHourUs, "a", 7.0}}, told)) return false;
    }
    return true;
  };
  const auto moves = [&] { return table::move_cold(engine, false, {}).has_value(); };
  take({
      [&] { return table::set_tiers(engine, {.cold_after = "2d", .root = "/cold"}).has_value(); },
      moves,
      append_hours,
      [&] { return table::compact(engine, {.tiered = true}).has_value(); },
      [&] { return append(engine, {{kDayUs + 1, "a", 100.0}}, told); },
      [&] { return table::compact(engine).has_value(); },
      moves,
      [&] { return vacuum_all(engine); },
  });
}

/// What has a name is there, whatever became of the rest.
void check_named(const table::Environment& environment, const log::TableState& newest, const std::vector<Row>& first) {
  for (const auto& [name, version] : newest.version_names) {
    ASSERT_EQ(version, kFirst);
    auto opened = table::Engine::open(environment, {.at = name});
    ASSERT_TRUE(opened) << opened.error().message;
    const auto found = read_days(**opened);
    ASSERT_TRUE(found) << found.error().message;
    ASSERT_EQ(*found, days_of(first));
  }
}

void check_survivor(const table::Environment& environment, const Told& told) {
  auto opened = table::Engine::open(environment, {});
  ASSERT_TRUE(opened) << opened.error().message;
  table::Engine& engine = **opened;
  const auto found = read_days(engine);
  ASSERT_TRUE(found) << found.error().message;
  if (*found != days_of(told.rows)) {
    ASSERT_EQ(*found, days_of(told.or_as_well));
  }
  const auto expired = expire(engine);
  ASSERT_TRUE(expired) << expired.error().message;
  ASSERT_EQ(read_days(engine).value(), *found);
  ASSERT_TRUE(table::compact(engine));
  ASSERT_EQ(read_days(engine).value(), *found);
  const auto report = table::verify(environment, false);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->problems, std::vector<std::string>());
}

class LifecycleFaultTest : public ::testing::TestWithParam<Mode> {};

using Life = void (*)(table::Engine&, Told&);
enum class Disk { kMain, kCold };

/// Lives again and again, each time with a fault at the next storage call of the disk.
void try_every_call(Mode mode, Life life, Disk faulty = Disk::kMain) {
  const ManualClock clock({.seconds = kDays * 86'400});
  ThreadPool pool(1);
  std::uint64_t tried = 0;
  for (std::uint64_t point = 0, fired = 1; fired > 0; point += kSanitized ? 11 : 1) {
    fired = 0;
    for (std::uint64_t seed = 1; seed <= (mode == Mode::kPowerCut ? 2U : 1U); ++seed) {
      SCOPED_TRACE(fmt::format("point {} seed {}", point, seed));
      table::testing::Disks disks(clock);
      const table::Environment before = disks.environment(clock, pool);
      const std::vector<Row> rows = make_table(before);
      (faulty == Disk::kMain ? disks.main() : disks.cold()).arm(mode, point, seed);
      Told told{.rows = rows, .or_as_well = rows};
      if (const auto engine = table::Engine::open(before, {})) life(**engine, told);
      fired += disks.fired() ? 1 : 0;
      if (mode == Mode::kPowerCut && disks.fired()) {
        disks.restart();
      } else {
        disks.reopen();
      }
      const table::Environment after = disks.environment(clock, pool);
      if (const auto engine = table::Engine::open(after, {})) check_named(after, *(*engine)->state(), rows);
      if (::testing::Test::HasFatalFailure()) return;
      check_survivor(after, told);
      if (::testing::Test::HasFatalFailure()) return;
      ++tried;
    }
  }
  ::testing::Test::RecordProperty("points", static_cast<int>(tried));
  if (!kSanitized) {
    EXPECT_GT(tried, faulty == Disk::kMain ? 100U : 30U) << "a run with so few faults proves nothing";
  }
}

TEST_P(LifecycleFaultTest, EveryStorageCall) {
  try_every_call(GetParam(), live);
}

TEST_P(LifecycleFaultTest, EveryStorageCallOfGoingBack) {
  try_every_call(GetParam(), go_back);
}

TEST_P(LifecycleFaultTest, EveryStorageCallOfTiering) {
  try_every_call(GetParam(), grow_cold);
}

TEST_P(LifecycleFaultTest, EveryStorageCallOfTheColdDisk) {
  try_every_call(GetParam(), grow_cold, Disk::kCold);
}

INSTANTIATE_TEST_SUITE_P(Modes, LifecycleFaultTest, io::all_fault_modes(), io::fault_mode_name);

}  // namespace
}  // namespace marigram::query
