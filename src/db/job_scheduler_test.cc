// When jobs begin, wait, fail, pause and stop, on a clock that is moved by hand. Without this test a job could be
// forgotten, run twice at once, run all the time, not stop when the database is closed, or take others with it when it
// fails, and one would have to wait for hours to see it.
#include "db/test_scheduling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

namespace marigram::db::testing {
namespace {

TEST_F(Scheduling, OptionsThatMakeNoSenseAreRefused) {
  EXPECT_TRUE(check({}));
  for (const double share : {0.0, -1.0, 1.001, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_FALSE(check({.share = share})) << share;
  }
  EXPECT_FALSE(check({.threads = 0}));
  EXPECT_FALSE(check({.threads = 65}));
  EXPECT_FALSE(check({.compact_every = seconds(-1)}));
  EXPECT_FALSE(check({.history = {.versions = 0}}));
  EXPECT_THAT(check({.share = 2}).error().message, HasSubstr("want above 0, at most 1"));
  start({.start_after = seconds::max(), .vacuum_every = seconds::max(), .backoff_max = seconds::max()});
  until(hours(1));
  EXPECT_EQ(source->lists, 0U) << "it never begins";
}

TEST_F(Scheduling, ShortVisitsAreLeftAlone) {
  start(all_the_time());
  source->on(JobKind::kRefresh, "a", 1);
  until(milliseconds(9'999));
  EXPECT_THAT(source->log, IsEmpty());
  EXPECT_EQ(source->lists, 0U);
  until(seconds(10));
  EXPECT_THAT(source->log, ElementsAre("10 refresh a"));
}

TEST_F(Scheduling, EachKindHasItsInterval) {
  start(all_the_time());
  for (const JobKind kind : kAllJobKinds) source->on(kind, "a", 1, 1'000'000);
  until(hours(2));
  std::map<std::string, int> runs;
  for (const std::string& line : source->log) ++runs[line.substr(line.find(' ') + 1)];
  EXPECT_EQ(runs, (std::map<std::string, int>{
                      {"refresh a", 720}, {"expire a", 24}, {"tier a", 12}, {"compact a", 120}, {"vacuum a", 2}}));
  EXPECT_THAT(std::vector(source->log.begin(), source->log.begin() + 7),
              ElementsAre("10 refresh a", "10 expire a", "10 tier a", "10 compact a", "10 vacuum a", "20 refresh a",
                          "30 refresh a"));
  const JobInfo vacuum = job(JobKind::kVacuum);
  EXPECT_EQ(vacuum.runs, 2U);
  EXPECT_EQ(since_start(vacuum.started), 3'610);
  EXPECT_EQ(since_start(vacuum.next), 7'210);
  EXPECT_EQ(vacuum.result, "1 steps");
}

TEST_F(Scheduling, OfWhatIsDueTheFirstKindThenWhatWaitsLongest) {
  start(all_the_time(), {"a", "b"});
  for (const char* table : {"a", "b"}) {
    source->on(JobKind::kCompact, table, 2, 1, seconds(1));
    source->on(JobKind::kRefresh, table, 1, 1, seconds(1));
    source->on(JobKind::kVacuum, table, 1, 1, seconds(1));
  }
  until(minutes(1));
  EXPECT_THAT(source->log, ElementsAre("10 refresh a", "11 refresh b", "12 compact a", "13 compact b", "14 compact a",
                                       "15 compact b", "16 vacuum a", "17 vacuum b"));
}

TEST_F(Scheduling, ALongJobHoldsUpNoneThatComesFirst) {
  start(all_the_time());
  source->on(JobKind::kCompact, "a", 10, 1, seconds(4));
  source->on(JobKind::kRefresh, "a", 1, 100, seconds(1));
  until(seconds(45));
  EXPECT_THAT(source->log, ElementsAre("10 refresh a", "11 compact a", "15 compact a", "19 compact a", "23 refresh a",
                                       "24 compact a", "28 compact a", "32 compact a", "36 refresh a", "37 compact a",
                                       "41 compact a", "45 compact a"));
  const JobInfo compact = job(JobKind::kCompact);
  EXPECT_EQ(compact.state, JobState::kRunning);
  EXPECT_EQ(since_start(compact.started), 11);
  EXPECT_FALSE(compact.ended);
  EXPECT_DOUBLE_EQ(compact.progress, 0.9);
}

TEST_F(Scheduling, ATableHasOneThreadAtATime) {
  start(all_the_time(), {"a", "b"});
  JobScheduler::Worker other;
  int depth = 0;
  // While a job takes a step, another thread looks for something to do.
  source->on(JobKind::kRefresh, "a", [&](const CancelToken&) -> Result<JobStep> {
    source->worked_ = true;
    if (++depth == 1) {
      EXPECT_EQ(scheduler->turn(other), Time(0)) << "there is more to do, of the other table";
      EXPECT_EQ(job(JobKind::kRefresh).state, JobState::kRunning);
      for (int turns = 0; turns < 4; ++turns) scheduler->turn(other);
      EXPECT_GT(scheduler->turn(other), Time(0)) << "what is left is of a table that is taken";
    }
    source->worked_ = true;
    return JobStep{};
  });
  for (const char* table : {"a", "b"}) source->on(JobKind::kExpire, table, 1);
  until(seconds(10));
  EXPECT_THAT(source->log, ElementsAre("10 refresh a", "10 expire b", "10 expire a"));
  EXPECT_EQ(depth, 1);
}

TEST_F(Scheduling, ItWorksItsShareOfTheTime) {
  JobOptions options = all_the_time();
  options.share = 0.25;
  start(options);
  source->on(JobKind::kCompact, "a", 3, 1, seconds(2));
  until(seconds(10));
  waits.clear();
  until(seconds(50));
  EXPECT_THAT(source->log, ElementsAre("10 compact a", "18 compact a", "26 compact a"));
  ASSERT_GE(waits.size(), 2U);
  EXPECT_EQ(waits[0], seconds(6));
  EXPECT_EQ(waits[1], seconds(6));
}

TEST_F(Scheduling, WhoIsWokenRestsOn) {
  JobOptions options = all_the_time();
  options.share = 0.5;
  start(options);
  source->on(JobKind::kCompact, "a", 2, 1, seconds(8));
  clock.advance(seconds(10));
  while (source->log.empty()) scheduler->turn(worker);
  clock.advance(seconds(3));
  ASSERT_TRUE(scheduler->pause(JobKind::kVacuum, true));  // which wakes all
  EXPECT_EQ(scheduler->turn(worker), seconds(5));
  clock.set(kStart);  // no rest becomes longer by that
  EXPECT_EQ(scheduler->turn(worker), seconds(8));
  clock.advance(seconds(8));
  for (int turns = 0; turns < 5; ++turns) scheduler->turn(worker);
  EXPECT_EQ(source->log.size(), 2U);
}

TEST_F(Scheduling, WhoeverFailsWaitsTwiceAsLongEachTime) {
  JobOptions options = all_the_time();
  options.backoff_max = seconds(600);
  options.refresh_every = seconds(5);
  start(options);
  bool fails = true;
  source->on(JobKind::kRefresh, "a", [&](const CancelToken&) -> Result<JobStep> {
    source->worked_ = !fails;
    if (fails) return fail(ErrorCode::kCorruption, "segment x is damaged");
    return JobStep{};
  });
  std::vector<std::int64_t> at;
  const auto times = [&] {
    std::vector<std::int64_t> gaps;
    for (std::size_t i = 1; i < source->log.size(); ++i) {
      gaps.push_back(std::stoll(source->log[i]) - std::stoll(source->log[i - 1]));
    }
    return gaps;
  };
  until(seconds(10 + 5 + 5 + 8 + 16 + 32 + 64 + 128 + 256 + 512 + 600 + 600));
  EXPECT_THAT(times(), ElementsAre(5, 5, 8, 16, 32, 64, 128, 256, 512, 600, 600));
  const JobInfo failing = job(JobKind::kRefresh);
  EXPECT_EQ(failing.failures, 12U);
  EXPECT_EQ(failing.last_error, "segment x is damaged");
  EXPECT_EQ(since_start(failing.next) - since_start(failing.failed), 600);
  EXPECT_EQ(failing.state, JobState::kWaiting);
  EXPECT_EQ(failing.runs, 0U);
  EXPECT_EQ(kept.jobs.at(0).failures, 12U);
  fails = false;
  source->log.clear();
  until(hours(1));
  const JobInfo well = job(JobKind::kRefresh);
  EXPECT_EQ(well.failures, 0U);
  EXPECT_EQ(well.last_error, "segment x is damaged") << "that it failed once is still told";
  EXPECT_EQ(well.failed, failing.failed);
  EXPECT_THAT(times(), ::testing::Each(5));
}

TEST_F(Scheduling, AJobThatFailsOrThrowsTakesNoneWithIt) {
  start(all_the_time(), {"a", "b"});
  source->on(JobKind::kRefresh, "a", [](const CancelToken&) -> Result<JobStep> { throw std::bad_alloc(); });
  source->on(JobKind::kExpire, "a", [](const CancelToken&) -> Result<JobStep> { throw std::runtime_error("odd"); });
  source->on(JobKind::kTier, "a", [](const CancelToken&) -> Result<JobStep> { throw 7; });
  source->on(JobKind::kCompact, "a",
             [](const CancelToken&) -> Result<JobStep> { return fail(ErrorCode::kNotFound, "x"); });
  source->on(JobKind::kVacuum, "a", 1, 10);
  for (const JobKind kind : kAllJobKinds) source->on(kind, "b", 1, 10);
  until(seconds(10));
  EXPECT_EQ(job(JobKind::kRefresh).last_error, "out of memory");
  EXPECT_EQ(job(JobKind::kExpire).last_error, "odd");
  EXPECT_NE(job(JobKind::kTier).last_error, "");
  EXPECT_EQ(job(JobKind::kCompact).last_error, "x") << "a file is missing, but the table is there";
  EXPECT_EQ(job(JobKind::kVacuum).runs, 1U);
  for (const JobKind kind : kAllJobKinds) EXPECT_EQ(job(kind, "b").runs, 1U);
}

TEST_F(Scheduling, WhatIsPausedDoesNotBegin) {
  start(all_the_time());
  for (const JobKind kind : kAllJobKinds) source->on(kind, "a", 1, 1'000);
  ASSERT_TRUE(scheduler->pause(JobKind::kRefresh, true));
  until(seconds(65));
  EXPECT_EQ(std::ranges::count_if(source->log, [](const auto& line) { return line.contains("refresh"); }), 0);
  EXPECT_EQ(job(JobKind::kRefresh).state, JobState::kPaused);
  EXPECT_FALSE(job(JobKind::kRefresh).next);
  EXPECT_EQ(job(JobKind::kCompact).state, JobState::kWaiting);
  EXPECT_EQ(job(JobKind::kCompact).runs, 1U);
  ASSERT_TRUE(scheduler->pause({}, true));
  source->log.clear();
  until(hours(3));
  EXPECT_THAT(source->log, IsEmpty());
  ASSERT_TRUE(scheduler->pause(JobKind::kVacuum, false));
  until(hours(3) + seconds(1));
  EXPECT_THAT(source->log, ElementsAre("10800 vacuum a")) << "it was due meanwhile";
  ASSERT_TRUE(scheduler->pause({}, false));
  until(hours(3) + seconds(2));
  EXPECT_EQ(source->log.size(), 5U);
}

TEST_F(Scheduling, APauseStopsAJobMidWayAndItGoesOn) {
  start(all_the_time());
  source->on(JobKind::kCompact, "a", 10, 1, seconds(1));
  until(seconds(13));
  ASSERT_EQ(job(JobKind::kCompact).state, JobState::kRunning);
  const std::size_t steps = source->log.size();
  ASSERT_TRUE(scheduler->pause(JobKind::kCompact, true));
  EXPECT_EQ(job(JobKind::kCompact).state, JobState::kPaused);
  EXPECT_EQ(job(JobKind::kCompact).result, fmt::format("{} steps", steps)) << "what was done is told";
  until(hours(1));
  EXPECT_EQ(source->log.size(), steps);
  ASSERT_TRUE(scheduler->pause(JobKind::kCompact, false));
  until(hours(1) + seconds(30));
  EXPECT_EQ(source->log.size(), 10U);
  EXPECT_EQ(job(JobKind::kCompact).failures, 0U);
  EXPECT_EQ(job(JobKind::kCompact).runs, 2U);
}

TEST_F(Scheduling, APauseCancelsAStepAndThatIsNoFailure) {
  start(all_the_time());
  bool pauses = true;
  source->on(JobKind::kCompact, "a", [&](const CancelToken& cancel) -> Result<JobStep> {
    if (pauses) {
      EXPECT_TRUE(scheduler->pause({}, true));
    }
    source->worked_ = true;
    if (cancel.cancelled()) return fail(ErrorCode::kCancelled, "cancelled");
    return JobStep{};
  });
  until(seconds(30));
  EXPECT_EQ(source->log.size(), 1U);
  EXPECT_EQ(job(JobKind::kCompact).state, JobState::kPaused);
  EXPECT_EQ(job(JobKind::kCompact).failures, 0U);
  EXPECT_EQ(job(JobKind::kCompact).last_error, "");
  pauses = false;
  ASSERT_TRUE(scheduler->pause({}, false));
  until(seconds(31));
  EXPECT_EQ(source->log.size(), 2U);
}

TEST_F(Scheduling, ClosingStopsWhatRunsAndTellsWhatWasDone) {
  start(all_the_time());
  source->on(JobKind::kCompact, "a", 10, 1, seconds(1));
  until(seconds(12));
  ASSERT_EQ(job(JobKind::kCompact).state, JobState::kRunning);
  scheduler->stop();
  const std::size_t steps = source->log.size();
  until(hours(1));
  EXPECT_EQ(source->log.size(), steps);
  ASSERT_EQ(kept.jobs.size(), 1U);
  EXPECT_EQ(kept.jobs[0].result, fmt::format("{} steps", steps));
  EXPECT_EQ(scheduler->run({}, {}).error().code, ErrorCode::kCancelled);
  keeps = 0;
  scheduler->stop();
  EXPECT_EQ(keeps, 0) << "who is closed writes nothing any more";
}

}  // namespace
}  // namespace marigram::db::testing
