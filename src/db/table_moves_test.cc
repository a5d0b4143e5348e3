// Tables that are dropped, had back and renamed, while others write to them too. Without this a rename could lose rows
// that were acknowledged, a dropped table come back with the rows of its successor, or a name stay taken for ever.
#include "io/temporary_folder.h"

#include <marigram/database.h>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace marigram::db {
namespace {

Database open(const std::string& path) {
  auto database = Database::open(path);
  EXPECT_TRUE(database) << (database ? "" : database.error().message);
  return *std::move(database);
}

std::multiset<std::int64_t> times_in(const Database& database, const std::string& table) {
  std::multiset<std::int64_t> times;
  auto stream = database.query("acme", table);
  EXPECT_TRUE(stream) << (stream ? "" : stream.error().message);
  while (stream) {
    const auto batch = stream->next();
    EXPECT_TRUE(batch);
    if (!batch || !*batch) break;
    for (std::size_t row = 0; row < (*batch)->rows(); ++row) {
      times.insert(std::get<Instant>((*batch)->at(row, 0)).seconds);
    }
  }
  return times;
}

Status put(Database& database, const std::string& table, std::int64_t second) {
  return database.insert("acme", table, second * 1'000'000'000, 1.0, {{"host", "a"}});
}

class TableMoves : public ::testing::TestWithParam<bool> {
 protected:
  std::string path() const { return GetParam() ? (folder_.path() / "d").string() : "memory:"; }

 private:
  io::TemporaryFolder folder_;
};

TEST_P(TableMoves, DroppedTablesComeBackInTheReverseOrder) {
  Database database = open(path());
  EXPECT_EQ(database.drop_table("acme", "cpu").error().code, ErrorCode::kNotFound);
  for (const std::int64_t second : {1, 2}) {
    ASSERT_TRUE(put(database, "cpu", second));
    ASSERT_TRUE(database.drop_table("acme", "cpu"));
    EXPECT_EQ(database.query("acme", "cpu").error().code, ErrorCode::kNotFound);
  }
  EXPECT_EQ(database.list_dropped_tables()->size(), 2U);
  ASSERT_TRUE(put(database, "cpu", 3));
  EXPECT_EQ(database.undrop_table("acme", "cpu").error().code, ErrorCode::kAlreadyExists);
  ASSERT_TRUE(database.rename_table("acme", "cpu", "third"));
  ASSERT_TRUE(database.undrop_table("acme", "cpu"));
  EXPECT_EQ(times_in(database, "cpu"), std::multiset<std::int64_t>{2});
  EXPECT_EQ(database.rename_table("acme", "cpu", "third").error().code, ErrorCode::kAlreadyExists);
  ASSERT_TRUE(put(database, "cpu", 4)) << "a rename that was refused changes nothing";
  ASSERT_TRUE(database.rename_table("acme", "cpu", "second"));
  ASSERT_TRUE(database.undrop_table("acme", "cpu"));
  EXPECT_EQ(times_in(database, "cpu"), std::multiset<std::int64_t>{1});
  EXPECT_EQ(times_in(database, "second"), (std::multiset<std::int64_t>{2, 4}));
  EXPECT_EQ(times_in(database, "third"), std::multiset<std::int64_t>{3});
  EXPECT_EQ(database.undrop_table("acme", "cpu").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(database.drop_table("acme", "third"));
  EXPECT_EQ(database.vacuum(3'600)->files, 0U);
  EXPECT_GT(database.vacuum(0)->files, 0U);
  EXPECT_TRUE(database.list_dropped_tables()->empty());
}

INSTANTIATE_TEST_SUITE_P(Places, TableMoves, ::testing::Bool());

TEST(TableMovesOnDisk, RowsThatWereAcknowledgedAreUnderOneNameOrTheOther) {
  const io::TemporaryFolder folder;
  const std::string path = (folder.path() / "d").string();
  std::multiset<std::int64_t> acknowledged;
  {
    Database database = open(path);
    ASSERT_TRUE(put(database, "a", 0));
    acknowledged.insert(0);
    std::atomic<bool> stop = false;
    constexpr std::int64_t kWriters = 3;
    std::vector<std::vector<std::int64_t>> written(kWriters);
    std::vector<std::jthread> writers;
    for (std::int64_t writer = 0; writer < kWriters; ++writer) {
      writers.emplace_back([&, writer] {
        for (std::int64_t i = 1; !stop; ++i) {
          const std::int64_t second = i * kWriters + writer;
          const Status done = put(database, "a", second);
          if (done) written[static_cast<std::size_t>(writer)].push_back(second);
          EXPECT_TRUE(done || done.error().code == ErrorCode::kNotFound);
        }
      });
    }
    for (int round = 0; round < 10; ++round) {
      const Status renamed = database.rename_table("acme", "a", "b" + std::to_string(round));
      EXPECT_TRUE(renamed || renamed.error().code == ErrorCode::kNotFound);
    }
    stop = true;
    writers.clear();
    for (const auto& own : written) acknowledged.insert(own.begin(), own.end());
    ASSERT_TRUE(database.close());
  }
  const Database database = open(path);
  std::multiset<std::int64_t> found;
  const auto tables = database.list_series("acme");
  ASSERT_TRUE(tables);
  for (const std::string& table : *tables) found.merge(times_in(database, table));
  EXPECT_EQ(found, acknowledged);
}

}  // namespace
}  // namespace marigram::db
