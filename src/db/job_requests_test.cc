// Jobs of tables that come and go, jobs that somebody asks for, what is kept of them, and clocks that are set. Without
// this test a job could run on for a table that is gone, an answer could leave out what was done, and a pause could be
// forgotten.
#include "db/test_scheduling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace marigram::db::testing {
namespace {

TEST_F(Scheduling, TablesComeAndGo) {
  start(all_the_time(), {"a", "b"});
  for (const char* table : {"a", "b", "c"}) source->on(JobKind::kRefresh, table, 1, 1'000);
  until(seconds(15));
  source->all() = {{.name_space = "n", .name = "b"}, {.name_space = "n", .name = "c"}};
  source->log.clear();
  until(seconds(31));
  EXPECT_THAT(source->log, ElementsAre("20 refresh b", "20 refresh c", "30 refresh b", "30 refresh c"));
  EXPECT_EQ(job(JobKind::kRefresh, "a").name_space, "none");
  for (const JobInfo& info : kept.jobs) EXPECT_NE(info.table, "a");
  // One that goes while nobody has looked: its jobs find no table.
  source->all().pop_back();
  scheduler->run({}, {});
  EXPECT_EQ(scheduler->jobs().value().size(), kJobKinds);
}

TEST_F(Scheduling, ATableThatGoesDuringAStepIsLetGo) {
  start(all_the_time(), {"a", "b"});
  source->on(JobKind::kRefresh, "a", [&](const CancelToken&) -> Result<JobStep> {
    source->all().erase(source->all().begin());
    EXPECT_EQ(scheduler->jobs().value().size(), kJobKinds);
    return fail(ErrorCode::kIo, "its folder is not there");
  });
  source->on(JobKind::kRefresh, "b", 1);
  until(seconds(11));
  EXPECT_EQ(scheduler->jobs().value().size(), kJobKinds);
  EXPECT_EQ(job(JobKind::kRefresh, "b").runs, 1U);
  EXPECT_EQ(kept.jobs.size(), 1U);
}

TEST_F(Scheduling, WhoHoldsATableIsAloneWithIt) {
  start(all_the_time(), {"a", "b"});
  source->on(JobKind::kCompact, "a", 10, 1, seconds(1));
  source->on(JobKind::kCompact, "b", 10, 1, seconds(1));
  until(seconds(12));
  auto held = scheduler->hold({.name_space = "n", .name = "a"});
  ASSERT_NE(held, nullptr);
  source->log.clear();
  until(seconds(30));
  EXPECT_EQ(source->log.size(), 10U - 1) << "the other table's jobs go on";
  for (const std::string& line : source->log) EXPECT_THAT(line, ::testing::EndsWith(" b"));
  held.reset();
  source->log.clear();
  until(minutes(1));
  EXPECT_EQ(source->log.size(), 10U - 2);
  EXPECT_EQ(scheduler->hold({.name_space = "n", .name = "c"}), nullptr) << "nothing runs of it";
}

TEST_F(Scheduling, ListsThatFailAreTriedAgain) {
  start(all_the_time());
  source->on(JobKind::kRefresh, "a", 1, 1'000);
  source->list_fails = true;
  until(minutes(1));
  EXPECT_THAT(source->log, IsEmpty());
  EXPECT_LT(source->lists, 10U);
  EXPECT_EQ(scheduler->jobs().error().code, ErrorCode::kIo);
  EXPECT_EQ(scheduler->run({}, {}).error().code, ErrorCode::kIo);
  source->list_fails = false;
  until(minutes(2));
  EXPECT_GT(source->log.size(), 4U);
  source->list_fails = true;
  source->log.clear();
  until(minutes(3));
  EXPECT_EQ(source->log.size(), 6U) << "those that are known go on";
}

TEST_F(Scheduling, WhoAsksGetsAllAtOnce) {
  start(all_the_time(), {"a", "b", "c"}, false);
  source->on(JobKind::kVacuum, "a", 1);
  source->on(JobKind::kCompact, "b", 3);
  source->on(JobKind::kRefresh, "b", 1);
  source->on(JobKind::kRefresh, "c", [](const CancelToken&) -> Result<JobStep> { return fail(ErrorCode::kIo, "odd"); });
  ASSERT_TRUE(scheduler->pause({}, true));
  const auto done = scheduler->run({}, {}).value();
  EXPECT_THAT(source->log,
              ElementsAre("0 refresh b", "0 refresh c", "0 compact b", "0 compact b", "0 compact b", "0 vacuum a"));
  ASSERT_EQ(done.size(), 4U);
  EXPECT_EQ(done[0].result, "1 steps");
  EXPECT_EQ(done[1].last_error, "odd");
  EXPECT_EQ(done[2].result, "3 steps");
  EXPECT_EQ(done[2].table, "b");
  EXPECT_EQ(done[3].kind, JobKind::kVacuum);
  EXPECT_EQ(kept.jobs.size(), 4U);
  EXPECT_TRUE(kept.paused.at(0));
  const auto jobs = scheduler->jobs().value();
  for (const JobInfo& info : jobs) {
    EXPECT_EQ(info.state, JobState::kPaused);
    EXPECT_FALSE(info.next) << "nobody does it by itself";
  }
  EXPECT_EQ(scheduler->run({}, {}).value().size(), 1U) << "what fails is told again";
  source->on(JobKind::kVacuum, "c", 1);
  source->on(JobKind::kTier, "c", 1);
  const auto tiers = scheduler->run(JobKind::kTier, {}).value();
  ASSERT_EQ(tiers.size(), 1U);
  EXPECT_EQ(tiers[0].kind, JobKind::kTier);
  EXPECT_EQ(job(JobKind::kVacuum, "c").runs, 0U);
}

TEST_F(Scheduling, WhoAsksCanStop) {
  start(all_the_time(), {"a", "b"}, false);
  const CancelToken cancel;
  source->on(JobKind::kCompact, "a", [&](const CancelToken& own) -> Result<JobStep> {
    source->worked_ = true;
    if (source->log.size() == 3) cancel.cancel();
    if (own.cancelled()) return fail(ErrorCode::kCancelled, "cancelled");
    return JobStep{.more = true};
  });
  source->on(JobKind::kVacuum, "b", 1);
  EXPECT_EQ(scheduler->run({}, cancel).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(source->log.size(), 3U) << "nothing else begins";
  EXPECT_EQ(job(JobKind::kCompact).state, JobState::kWaiting);
  EXPECT_EQ(job(JobKind::kCompact).failures, 0U);
  EXPECT_EQ(job(JobKind::kCompact).result, "3 steps") << "what was done stays";
}

TEST_F(Scheduling, WhoAsksEndsWhatHasBegunAndNoPauseStopsHim) {
  start(all_the_time());
  source->on(JobKind::kCompact, "a", 6, 1, seconds(1));
  until(seconds(11));
  EXPECT_EQ(source->log.size(), 2U);
  ASSERT_EQ(job(JobKind::kCompact).state, JobState::kRunning);
  source->on(JobKind::kRefresh, "a", [&](const CancelToken& cancel) -> Result<JobStep> {
    EXPECT_TRUE(scheduler->pause(JobKind::kRefresh, true));
    EXPECT_FALSE(cancel.cancelled());
    const bool more = !std::exchange(source->worked_, true) && source->log.size() == 3;
    return JobStep{.more = more};
  });
  const auto done = scheduler->run({}, {}).value();
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].result, "2 steps") << "of the refresh";
  EXPECT_EQ(done[1].result, "6 steps") << "two of them were taken before";
  EXPECT_EQ(since_start(done[1].started), 10);
}

TEST_F(Scheduling, WhatWasDoneLasts) {
  start(all_the_time());
  source->on(JobKind::kRefresh, "a", 1);
  source->on(JobKind::kCompact, "a", [](const CancelToken&) -> Result<JobStep> { return fail(ErrorCode::kIo, "odd"); });
  until(minutes(5));
  ASSERT_TRUE(scheduler->pause(JobKind::kTier, true));
  const JobInfo refresh = job(JobKind::kRefresh);
  const JobInfo compact = job(JobKind::kCompact);
  scheduler->stop();
  begin(all_the_time());
  ASSERT_TRUE(scheduler->pause(JobKind::kVacuum, true)) << "before tables were listed";
  EXPECT_EQ(kept.jobs.size(), 2U) << "which forgets nothing";
  const JobInfo again = job(JobKind::kRefresh);
  EXPECT_EQ(std::tie(again.started, again.ended, again.result, again.runs),
            std::tie(refresh.started, refresh.ended, refresh.result, refresh.runs));
  const JobInfo failing = job(JobKind::kCompact);
  EXPECT_EQ(std::tie(failing.failures, failing.failed, failing.last_error),
            std::tie(compact.failures, compact.failed, compact.last_error));
  EXPECT_EQ(job(JobKind::kTier).state, JobState::kPaused);
  EXPECT_EQ(since_start(failing.next), 310) << "opened anew, it is tried after a moment";
}

TEST_F(Scheduling, WhatCannotBeKeptIsKeptLater) {
  start(all_the_time());
  source->on(JobKind::kRefresh, "a", 1);
  keep_fails = true;
  until(minutes(1));
  EXPECT_THAT(kept.jobs, IsEmpty());
  const Status paused = scheduler->pause(JobKind::kTier, true);
  ASSERT_FALSE(paused);
  EXPECT_THAT(paused.error().message, HasSubstr("only until the database is closed: no space"));
  EXPECT_EQ(job(JobKind::kTier).state, JobState::kPaused);
  keep_fails = false;
  until(minutes(1) + seconds(2));
  EXPECT_EQ(kept.jobs.size(), 1U);
  EXPECT_TRUE(kept.paused.at(static_cast<std::size_t>(JobKind::kTier)));
  until(hours(1));
  EXPECT_EQ(keeps, 1) << "nothing happened since";
}

TEST_F(Scheduling, ManyTablesAreNotManyWrites) {
  std::vector<std::string> tables;
  for (int i = 0; i < 2'000; ++i) tables.push_back(fmt::format("t{:04}", i));
  start(all_the_time(), tables);
  for (const std::string& table : tables) source->on(JobKind::kRefresh, table, 1, 1'000, milliseconds(1));
  until(seconds(70));
  EXPECT_GE(source->log.size(), 2'000U * 5);
  EXPECT_GT(keeps, 10);
  EXPECT_LE(keeps, 61);
  scheduler->stop();
  EXPECT_EQ(kept.jobs.size(), 2'000U);
}

TEST_F(Scheduling, AClockThatIsSetBackHoldsUpNothing) {
  start(all_the_time());
  source->on(JobKind::kRefresh, "a", 1, 1'000'000);
  source->on(JobKind::kVacuum, "a", 1, 1'000'000);
  until(minutes(2));
  clock.set({.seconds = kStart.seconds - 86'400, .nanos = 0});
  source->log.clear();
  until(hours(-23));
  EXPECT_GE(source->log.size(), 3'600U / 10);
  EXPECT_EQ(std::ranges::count_if(source->log, [](const auto& line) { return line.contains("vacuum"); }), 1);
}

TEST_F(Scheduling, AClockThatIsSetForwardDuringAStepMeansNoLongRest) {
  JobOptions options = all_the_time();
  options.share = 0.5;
  start(options);
  source->on(JobKind::kCompact, "a", 2, 1, hours(24 * 365));
  until(seconds(10));
  EXPECT_EQ(scheduler->turn(worker), seconds(600));
}

TEST_F(Scheduling, Weeks) {
  start({.refresh_every = seconds(120)}, {"a", "b", "c"});
  std::uint64_t fails = 0;
  for (const char* table : {"a", "b", "c"}) {
    for (const JobKind kind : kAllJobKinds) {
      if (kind == JobKind::kRefresh) continue;
      source->on(kind, table, 3, 1'000'000, milliseconds(20));
    }
  }
  source->on(JobKind::kTier, "b", [&](const CancelToken&) -> Result<JobStep> {
    ++fails;
    return fail(ErrorCode::kIo, "odd");
  });
  const std::int64_t whole = 14 * 86'400;
  until(seconds(whole));
  const auto near = [&](JobKind kind, const char* table, std::int64_t every) {
    EXPECT_NEAR(static_cast<double>(job(kind, table).runs), static_cast<double>(whole) / static_cast<double>(every),
                0.02 * static_cast<double>(whole) / static_cast<double>(every) + 2)
        << kJobNames.at(static_cast<std::size_t>(kind)) << " " << table;
  };
  for (const char* table : {"a", "b", "c"}) {
    near(JobKind::kExpire, table, 300);
    near(JobKind::kCompact, table, 60);
    near(JobKind::kVacuum, table, 3'600);
  }
  near(JobKind::kTier, "a", 600);
  EXPECT_NEAR(static_cast<double>(fails), static_cast<double>(whole) / 3'600, 12) << "each hour at last";
  EXPECT_EQ(job(JobKind::kTier, "b").failures, fails);
  EXPECT_EQ(job(JobKind::kRefresh).runs, 0U);
}

}  // namespace
}  // namespace marigram::db::testing
