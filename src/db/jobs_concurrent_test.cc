// Background jobs beside all that users do: inserts, queries, deletes, drops, pauses and closing. Without this test a
// job could take rows that a flush is writing, count them twice while they move, or keep a database from being closed.
#include "io/temporary_folder.h"

#include <marigram/database.h>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace marigram {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kHour = 3'600'000'000'000;
constexpr int kWriters = 4;
constexpr int kBatchesEach = 150;
constexpr int kRoundsMin = 12;
constexpr int kRowsOfBatch = 20;

/// Jobs are looked at all the time, by two threads.
DatabaseOptions restless() {
  JobOptions jobs{.threads = 2, .share = 1, .start_after = seconds(0)};
  jobs.refresh_every = jobs.expire_every = jobs.tier_every = jobs.compact_every = jobs.vacuum_every = seconds(0);
  jobs.vacuum_older_than = seconds(3'600);
  jobs.history = {.versions = 3, .seconds = {}};
  jobs.backoff_max = seconds(0);
  return {.durability = Durability::kNone,
          .flush_bytes = 1 << 15,
          .log_file_bytes = 1 << 20,
          .segments = SegmentFormat::kNative,
          .jobs = jobs};
}

using Sums = std::map<std::string, double>;

/// By series.
Sums sums_of(const Database& db, const std::string& table, const std::string& aggregate) {
  Sums sums;
  auto stream = db.query("t", table, {.aggregate = aggregate, .every = 0, .by = {"writer"}});
  EXPECT_TRUE(stream) << stream.error().message;
  while (stream) {
    const auto batch = stream->next();
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch || !*batch) break;
    for (std::size_t row = 0; row < (*batch)->rows(); ++row) {
      std::string name;
      double value = 0;
      for (std::size_t column = 0; column < (*batch)->columns(); ++column) {
        const Value cell = (*batch)->at(row, column);
        if ((*batch)->column_name(column) == "writer") name = std::get<std::string>(cell);
        if (const auto* number = std::get_if<double>(&cell)) value = *number;
      }
      sums[name] = value;
    }
  }
  return sums;
}

class Restless {
 public:
  Restless() : db_(Database::open((folder_.path() / "db").string(), restless()).value()) {
    TableOptions table;
    table.time_column = "time";
    table.unit = TimeUnit::kNano;
    table.tags = {{.name = "writer", .type = "string"}};
    table.fields = {{.name = "value", .type = "float64"}};
    table.bucket = "1m";
    table.segments = SegmentFormat::kNative;
    table.duplicates = Duplicates::kLast;
    table.rollups = {.intervals = {"1h", "1d"}};
    table.retention = {{.keep = {{"rows", "7d"}}}};
    EXPECT_TRUE(db_.create_table("t", "kept", table));
    EXPECT_TRUE(db_.create_table("t", "removed", table));
  }

  /// Rows each hour, of now and of weeks ago, which expire.
  void write(int writer) {
    const std::string name = std::to_string(writer);
    for (int batch = 0; batch < kBatchesEach; ++batch) {
      std::vector<Point> points;
      for (int i = 0; i < kRowsOfBatch; ++i) {
        points.push_back(
            {.time_ns = start_ - (batch * kRowsOfBatch + i) * kHour, .value = 1.0, .tags = {{"writer", name}}});
      }
      EXPECT_TRUE(db_.insert_batch("t", "kept", points));
      EXPECT_TRUE(db_.insert_batch("t", "removed", points));
    }
    --writing_;
  }
  /// What each writer wrote never becomes less, nor more than there can be.
  void read() {
    Sums before;
    while (writing_ > 0) {
      const Sums sums = sums_of(db_, "kept", "sum");
      for (const auto& [writer, sum] : sums) {
        EXPECT_LE(sum, kBatchesEach * kRowsOfBatch);
        EXPECT_GE(sum, before[writer]) << "rows are gone";
        before[writer] = sum;
      }
    }
  }
  void disturb() {
    for (int round = 0; writing_ > 0 || round < kRoundsMin; ++round) {
      EXPECT_TRUE(db_.flush());
      const auto kind = static_cast<JobKind>(round % 5);
      EXPECT_TRUE(db_.pause_jobs(round % 2 == 0 ? std::optional(kind) : std::nullopt));
      EXPECT_TRUE(db_.jobs());
      EXPECT_TRUE(db_.resume_jobs());
      const auto ran = db_.run_jobs(kind);
      EXPECT_TRUE(ran) << ran.error().message;
      if (round % 4 == 1) {
        EXPECT_TRUE(db_.remove("t", "removed", {.where = {{"writer", MatchOp::kEqual, "1"}}, .fields = {}}));
      }
      if (round % 4 == 3) {
        EXPECT_TRUE(db_.insert("t", "short", round, 1.0));
        EXPECT_TRUE(db_.drop_table("t", "short"));
      }
    }
  }

  void live() {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kWriters; ++writer) threads.emplace_back([this, writer] { write(writer); });
    threads.emplace_back([this] { read(); });
    threads.emplace_back([this] { disturb(); });
  }
  static void expect_all(const Database& db) {
    const Sums sums = sums_of(db, "kept", "sum");
    EXPECT_EQ(sums.size(), static_cast<std::size_t>(kWriters));
    for (const auto& [writer, sum] : sums) EXPECT_EQ(sum, kBatchesEach * kRowsOfBatch) << writer;
  }
  Database& db() { return db_; }
  std::string path() const { return (folder_.path() / "db").string(); }

 private:
  io::TemporaryFolder folder_;
  Database db_;
  std::int64_t start_ =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count() /
      kHour * kHour;
  std::atomic<int> writing_ = kWriters;
};

TEST(JobsConcurrent, BesideAllThatUsersDo) {
  Restless restless_db;
  restless_db.live();
  const auto jobs = restless_db.db().jobs();
  ASSERT_TRUE(jobs);
  std::uint64_t runs = 0;
  for (const JobInfo& job : *jobs) {
    EXPECT_EQ(job.failures, 0U) << job.last_error;
    runs += job.runs;
  }
  EXPECT_GT(runs, 0U);
  Restless::expect_all(restless_db.db());
  ASSERT_TRUE(restless_db.db().close());  // while jobs run
  const Database again = Database::open(restless_db.path(), {.create = false, .jobs = {.automatic = false}}).value();
  Restless::expect_all(again);
}

TEST(JobsConcurrent, ItIsClosedWhileAllIsUnderWay) {
  for (int round = 0; round < 5; ++round) {
    Restless restless_db;
    Database& db = restless_db.db();
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(db.insert("t", "kept", i * kHour, 1.0, {{"writer", "0"}}));
    }
    std::vector<std::jthread> threads;
    threads.emplace_back([&] {
      while (db.run_jobs()) {
      }
    });
    threads.emplace_back([&] {
      while (db.pause_jobs(JobKind::kRefresh) && db.resume_jobs()) {
      }
    });
    threads.emplace_back([&] { EXPECT_TRUE(db.close()); });
    threads.clear();
    const Database again = Database::open(restless_db.path(), {.create = false, .jobs = {.automatic = false}}).value();
    EXPECT_EQ(sums_of(again, "kept", "sum"), (Sums{{"0", 50.0}}));
  }
}

}  // namespace
}  // namespace marigram
