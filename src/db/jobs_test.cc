// Background jobs of whole databases, on disks and clocks that are simulated. Without this test a database that nobody
// looks after could fill its disk, keep what was to go, lose what was to stay, or be stopped by a job that fails.
#include "db/job_records.h"
#include "db/test_disk.h"
#include "db/test_extent.h"
#include "io/test_fault_modes.h"
#include "table/engine.h"

#include <marigram/database.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <ranges>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace marigram::db::testing {
namespace {

using Mode = TestDisk::Mode;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

/// A disk and a clock of its own, which is moved by hand.
class World {
 public:
  Result<Database> open(const DatabaseOptions& options = {}) { return open_database(surroundings(), options); }
  Surroundings surroundings() const {
    return {.storage = make_file_storage(disk_, "/db"), .clock = &clock_, .pool = &pool_, .background = false};
  }
  io::SimulatedFileSystem& disk() { return *disk_; }
  const ManualClock& clock() const { return clock_; }
  std::int64_t now_ns() const { return clock_.now().seconds * kSecond + clock_.now().nanos; }
  void restart() { disk_ = disk_->restart(); }
  std::uint64_t files(const std::string& name_space, const std::string& table, const std::string& folder) const {
    const auto store = surroundings().storage->store(fmt::format("tables/{}/{}", name_space, table));
    return store->list(folder).value().size();
  }
  std::uint64_t segments(const std::string& name_space, const std::string& table) {
    const auto store = surroundings().storage->store(fmt::format("tables/{}/{}", name_space, table));
    return table::Engine::open({.store = store, .clock = &clock_, .pool = &pool_}, {})
        .value()
        ->state()
        ->segments.size();
  }

 private:
  ManualClock clock_{{.seconds = 1'700'006'400, .nanos = 0}};  // where a day begins
  mutable ThreadPool pool_{1};
  std::shared_ptr<io::SimulatedFileSystem> disk_ = io::SimulatedFileSystem::make(clock_);
};

DatabaseOptions small() {
  return {.log_file_bytes = TestDisk::kLogFileBytes, .segments = SegmentFormat::kNative};
}

/// A row of a model: series and time.
using Key = std::pair<std::string, std::int64_t>;
using Model = std::map<Key, double>;

/// Calls `take` with host, time and number of each row.
template <typename Take>
void each_row(const Database& db, const std::string& table, const QueryRequest& request, const Take& take) {
  auto stream = db.query("n", table, request);
  EXPECT_TRUE(stream) << stream.error().message;
  while (stream) {
    const auto batch = stream->next();
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch || !*batch) break;
    for (std::size_t row = 0; row < (*batch)->rows(); ++row) {
      Key key;
      double number = 0;
      for (std::size_t column = 0; column < (*batch)->columns(); ++column) {
        const Value value = (*batch)->at(row, column);
        if (const auto* time = std::get_if<Instant>(&value)) key.second = time->seconds * kSecond + time->nanos;
        if (const auto* host = std::get_if<std::string>(&value)) key.first = *host;
        if (const auto* real = std::get_if<double>(&value)) number = *real;
        if (const auto* count = std::get_if<std::int64_t>(&value)) number = static_cast<double>(*count);
        if (const auto* count = std::get_if<std::uint64_t>(&value)) number = static_cast<double>(*count);
      }
      take(key, number);
    }
  }
}

Model rows_of(const Database& db, const std::string& table) {
  Model rows;
  each_row(db, table, {.order = ScanOrder::kSeries},
           [&](const Key& key, double value) { EXPECT_TRUE(rows.emplace(key, value).second) << "a row twice"; });
  return rows;
}

/// By day and series: how many rows, and their sum.
using Days = std::map<Key, std::pair<std::uint64_t, double>>;

Days days_of(const Model& rows) {
  Days days;
  for (const auto& [key, value] : rows) {
    auto& [count, sum] = days[{key.first, key.second / kDay * kDay}];
    ++count;
    sum += value;
  }
  return days;
}

Days days_of(const Database& db, const std::string& table) {
  Days days;
  QueryRequest request{.aggregate = "count", .every = kDay, .by_series = true};
  each_row(db, table, request,
           [&](const Key& key, double count) { days[key].first = static_cast<std::uint64_t>(count); });
  request.aggregate = "sum";
  each_row(db, table, request, [&](const Key& key, double sum) { days[key].second = sum; });
  return days;
}

JobInfo job_of(const Database& db, JobKind kind, const std::string& table) {
  const auto jobs = db.jobs().value();
  const auto found =
      std::ranges::find_if(jobs, [&](const JobInfo& job) { return job.kind == kind && job.table == table; });
  return found == jobs.end() ? JobInfo{.name_space = "none"} : *found;
}

TableOptions metrics_table() {
  TableOptions options;
  options.time_column = "time";
  options.unit = TimeUnit::kNano;
  options.tags = {{.name = "host", .type = "string"}};
  options.fields = {{.name = "value", .type = "float64"}};
  options.bucket = "1m";
  options.segments = SegmentFormat::kNative;
  options.duplicates = Duplicates::kLast;
  return options;
}

/// A database that somebody looks after, and what it should hold.
class Life {
 public:
  explicit Life(std::uint64_t seed, const DatabaseOptions& options = small()) : options_(options), random_(seed) {
    open();
    TableOptions table = metrics_table();
    table.rollups = {.intervals = {"1h", "1d"}};
    EXPECT_TRUE(db().create_table("n", "cpu", table));
    EXPECT_TRUE(db().set_retention("n", "cpu", {{.keep = {{"rows", "7d"}, {"1h", "30d"}}}}));
  }

  Database& db() { return *db_; }
  World& world() { return world_; }
  void open() {
    db_.reset();
    auto opened = world_.open(options_);
    ASSERT_TRUE(opened) << opened.error().message;
    db_ = std::move(*opened);
  }
  void insert(const std::string& host, std::int64_t time, double value) {
    rows_[{host, time}] = value;
    ASSERT_TRUE(db().insert("n", "cpu", time, value, {{"host", host}}));
  }
  /// A day of it: rows of two hosts, each five minutes, some of them later than others; flushed each six hours.
  void day() {
    for (int hour = 0; hour < 24; ++hour) {
      for (int step = 0; step < 12; ++step) {
        for (const char* host : {"a", "b"}) {
          insert(host, world_.now_ns(), static_cast<double>(random_() % 100));
        }
        world_.clock().advance(std::chrono::minutes(5));
      }
      if (random_() % 8 == 0) insert("a", world_.now_ns() - static_cast<std::int64_t>(random_() % 40) * kHour + 7, 1);
      if (hour % 6 != 5) continue;
      ASSERT_TRUE(db().flush());
    }
  }
  void jobs() {
    const auto done = db().run_jobs();
    ASSERT_TRUE(done) << done.error().message;
    for (const JobInfo& job : *done) EXPECT_EQ(job.failures, 0U) << job.last_error;
  }
  /// Days are those of all rows that ever came; of the rows themselves those are there that are kept.
  void expect_right() {
    EXPECT_EQ(days_of(db(), "cpu"), days_of(rows_));
    const std::int64_t kept = world_.now_ns() - 7 * kDay;
    const Model found = rows_of(db(), "cpu");
    for (const auto& [key, value] : rows_) {
      const auto row = found.find(key);
      if (key.second >= kept) {
        ASSERT_TRUE(row != found.end() && row->second == value) << "gone too early";
      }
    }
    for (const auto& [key, value] : found) ASSERT_EQ(rows_.count(key), 1U);
  }
  const Model& model() const { return rows_; }

 private:
  DatabaseOptions options_;
  World world_;
  std::mt19937_64 random_;
  std::optional<Database> db_;
  Model rows_;
};

TEST(Jobs, MonthsOfADatabaseThatNobodyLooksAfter) {
  DatabaseOptions options = small();
  options.jobs.vacuum_older_than = seconds(86'400);
  options.jobs.history = {.versions = {}, .seconds = 2 * 86'400};
  Life life(1, options);
  constexpr int kDays = kSanitized ? 20 : 64;
  std::uint64_t most_files = 0;
  std::uint64_t most_segments = 0;
  for (int day = 0; day < kDays && !::testing::Test::HasFailure(); ++day) {
    life.day();
    life.jobs();
    life.expect_right();
    if (day % 20 == 19) {
      ASSERT_TRUE(life.db().close());
      life.open();
    }
    if (day < 12) continue;
    most_files = std::max(most_files, life.world().files("n", "cpu", "data"));
    most_segments = std::max(most_segments, life.world().segments("n", "cpu"));
  }
  // Rows are gone that are older than a week, by a day at most; the rest of what is told lies in levels.
  const std::int64_t oldest = std::ranges::min(rows_of(life.db(), "cpu") | std::views::keys | std::views::values);
  EXPECT_GE(oldest, life.world().now_ns() - 8 * kDay - kHour);
  const auto jobs = life.db().jobs().value();
  for (const JobInfo& job : jobs) {
    if (job.table.empty() || job.kind == JobKind::kTier) continue;
    EXPECT_GT(job.runs, 0U) << kJobNames.at(static_cast<std::size_t>(job.kind));
    EXPECT_EQ(job.last_error, "");
  }
  EXPECT_LT(most_files, 150U) << "files are vacuumed";
  EXPECT_LT(most_segments, 30U) << "of some forty that flushes and late rows made";
  QueryStatistics statistics;
  auto answer = life.db().query("n", "cpu", {.aggregate = "sum", .every = kDay, .statistics = &statistics}).value();
  while (*answer.next()) {
  }
  EXPECT_EQ(statistics.rows_scanned, 0U) << "levels are fresh";
}

TEST(Jobs, WhatThereIsToDoIsToldAndNothingElse) {
  Life life(2);
  EXPECT_THAT(life.db().run_jobs().value(), IsEmpty());
  life.day();
  auto done = life.db().run_jobs().value();
  ASSERT_GE(done.size(), 1U);
  EXPECT_EQ(done[0].kind, JobKind::kRefresh);
  EXPECT_THAT(done[0].result, HasSubstr("rows of rollups in"));
  EXPECT_EQ(done[0].started, life.world().clock().now());
  EXPECT_THAT(life.db().run_jobs().value(), IsEmpty());
  for (int day = 0; day < 9; ++day) life.day();
  done = life.db().run_jobs(JobKind::kExpire).value();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_THAT(done[0].result, HasSubstr("of rollups expired"));
  life.world().clock().advance(std::chrono::hours(48));
  done = life.db().run_jobs(JobKind::kVacuum).value();
  EXPECT_THAT(done, IsEmpty()) << "all versions are kept";
  ASSERT_TRUE(life.db().create_table("n", "other", metrics_table()));
  ASSERT_TRUE(life.db().insert("n", "other", 1, 2, {{"host", "a"}}));
  ASSERT_TRUE(life.db().drop_table("n", "other"));
  EXPECT_THAT(life.db().run_jobs(JobKind::kVacuum).value(), IsEmpty()) << "it can be had back";
  life.world().clock().advance(std::chrono::hours(25));
  done = life.db().run_jobs(JobKind::kVacuum).value();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].table, "");
  EXPECT_THAT(done[0].result, HasSubstr("of dropped tables deleted"));
  EXPECT_THAT(life.db().list_dropped_tables().value(), IsEmpty());
  EXPECT_EQ(job_of(life.db(), JobKind::kVacuum, "other").name_space, "none");
  life.expect_right();
}

TEST(Jobs, WhatWasDoneIsThereWhenItIsOpenedAgain) {
  Life life(3);
  life.day();
  life.jobs();
  ASSERT_TRUE(life.db().pause_jobs(JobKind::kVacuum));
  const JobInfo before = job_of(life.db(), JobKind::kRefresh, "cpu");
  EXPECT_EQ(before.runs, 1U);
  EXPECT_FALSE(before.next) << "there are no threads";
  const auto read_only = [&] {
    DatabaseOptions options = small();
    options.read_only = true;
    return life.world().open(options).value();
  };
  const auto same = [&](const JobInfo& now) {
    EXPECT_EQ(std::tie(now.name_space, now.started, now.ended, now.result, now.runs),
              std::tie(before.name_space, before.started, before.ended, before.result, before.runs));
  };
  Database reader = read_only();
  same(job_of(reader, JobKind::kRefresh, "cpu"));
  EXPECT_EQ(job_of(reader, JobKind::kVacuum, "cpu").state, JobState::kPaused);
  EXPECT_EQ(reader.run_jobs().error().code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(reader.pause_jobs().error().code, ErrorCode::kPermissionDenied);
  Database closed = life.db();
  ASSERT_TRUE(closed.close());
  EXPECT_EQ(closed.jobs().error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(closed.run_jobs().error().code, ErrorCode::kInvalidInput);
  life.open();
  same(job_of(life.db(), JobKind::kRefresh, "cpu"));
  EXPECT_EQ(job_of(life.db(), JobKind::kVacuum, "cpu").state, JobState::kPaused);
  ASSERT_TRUE(life.db().resume_jobs());
  EXPECT_EQ(job_of(reader, JobKind::kVacuum, "cpu").state, JobState::kWaiting);
}

TEST(Jobs, ADamagedFileIsForgotten) {
  for (const std::string text : {"", "{", "null", R"({"format":1,"paused":["vacuum"],"jobs":[{"kind":5}]})",
                                 R"({"format":99,"paused":["vacuum"],"jobs":[]})", "\xff\xfe\0\0"}) {
    Life life(4);
    life.day();
    life.jobs();
    ASSERT_TRUE(life.db().close());
    ASSERT_TRUE(life.world().surroundings().storage->store("")->put("jobs.json", text));
    life.open();
    EXPECT_EQ(job_of(life.db(), JobKind::kRefresh, "cpu").runs, 0U) << text;
    EXPECT_EQ(job_of(life.db(), JobKind::kVacuum, "cpu").state, JobState::kWaiting);
    life.day();
    life.jobs();
    EXPECT_EQ(job_of(life.db(), JobKind::kRefresh, "cpu").runs, 1U);
    life.expect_right();
  }
}

TEST(Jobs, OptionsThatMakeNoSense) {
  World world;
  DatabaseOptions options = small();
  options.jobs.share = 0;
  const auto opened = world.open(options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidInput);
}

TEST(Jobs, WhoIsCancelledDoesNotBegin) {
  Life life(5);
  life.day();
  const CancelToken cancel;
  cancel.cancel();
  EXPECT_EQ(life.db().run_jobs({}, cancel).error().code, ErrorCode::kCancelled);
  EXPECT_EQ(job_of(life.db(), JobKind::kRefresh, "cpu").failures, 0U);
  life.jobs();
  life.expect_right();
}

class JobFaults : public ::testing::TestWithParam<Mode> {};

/// A fault strikes at some step of the disk while jobs run.
TEST_P(JobFaults, TheDatabaseGoesOnAndTheJobToo) {
  const Mode mode = GetParam();
  std::uint64_t struck = 0;
  std::uint64_t told = 0;
  const std::uint64_t step = kSanitized ? 41 : 7;
  for (std::uint64_t point = 0; !::testing::Test::HasFailure(); point += step) {
    SCOPED_TRACE(fmt::format("point {}", point));
    DatabaseOptions options = small();
    options.jobs.vacuum_older_than = seconds(3'600);
    options.jobs.history = {.versions = 1, .seconds = {}};
    Life life(point, options);
    for (int day = 0; day < 9; ++day) life.day();
    life.world().clock().advance(std::chrono::hours(2));
    life.world().disk().arm(mode, point, point);
    const auto done = life.db().run_jobs();
    const bool fired = life.world().disk().fired();
    if (mode == Mode::kPowerCut || mode == Mode::kKill) {
      life.world().restart();
    } else {
      ASSERT_TRUE(done) << "jobs that fail do not end it: " << done.error().message;
      const bool failed = std::ranges::any_of(
          *done, [](const JobInfo& job) { return job.failures == 1 && !job.last_error.empty() && job.failed; });
      told += fired && failed ? 1 : 0;
      life.world().disk().disarm();
      life.expect_right();
      if (fired && mode == Mode::kNoSpaceOnce) {
        life.insert("a", life.world().now_ns(), 5);  // without more ado
        life.jobs();
        EXPECT_EQ(job_of(life.db(), JobKind::kRefresh, "cpu").failures, 0U);
      }
    }
    life.open();
    life.expect_right();
    life.day();
    life.jobs();
    life.expect_right();
    if (!fired) break;
    ++struck;
  }
  EXPECT_GT(struck, kSanitized ? 2U : 10U);
  if (mode != Mode::kPowerCut && mode != Mode::kKill) {
    EXPECT_GT(told, struck / 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, JobFaults,
                         ::testing::Values(Mode::kFailOnce, Mode::kFailSticky, Mode::kNoSpaceOnce, Mode::kPowerCut),
                         io::fault_mode_name);

/// A table that is damaged has jobs that fail; those of others go on.
TEST(Jobs, ADamagedTableFailsAlone) {
  Life life(6);
  life.day();
  ASSERT_TRUE(life.db().create_table("n", "zebra", metrics_table()));
  ASSERT_TRUE(life.db().set_rollups("n", "zebra", {.intervals = {"1h"}}));
  ASSERT_TRUE(life.db().insert("n", "zebra", life.world().now_ns(), 1, {{"host", "a"}}));
  ASSERT_TRUE(life.db().flush());
  const auto store = life.world().surroundings().storage->store("tables/n/zebra");
  const auto objects = store->list("data").value();
  for (const auto& object : objects) {
    ASSERT_TRUE(store->put(object.key, std::string(object.size, 'x')));
  }
  const auto done = life.db().run_jobs().value();
  EXPECT_EQ(job_of(life.db(), JobKind::kRefresh, "cpu").runs, 1U);
  const JobInfo damaged = job_of(life.db(), JobKind::kRefresh, "zebra");
  EXPECT_EQ(damaged.failures, 1U);
  EXPECT_THAT(damaged.last_error, HasSubstr("data/"));
  life.expect_right();
  EXPECT_EQ(life.db().run_jobs(JobKind::kRefresh).value().front().failures, 2U);
}

}  // namespace
}  // namespace marigram::db::testing
