// Every storage call of every writing operation fails once, fails for good, runs out of space, or loses power. After
// each, the table must open, hold exactly what was acknowledged (and at most the one operation in flight besides,
// whole), and take another append. Without this a crash could lose or halve an append, or wedge the table.
#include "table/append.h"
#include "table/evolve.h"
#include "table/test_rows.h"
#include "table/vacuum.h"
#include "table/verify.h"

#include "io/test_fault_modes.h"

#include <fmt/format.h>

#include <functional>

namespace marigram::table::testing {
namespace {

using Mode = io::FaultStore::Mode;

/// What a run told its caller.
struct Acknowledged {
  bool created = false;
  std::vector<Row> rows;                      // of acknowledged appends
  std::optional<std::vector<Row>> in_flight;  // of the append that failed, if one did
};

/// Creates a table, appends, checkpoints, appends, removes nothing, vacuums, verifies with repair; stops at the first
/// error.
Acknowledged run_workload(Environment environment) {
  Acknowledged done;
  auto engine = Engine::create(environment, Fixture::options());
  if (!engine) return done;
  done.created = true;
  const auto append_next = [&](std::int64_t first_minute) {
    const std::vector<Row> rows = minutes("a", first_minute, 3);
    if (!append_rows(**engine, rows)) {
      done.in_flight = rows;
      return false;
    }
    done.rows.insert(done.rows.end(), rows.begin(), rows.end());
    return true;
  };
  if (!append_next(0) || !append_next(10)) return done;
  if (!(*engine)->log().write_checkpoint(*(*engine)->state())) return done;
  if (!append_next(20)) return done;
  if (!vacuum(**engine, 0, false)) return done;
  (void)verify(environment, true);
  return done;
}

/// The table after the fault: opens, holds what it must, takes another append, verifies.
void check_survivor(Environment environment, const Acknowledged& done, const std::string& where) {
  auto engine = Engine::open(environment, {});
  if (!done.created && !engine) {
    EXPECT_EQ(engine.error().code, ErrorCode::kNotFound) << where << engine.error().message;
    engine = Engine::create(environment, Fixture::options());
  }
  ASSERT_TRUE(engine) << where << engine.error().message;
  auto rows = scan_rows(**engine);
  ASSERT_TRUE(rows) << where << rows.error().message;
  if (*rows != done.rows) {
    ASSERT_TRUE(done.in_flight) << where << "rows differ from what was acknowledged";
    std::vector<Row> with(done.rows);
    with.insert(with.end(), done.in_flight->begin(), done.in_flight->end());
    ASSERT_EQ(*rows, with) << where;
  }
  const auto more = append_rows(**engine, minutes("b", 0, 2));
  ASSERT_TRUE(more) << where << more.error().message;
  const auto report = verify(environment, false);
  ASSERT_TRUE(report) << where << report.error().message;
  EXPECT_TRUE(report->problems.empty()) << where << fmt::format("{}", fmt::join(report->problems, "\n"));
}

class CrashTest : public ::testing::TestWithParam<Mode> {};

/// Strikes at each storage call of `run` in turn, with `check` after each. Gives the number of faults.
template <typename Run, typename Check>
std::uint64_t strike_everywhere(Mode mode, Run run, Check check) {
  ManualClock clock;
  ThreadPool pool(1);
  std::uint64_t tried = 0;
  for (std::uint64_t point = 0;; ++point) {
    const std::uint64_t seeds = mode == Mode::kPowerCut ? 4 : 1;
    bool fired = false;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      auto store = io::make_fault_store(clock);
      store->arm(mode, point, seed);
      const Environment environment{.store = store, .clock = &clock, .pool = &pool};
      const auto done = run(environment);
      fired = store->fired();
      const Environment after{.store = mode == Mode::kPowerCut && fired ? store->restart() : store->reopen(),
                              .clock = &clock,
                              .pool = &pool};
      check(after, done, fmt::format("point {} seed {}: ", point, seed));
      if (::testing::Test::HasFatalFailure()) return tried;
      ++tried;
    }
    if (!fired) return tried;
  }
}

TEST_P(CrashTest, EveryStorageCall) {
  const std::uint64_t tried = strike_everywhere(GetParam(), run_workload, check_survivor);
  RecordProperty("points", static_cast<int>(tried));
  fmt::print("tried {} faults\n", tried);
  EXPECT_GT(tried, 50U) << "a run with so few faults proves nothing";
}

/// A table that grows between its appends: how many tags its caller was told of, besides rows.
struct Grown {
  Acknowledged rows;
  std::size_t tags = 0;
  bool tag_in_flight = false;
};

Grown run_growing(Environment environment) {
  Grown done;
  auto engine = Engine::create(environment, Fixture::growing_options());
  if (!engine) return done;
  done.rows.created = true;
  done.tags = 1;
  for (const std::int64_t first_minute : {0, 10, 20}) {
    const std::vector<Row> rows = minutes("a", first_minute, 3);
    if (!append_rows(**engine, rows)) {
      done.rows.in_flight = rows;
      return done;
    }
    done.rows.rows.insert(done.rows.rows.end(), rows.begin(), rows.end());
    if (first_minute == 10 && !(*engine)->log().write_checkpoint(*(*engine)->state())) return done;
    if (!add_tags(**engine, std::vector<std::string>{fmt::format("tag{}", done.tags)})) {
      done.tag_in_flight = true;
      return done;
    }
    ++done.tags;
  }
  (void)verify(environment, true);
  return done;
}

void check_grown(Environment environment, const Grown& done, const std::string& where) {
  if (const auto engine = Engine::open(environment, {}); engine && done.rows.created) {
    const std::size_t tags = (*engine)->state()->meta->index->tags.size();
    ASSERT_GE(tags, done.tags) << where;
    ASSERT_LE(tags, done.tags + (done.tag_in_flight ? 1 : 0)) << where;
  }
  check_survivor(environment, done.rows, where);
}

TEST_P(CrashTest, WhileTagsAreAdded) {
  const std::uint64_t tried = strike_everywhere(GetParam(), run_growing, check_grown);
  EXPECT_GT(tried, 50U) << "a run with so few faults proves nothing";
}

INSTANTIATE_TEST_SUITE_P(Modes, CrashTest, io::all_fault_modes(), io::fault_mode_name);

/// The harness must be able to fail: a store whose syncs do nothing has to lose something acknowledged.
TEST(CrashHarnessTest, MissingSyncsAreNoticed) {
  ManualClock clock;
  ThreadPool pool(1);
  for (const bool files : {true, false}) {
    std::uint64_t lost = 0;
    for (std::uint64_t point = 30; point < 200; ++point) {
      auto store = io::make_fault_store(clock);
      if (files) {
        store->skip_file_sync(true);
      } else {
        store->skip_folder_sync(true);
      }
      store->arm(Mode::kPowerCut, point, point);
      const Acknowledged done = run_workload({.store = store, .clock = &clock, .pool = &pool});
      if (!store->fired()) break;
      const Environment after{.store = store->restart(), .clock = &clock, .pool = &pool};
      auto engine = Engine::open(after, {});
      const auto rows = engine ? scan_rows(**engine) : std::unexpected(engine.error());
      if (!rows || rows->size() < done.rows.size()) ++lost;
    }
    EXPECT_GT(lost, 0U) << (files ? "file" : "folder") << " syncs are not tested";
  }
}

}  // namespace
}  // namespace marigram::table::testing
