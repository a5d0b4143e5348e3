// Eight writers, four readers, flushes, compaction and deletion at once. Without this test a reader could see half a
// batch, or a row twice or not at all while it moves from memory into segments.
#include <marigram/database.h>

#include "io/temporary_folder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace marigram {
namespace {

constexpr int kWriters = 8;
constexpr int kReaders = 4;
constexpr int kBatchesEach = 40;
constexpr int kSeriesEach = 5;  // of a batch, a row each

/// Rows of batch `number`, of one time, all with the number as their value.
std::vector<Point> batch_of(int number) {
  std::vector<Point> points;
  for (int series = 0; series < kSeriesEach; ++series) {
    points.push_back({.time_ns = number * std::int64_t{1'000'000'000'000},
                      .value = static_cast<double>(number),
                      .tags = {{"series", std::to_string(series)}}});
  }
  return points;
}

/// How many rows of each batch a query sees; rows that were never inserted, or twice, are failures.
std::map<double, int> rows_seen(const Database& db, const std::string& table) {
  std::map<double, int> seen;
  auto stream = db.query("t", table, {.fields = {"value"}, .order = ScanOrder::kSeries});
  EXPECT_TRUE(stream) << stream.error().message;
  while (stream) {
    const auto batch = stream->next();
    EXPECT_TRUE(batch) << batch.error().message;
    if (!batch || !*batch) break;
    for (const double value : (*batch)->values<double>((*batch)->columns() - 1)) ++seen[value];
  }
  return seen;
}

struct Load {
  io::TemporaryFolder folder;
  Database db;
  std::atomic<int> writing = kWriters;

  explicit Load(Duplicates duplicates)
      : db(Database::open((folder.path() / "db").string(),
                          {.durability = Durability::kNone, .flush_bytes = 1 << 16, .duplicates = duplicates})
               .value()) {}

  void write(int writer) {
    for (int i = 0; i < kBatchesEach; ++i) {
      const int number = i * kWriters + writer;
      const auto durability = i % 8 == 0 ? Durability::kSync : Durability::kInterval;
      EXPECT_TRUE(db.insert_batch("t", "kept", batch_of(number), durability));
      EXPECT_TRUE(db.insert_batch("t", "removed", batch_of(number)));
    }
    --writing;
  }
  void read() {
    std::size_t before = 0;
    while (writing > 0) {
      const auto seen = rows_seen(db, "kept");
      for (const auto& [number, rows] : seen) EXPECT_EQ(rows, kSeriesEach) << "batch " << number;
      EXPECT_GE(seen.size(), before);
      before = seen.size();
      for (const auto& [number, rows] : rows_seen(db, "removed")) EXPECT_LE(rows, kSeriesEach);
    }
  }
  void maintain() {
    for (int round = 0; writing > 0; ++round) {
      EXPECT_TRUE(db.flush());
      if (round % 3 == 1) {
        EXPECT_TRUE(db.compact());
      } else if (round % 3 == 2) {
        EXPECT_TRUE(db.remove("t", "removed", {.where = {{"series", MatchOp::kEqual, "1"}}}));
      }
    }
  }
};

class DatabaseConcurrent : public ::testing::TestWithParam<Duplicates> {};

TEST_P(DatabaseConcurrent, EverythingAtOnce) {
  Load load(GetParam());
  ASSERT_TRUE(load.db.insert_batch("t", "kept", batch_of(0)));
  ASSERT_TRUE(load.db.insert_batch("t", "removed", batch_of(0)));
  for (const char* table : {"kept", "removed"}) ASSERT_TRUE(load.db.remove("t", table, {}));
  std::vector<std::jthread> threads;
  for (int writer = 0; writer < kWriters; ++writer) threads.emplace_back([&load, writer] { load.write(writer); });
  for (int reader = 0; reader < kReaders; ++reader) threads.emplace_back([&load] { load.read(); });
  threads.emplace_back([&load] { load.maintain(); });
  threads.clear();
  const auto seen = rows_seen(load.db, "kept");
  EXPECT_EQ(seen.size(), std::size_t{kWriters * kBatchesEach});
  for (const auto& [number, rows] : seen) EXPECT_EQ(rows, kSeriesEach) << "batch " << number;
  ASSERT_TRUE(load.db.close());
}

INSTANTIATE_TEST_SUITE_P(Policies, DatabaseConcurrent, ::testing::Values(Duplicates::kLast, Duplicates::kAll));

}  // namespace
}  // namespace marigram
