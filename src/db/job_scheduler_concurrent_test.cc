// The scheduler of jobs with threads of its own, asked for everything at once. Without this test two jobs could work on
// one table at the same time, or a database could wait for ever to be closed.
#include "db/job_scheduler.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

constexpr std::size_t kTables = 4;

/// Tables that come and go, and jobs that always have something to do.
class BusySource final : public JobSource {
 public:
  Result<std::vector<table::TableName>> tables() override {
    std::vector<table::TableName> all;
    const std::uint64_t round = lists_++;
    for (std::size_t i = 0; i < kTables; ++i) {
      if (i + 1 == kTables && round % 3 == 0) continue;
      all.push_back({.name_space = "n", .name = fmt::format("{}", i)});
    }
    return all;
  }
  Result<std::unique_ptr<JobWork>> begin(JobKind /*kind*/, const table::TableName& table) override {
    return std::make_unique<Work>(*this, std::stoul(table.name));
  }
  std::uint64_t steps() const { return steps_; }

 private:
  class Work final : public JobWork {
   public:
    Work(BusySource& source, std::size_t table) : source_(source), table_(table) {}
    Result<JobStep> step(const CancelToken& cancel) override {
      EXPECT_FALSE(source_.busy_.at(table_).exchange(true)) << "two at once";
      const std::uint64_t number = source_.steps_++;
      for (int i = 0; i < 100 && !cancel.cancelled(); ++i) std::this_thread::yield();
      ++done_;
      source_.busy_.at(table_) = false;
      if (cancel.cancelled()) return fail(ErrorCode::kCancelled, "cancelled");
      if (number % 7 == 0) return fail(ErrorCode::kIo, "odd");
      return JobStep{.more = done_ < 3, .progress = done_ / 3.0};
    }
    std::string result() const override { return done_ == 0 ? std::string() : fmt::format("{} steps", done_); }

   private:
    BusySource& source_;
    std::size_t table_;
    int done_ = 0;
  };

  std::atomic<std::uint64_t> lists_ = 0;
  std::atomic<std::uint64_t> steps_ = 0;
  std::array<std::atomic<bool>, kTables> busy_ = {};
};

TEST(JobSchedulerConcurrent, EverythingAtOnce) {
  using std::chrono::seconds;
  JobOptions options{.share = 1, .start_after = seconds(0)};
  options.refresh_every = options.expire_every = options.tier_every = options.compact_every = options.vacuum_every =
      options.backoff_max = seconds(0);
  BusySource source;
  std::atomic<bool> keeping = false;
  std::uint64_t kept = 0;
  const auto keep = [&](const JobRecords& records) -> Status {
    EXPECT_FALSE(keeping.exchange(true));
    kept = std::max<std::uint64_t>(kept, records.jobs.size());
    keeping = false;
    return {};
  };
  JobScheduler scheduler(source, system_clock(), options, {}, keep, true);
  std::vector<std::jthread> workers;
  for (int i = 0; i < 3; ++i) workers.emplace_back([&] { scheduler.work(); });
  {
    std::vector<std::jthread> users;
    users.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const auto kind = i % 3 == 0 ? std::optional<JobKind>() : std::optional(kAllJobKinds.at(i % kJobKinds));
        EXPECT_TRUE(scheduler.pause(kind, true));
        EXPECT_TRUE(scheduler.pause(kind, false));
      }
    });
    users.emplace_back([&] {
      for (int i = 0; i < 20; ++i) EXPECT_TRUE(scheduler.run(kAllJobKinds.at(i % kJobKinds), {}));
    });
    users.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const auto held = scheduler.hold({.name_space = "n", .name = fmt::format("{}", i % kTables)});
        EXPECT_TRUE(scheduler.jobs());
      }
    });
  }
  while (source.steps() < 1'000) std::this_thread::yield();
  scheduler.stop();
  const std::uint64_t steps = source.steps();
  workers.clear();
  EXPECT_EQ(source.steps(), steps) << "nothing begins any more";
  EXPECT_GT(kept, 0U);
}

}  // namespace
}  // namespace marigram::db
