// Every storage step of creating a table, committing to it, folding it and repairing it fails, runs out of space, is
// the last before the process dies, or loses power. Afterwards the table loads, holds every acknowledged commit, and
// takes the next. Without this a crash could lose a commit that was acknowledged or wedge the table. Syncs that do
// nothing are planted to show that the test would notice.
#include "base/manual_clock.h"
#include "io/fault_store.h"
#include "log/log.h"
#include "log/sample_commits.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>

namespace marigram::log {
namespace {

using Mode = io::FaultStore::Mode;

constexpr std::int64_t kCommits = 3;

struct Told {
  bool created = false;
  std::set<std::int64_t> acknowledged;    // numbers of segments
  std::optional<std::int64_t> in_flight;  // of the commit that failed
};

/// Stops at the first error, as a caller would.
Told run_workload(const std::shared_ptr<io::ObjectStore>& store, const Clock& clock) {
  Told told;
  Log log(store, clock);
  TableState state;
  if (!log.commit(state, create_proposal())) return told;
  told.created = true;
  for (std::int64_t n = 0; n < kCommits; ++n) {
    if (!log.commit(state, append_proposal(n))) {
      told.in_flight = n;
      return told;
    }
    told.acknowledged.insert(n);
  }
  if (!log.write_checkpoint(state)) return told;
  // Something to repair: CURRENT goes back, as a stalled foreign writer sets it.
  if (!store->put("_timeseries_log/CURRENT", "2\n")) return told;
  (void)log.repair();
  return told;
}

/// What is wrong with what survived; empty: nothing.
std::string judge(const std::shared_ptr<io::ObjectStore>& store, const ManualClock& clock, const Told& told) {
  clock.advance(std::chrono::minutes(1));
  Log log(store, clock);
  auto state = log.load();
  if (!state && !told.created && state.error().code == ErrorCode::kNotFound) {
    TableState fresh;
    const auto made = log.commit(fresh, create_proposal());
    return made ? "" : "cannot create after all: " + made.error().message;
  }
  if (!state) return "does not load: " + state.error().message;
  std::set<std::string> live;
  for (const auto& [key, segment] : state->segments) live.insert(key);
  for (const std::int64_t n : told.acknowledged) {
    if (live.erase(sample_segment(n).path) == 0) return fmt::format("commit of segment {} is lost", n);
  }
  if (told.in_flight) live.erase(sample_segment(*told.in_flight).path);
  if (!live.empty()) return "holds what nobody committed: " + *live.begin();
  const auto next = log.commit(*state, append_proposal(100));
  if (!next) return "takes no commit: " + next.error().message;
  const auto repaired = log.repair();
  if (!repaired) return "cannot be repaired: " + repaired.error().message;
  const auto again = log.load();
  return again && describe(*again) == describe(*state) ? "" : "loads differently after repair";
}

struct Outcome {
  std::uint64_t points = 0;
  std::uint64_t wrong = 0;
  std::string first;
};

Outcome try_all_points(Mode mode, std::uint64_t seeds, bool skip_file_sync, bool skip_folder_sync) {
  Outcome outcome;
  for (std::uint64_t point = 0;; ++point) {
    bool fired = false;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
      const ManualClock clock;
      auto store = io::make_fault_store(clock);
      store->skip_file_sync(skip_file_sync);
      store->skip_folder_sync(skip_folder_sync);
      store->arm(mode, point, seed);
      const Told told = run_workload(store, clock);
      fired = store->fired();
      store = mode == Mode::kPowerCut ? store->restart() : store->reopen();
      store->skip_file_sync(false);
      store->skip_folder_sync(false);
      const std::string verdict = judge(store, clock, told);
      if (verdict.empty()) continue;
      if (outcome.wrong++ == 0) outcome.first = fmt::format("point {} seed {}: {}", point, seed, verdict);
    }
    if (!fired) return outcome;
    ++outcome.points;
  }
}

class LogFaultTest : public ::testing::TestWithParam<Mode> {};

TEST_P(LogFaultTest, EveryStorageStep) {
  const std::uint64_t seeds = GetParam() == Mode::kPowerCut ? 20 : 1;
  const Outcome outcome = try_all_points(GetParam(), seeds, false, false);
  EXPECT_EQ(outcome.wrong, 0U) << outcome.first;
  EXPECT_GT(outcome.points, 40U);
  std::printf("mode %d: %llu points, %llu seeds each\n", static_cast<int>(GetParam()),
              static_cast<unsigned long long>(outcome.points), static_cast<unsigned long long>(seeds));
}

INSTANTIATE_TEST_SUITE_P(Modes, LogFaultTest,
                         ::testing::Values(Mode::kFailOnce, Mode::kFailSticky, Mode::kNoSpaceOnce, Mode::kPowerCut,
                                           Mode::kKill));

/// A killed writer leaves a commit that is seen and does not last. Who relies on it, by a commit of their own or
/// otherwise, must not lose it to a power cut.
TEST(LogKilledThenPowerCutTest, WhatIsReliedOnLasts) {
  bool fired = true;
  for (std::uint64_t point = 0; fired; ++point) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      SCOPED_TRACE(fmt::format("point {} seed {}", point, seed));
      const ManualClock clock;
      auto store = io::make_fault_store(clock);
      store->arm(Mode::kKill, point, 0);
      (void)run_workload(store, clock);
      fired = store->fired();
      store = store->reopen();
      Log log(store, clock);
      auto state = log.load();
      if (!state) continue;
      clock.advance(std::chrono::minutes(1));
      if (seed % 2 == 0) {
        ASSERT_TRUE(log.make_last());
      } else {
        ASSERT_TRUE(log.commit(*state, append_proposal(50)));
      }
      store->arm(Mode::kPowerCut, 1'000, seed);
      const auto after = Log(store->restart(), clock).load();
      ASSERT_TRUE(after) << after.error().message;
      EXPECT_EQ(describe(*after), describe(*state));
    }
  }
}

TEST(LogFaultPlantedTest, AFileSyncThatDoesNothingIsNoticed) {
  EXPECT_GT(try_all_points(Mode::kPowerCut, 10, true, false).wrong, 0U);
}

TEST(LogFaultPlantedTest, AFolderSyncThatDoesNothingIsNoticed) {
  EXPECT_GT(try_all_points(Mode::kPowerCut, 10, false, true).wrong, 0U);
}

}  // namespace
}  // namespace marigram::log
