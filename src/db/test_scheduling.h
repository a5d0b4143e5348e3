// For tests: jobs without tables, on a clock that is moved by hand.
#pragma once

#include "base/manual_clock.h"
#include "db/job_scheduler.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db::testing {

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

inline constexpr Instant kStart{.seconds = 1'700'000'000, .nanos = 0};

inline JobOptions all_the_time() {
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

}  // namespace marigram::db::testing
