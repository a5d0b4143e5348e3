// Databases that lose power before they are closed. Without this test rows could come back in another table or series
// than they went into, or twice.
#include "base/manual_clock.h"
#include "base/thread_pool.h"
#include "db/core.h"
#include "db/points.h"
#include "db/verify.h"
#include "io/simulated_file_system.h"

#include <arrow/record_batch.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

struct ReplayTest : ::testing::Test {
  ManualClock clock;
  ThreadPool pool{2};
  std::shared_ptr<io::SimulatedFileSystem> disk = io::SimulatedFileSystem::make(clock);
  std::unique_ptr<Core> core;

  Surroundings surroundings() {
    return {.storage = make_file_storage(disk, "/db"), .clock = &clock, .pool = &pool, .background = false};
  }
  void open(std::uint64_t flush_bytes = 1 << 20) {
    auto opened = Core::open(
        surroundings(),
        {.flush_bytes = flush_bytes, .log_file_bytes = std::uint64_t{16} << 10, .duplicates = Duplicates::kAll});
    ASSERT_TRUE(opened) << opened.error().message;
    core = std::move(*opened);
  }
  void lose_power() {
    disk->cut_power();
    core.reset();
    disk = disk->restart();
  }
  void insert(const std::string& table, std::int64_t time, const std::string& host,
              Durability durability = Durability::kSync) {
    const double value = 1;
    const Tags tags = {{.name = "host", .value = host}};
    const SeriesPoints point{.tags = tags, .times_ns = std::span(&time, 1), .values = std::span(&value, 1)};
    const Status inserted = core->write_points("t", table, point, durability);
    ASSERT_TRUE(inserted) << inserted.error().message;
  }
  /// Rows of each host.
  std::map<std::string, int> rows(const std::string& table) {
    std::map<std::string, int> counts;
    table::LiveTable* const live = core->table_to_read("t", table).value();
    for (const head::SeriesId id : live->series().select({}).ids()) {
      const std::string host(live->series().value(id, live->series().find_tag("host").value()));
      const auto matcher = model::Matcher::compile({.name = "host", .value = host}).value();
      auto stream = live->scan({.columns = {"time"}}, std::span(&matcher, 1));
      EXPECT_TRUE(stream) << stream.error().message;
      while (stream) {
        const auto batch = stream->rows->next();
        EXPECT_TRUE(batch) << batch.error().message;
        if (!batch || !*batch) break;
        counts[host] += static_cast<int>((*batch)->num_rows());
      }
    }
    return counts;
  }
};

using Counts = std::map<std::string, int>;

TEST_F(ReplayTest, NumbersOfOneProcessAreNotThoseOfTheNext) {
  open();
  insert("cpu", 1, "a");
  insert("mem", 1, "b");
  lose_power();
  open();
  insert("mem", 2, "c");  // the tables are numbered the other way round
  insert("mem", 2, "b");
  insert("cpu", 2, "b");
  lose_power();
  open();
  EXPECT_EQ(rows("cpu"), (Counts{{"a", 1}, {"b", 1}}));
  EXPECT_EQ(rows("mem"), (Counts{{"b", 2}, {"c", 1}}));
}

TEST_F(ReplayTest, ALostDefinitionIsNotReplacedByThatOfTheProcessBefore) {
  open();
  insert("mem", 1, "a", Durability::kNone);  // the first table in this process, in the next the second
  insert("cpu", 1, "a");
  lose_power();
  open();
  const wal::Lsn lost = core->log()->position();
  insert("mem", 2, "a");
  insert("mem", 3, "a");
  lose_power();
  const auto store = surroundings().storage->store("");
  const std::string file = "wal/" + wal::file_name(0);
  std::string bytes = store->read(file).value().bytes;
  bytes[lost + wal::kRecordHeaderBytes] ^= 1;
  ASSERT_TRUE(store->put(file, bytes));
  const auto repaired = verify(surroundings(), true);
  ASSERT_TRUE(repaired) << repaired.error().message;
  EXPECT_EQ(repaired->log->lost.size(), 2U);  // what is damaged, and what is about a table that nothing defines
  open();
  EXPECT_EQ(rows("cpu"), (Counts{{"a", 1}}));
  EXPECT_EQ(rows("mem"), Counts());
}

TEST_F(ReplayTest, WhatSegmentsContainIsNotReplayed) {
  open();
  for (int i = 0; i < 100; ++i) insert("cpu", i, "a");
  table::LiveTable* const live = core->catalogue().find("t", "cpu").value();
  ASSERT_TRUE(core->flush(*live));  // the log is not cut
  for (int i = 100; i < 150; ++i) insert("cpu", i, "a");
  insert("mem", 1, "x");
  lose_power();
  open();
  EXPECT_EQ(core->recovery().batches, 151U);
  EXPECT_EQ(core->recovery().points, 51U);
  EXPECT_EQ(rows("cpu"), (Counts{{"a", 150}}));
  EXPECT_EQ(rows("mem"), (Counts{{"x", 1}}));
}

TEST_F(ReplayTest, ManyFilesAndLittleMemory) {
  open();
  for (int i = 0; i < 1'500; ++i) insert(i % 3 == 0 ? "cpu" : "mem", i, std::to_string(i % 7));
  lose_power();
  open(4'096);  // flushes on the way
  int all = 0;
  for (const auto& [host, count] : rows("cpu")) all += count;
  EXPECT_EQ(all, 500);
  lose_power();
  open();
  all = 0;
  for (const auto& [host, count] : rows("mem")) all += count;
  EXPECT_EQ(all, 1'000);
}

TEST_F(ReplayTest, AfterACloseTheLogHasNothingToRead) {
  std::vector<wal::LogId> ids;
  for (int round = 0; round < 4; ++round) {
    open();
    EXPECT_EQ(core->recovery().batches, 0U);
    const wal::LogId id = core->log()->id();
    EXPECT_TRUE(round < 2 || id == ids.back()) << "it is another log";
    ids.push_back(id);
    for (int i = 0; i < round * 100; ++i) insert("cpu", round * 1'000 + i, "a");  // from none to several files
    const Status closed = core->close();
    ASSERT_TRUE(closed) << closed.error().message;
    const auto objects = core->storage().store("")->list("wal").value();
    for (const auto& object : objects) EXPECT_FALSE(object.key.ends_with(".wal")) << object.key;
  }
  open();
  insert("cpu", 1, "b");
  lose_power();
  open();
  EXPECT_EQ(core->recovery().batches, 1U);
  EXPECT_EQ(rows("cpu"), (Counts{{"a", 600}, {"b", 1}}));
}

TEST_F(ReplayTest, ATableThatWasMadeAnewGetsNoRowsOfTheOldOne) {
  open();
  insert("cpu", 1, "a");
  lose_power();
  const auto store = make_file_storage(disk, "/db")->store("tables/t/cpu");
  const auto objects = store->list("").value();
  for (const auto& object : objects) ASSERT_TRUE(store->remove(object.key));
  clock.advance(std::chrono::hours(1));
  open();
  EXPECT_EQ(core->recovery().orphans, 1U);
  insert("cpu", 2, "b");
  EXPECT_EQ(rows("cpu"), (Counts{{"b", 1}}));
  lose_power();
  open();
  EXPECT_EQ(rows("cpu"), (Counts{{"b", 1}}));
}

}  // namespace
}  // namespace marigram::db
