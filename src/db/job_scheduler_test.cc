// Jobs without tables, on a clock that is moved by hand. Without this test a job could be forgotten, run twice at once,
// run all the time, not stop when the database is closed, or take others with it when it fails, and one would have to
// wait for hours to see it.
#include "db/job_scheduler.h"

#include "base/manual_clock.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using table::TableName;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Time = JobScheduler::Time;

constexpr Instant kStart{.seconds = 1'700'000'000, .nanos = 0};

JobOptions all_the_time() {
  return {.share = 1, .start_after = seconds(10)};
}

/// A step of a job as a test wants it.
using Step = std::function<Result<JobStep>(const CancelToken&)>;

/// Tables that have nothing to do, but for what a test says. What is asked of it is written down.
class FakeSource final : public JobSource {
 public:
  explicit FakeSource(ManualClock& clock, std::vector<std::string> names) : clock_(clock) {
    for (std::string& name : names) tables_.push_back({.name_space = "n", .name = std::move(name)});
  }

  std::vector<TableName>& all() { return tables_; }
  /// Of each run of the job.
  void on(JobKind kind, const std::string& table, Step step) { steps_[{table, kind}] = std::move(step); }
  /// So many runs with something to do, each of so many steps.
  void on(JobKind kind, const std::string& table, int steps, int runs = 1, std::chrono::nanoseconds takes = {}) {
    on(kind, table, [this, left = steps, steps, runs, takes](const CancelToken&) mutable -> Result<JobStep> {
      if (runs == 0) return JobStep{};
      clock_.advance(takes);
      worked_ = true;
      const bool more = --left > 0;
      const double progress = static_cast<double>(steps - left) / steps;
      if (!more) {
        left = steps;
        --runs;
      }
      return JobStep{.more = more, .progress = progress};
    });
  }

  /// "12 refresh a": so many seconds after the start a step of that job began.
  std::vector<std::string> log;
  bool list_fails = false;
  std::uint64_t lists = 0;

  Result<std::vector<TableName>> tables() override {
    ++lists;
    if (list_fails) return fail(ErrorCode::kIo, "cannot list tables");
    return tables_;
  }

  Result<std::unique_ptr<JobWork>> begin(JobKind kind, const TableName& table) override {
    if (std::ranges::find(tables_, table) == tables_.end()) return fail(ErrorCode::kNotFound, "no such table");
    return std::make_unique<Work>(*this, kind, table.name);
  }

 private:
  class Work final : public JobWork {
   public:
    Work(FakeSource& source, JobKind kind, std::string table)
        : source_(source), kind_(kind), table_(std::move(table)) {}

    Result<JobStep> step(const CancelToken& cancel) override {
      const auto found = source_.steps_.find({table_, kind_});
      if (found == source_.steps_.end()) return JobStep{};
      const std::int64_t at = source_.clock_.now().seconds - kStart.seconds;
      source_.worked_ = false;
      const std::size_t line = source_.log.size();
      source_.log.push_back(fmt::format("{} {} {}", at, kJobNames.at(static_cast<std::size_t>(kind_)), table_));
      Result<JobStep> done = found->second(cancel);
      if (done && !source_.worked_) source_.log.erase(source_.log.begin() + static_cast<std::ptrdiff_t>(line));
      steps_ += source_.worked_ ? 1 : 0;
      return done;
    }
    std::string result() const override { return steps_ == 0 ? std::string() : fmt::format("{} steps", steps_); }

   private:
    FakeSource& source_;
    JobKind kind_;
    std::string table_;
    int steps_ = 0;
  };

  ManualClock& clock_;
  std::vector<TableName> tables_;
  std::map<std::pair<std::string, JobKind>, Step> steps_;

 public:
  bool worked_ = false;  // the step did something
};

class Scheduling : public ::testing::Test {
 protected:
  void start(const JobOptions& options, std::vector<std::string> tables = {"a"}, bool automatic = true) {
    EXPECT_TRUE(check(options));
    source.emplace(clock, std::move(tables));
    begin(options, automatic);
  }
  void begin(const JobOptions& options, bool automatic = true) {
    const auto keep = [this](const JobRecords& records) -> Status {
      if (keep_fails) return fail(ErrorCode::kResourceExhausted, "no space");
      kept = parse_job_records(format_job_records(records)).value();
      ++keeps;
      return {};
    };
    worker = {};
    scheduler.emplace(*source, clock, options, kept, keep, automatic);
  }
  /// As one thread would, until so long after the start.
  void until(std::chrono::nanoseconds end) {
    const Time last = seconds(kStart.seconds) + duration_cast<Time>(end);
    for (std::uint64_t turns = 0;; ++turns) {
      ASSERT_LT(turns, 10'000'000U) << "it never rests";
      const Time wait = scheduler->turn(worker);
      const Time now = seconds(clock.now().seconds) + Time(clock.now().nanos / 1'000);
      if (wait > Time(0)) waits.push_back(wait);
      if (now + wait > last) {
        clock.advance(last - now);
        return;
      }
      clock.advance(wait);
    }
  }
  JobInfo job(JobKind kind, const std::string& table = "a") {
    const auto jobs = scheduler->jobs().value();
    const auto found =
        std::ranges::find_if(jobs, [&](const JobInfo& info) { return info.kind == kind && info.table == table; });
    return found == jobs.end() ? JobInfo{.name_space = "none"} : *found;
  }
  static std::int64_t since_start(const std::optional<Instant>& instant) {
    return instant ? instant->seconds - kStart.seconds : -1;
  }

  ManualClock clock{kStart};
  std::optional<FakeSource> source;
  JobRecords kept;
  int keeps = 0;
  bool keep_fails = false;
  std::optional<JobScheduler> scheduler;
  JobScheduler::Worker worker;
  std::vector<Time> waits;
};

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
}  // namespace marigram::db
