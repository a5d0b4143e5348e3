// Versions of tables that live in a database: queries of one, going back with rows in memory, truncating while others
// insert. Without this a row that was acknowledged could come back from the dead, be lost beside a truncate, or lie in
// memory for ever because what came back is in its place.
#include "db/open.h"
#include "db/test_contents.h"

#include <marigram/database.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::db {
namespace {

constexpr std::int64_t kHour = 3'600'000'000'000;

class OneDatabaseHistoryTest : public ::testing::Test {
 protected:
  Database open() const {
    auto db = open_database(folder_.surroundings(), {.log_file_bytes = kSmallLog});
    EXPECT_TRUE(db) << db.error().message;
    return *std::move(db);
  }
  static TableOptions options(Duplicates policy) {
    TableOptions options{.time_column = "time", .unit = TimeUnit::kNano};
    options.tags = {{.name = "host", .type = "string"}};
    options.fields = {{.name = "value", .type = "float64"}};
    options.duplicates = policy;
    return options;
  }
  static void insert(Database& db, std::int64_t hour, double value, const std::string& host = "a") {
    fine(db.insert("t", "cpu", hour * kHour, value, {{"host", host}}));
  }
  /// That of what is in segments.
  static std::uint64_t flushed(Database& db) {
    fine(db.flush());
    return db.open_table("t", "cpu").value().info().version;
  }
  /// "host hour value", or aggregates.
  static std::string rows_of(const Database& db, const QueryRequest& request = {}) {
    auto stream = db.query("t", "cpu", request);
    if (!stream) return stream.error().message;
    std::string text;
    while (true) {
      const auto batch = stream->next();
      if (!batch) return batch.error().message;
      if (!*batch) return text;
      const auto column = [&](const std::string& name) -> std::size_t {
        for (std::size_t i = 0; i < (*batch)->columns(); ++i) {
          if ((*batch)->column_name(i) == name) return i;
        }
        return SIZE_MAX;
      };
      for (std::size_t row = 0; row < (*batch)->rows(); ++row) {
        if (!text.empty()) text += ", ";
        if (column("host") != SIZE_MAX) text += std::get<std::string>((*batch)->at(row, column("host"))) + " ";
        if (column("time") != SIZE_MAX && request.aggregate.empty()) {
          text += std::to_string(std::get<Instant>((*batch)->at(row, column("time"))).seconds / 3'600) + " ";
        }
        const auto value = (*batch)->at(row, column("value"));
        const auto* number = std::get_if<double>(&value);
        text += std::to_string(number != nullptr ? static_cast<std::int64_t>(*number) : -1);
      }
    }
  }

  TestFolder folder_;
};

class DatabaseHistoryTest : public OneDatabaseHistoryTest, public ::testing::WithParamInterface<Duplicates> {};

INSTANTIATE_TEST_SUITE_P(Policies, DatabaseHistoryTest,
                         ::testing::Values(Duplicates::kReject, Duplicates::kLast, Duplicates::kAll));

TEST_F(OneDatabaseHistoryTest, AQueryOfAVersionSeesWhatWasInSegments) {
  Database db = open();
  insert(db, 1, 1);
  insert(db, 1, 10, "b");
  const std::uint64_t first = flushed(db);
  fine(db.open_table("t", "cpu").value().name_version("first", first));
  insert(db, 2, 2);
  const std::uint64_t second = flushed(db);
  insert(db, 3, 3);
  EXPECT_EQ(rows_of(db), "a 1 1, b 1 10, a 2 2, a 3 3");
  EXPECT_EQ(rows_of(db, {.at = {.at = second}}), "a 1 1, b 1 10, a 2 2");
  EXPECT_EQ(rows_of(db, {.at = {.at = first}}), "a 1 1, b 1 10");
  EXPECT_EQ(rows_of(db, {.at = {.at = std::string("first")}}), "a 1 1, b 1 10");
  EXPECT_EQ(rows_of(db, {.aggregate = "sum", .by = {"host"}, .at = {.at = second}}), "a 3, b 10");
  EXPECT_EQ(rows_of(db, {.where = {{.name = "host", .value = "b"}}, .at = {.at = second}}), "b 1 10");
  EXPECT_EQ(db.query("t", "cpu", {.at = {.at = std::uint64_t{99}}}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(db.query("t", "cpu", {.at = {.at = std::string("never")}}).error().code, ErrorCode::kNotFound);
}

TEST_F(OneDatabaseHistoryTest, SeriesThatAreNoMoreAreFoundInTheirVersion) {
  std::uint64_t first = 0;
  {
    Database db = open();
    insert(db, 1, 1, "gone");
    insert(db, 1, 2, "lost");
    first = flushed(db);
    EXPECT_EQ(db.truncate_table("t", "cpu").value(), 2U);
    fine(db.close());
  }
  Database db = open();
  EXPECT_EQ(rows_of(db), "");
  QueryRequest request{.where = {{.name = "host", .op = MatchOp::kRegex, .value = "g.*"}}, .at = {.at = first}};
  EXPECT_EQ(rows_of(db, request), "gone 1 1");
  fine(db.restore_table_version("t", "cpu", first));
  request.at = {};
  EXPECT_EQ(rows_of(db, request), "gone 1 1");
}

TEST_P(DatabaseHistoryTest, GoingBackTakesRowsInMemoryAlongAndIsUndone) {
  {
    Database db = open();
    fine(db.create_table("t", "cpu", options(GetParam())));
    insert(db, 1, 1);
    const std::uint64_t first = flushed(db);
    insert(db, 2, 2);  // in memory only
    const auto restored = db.restore_table_version("t", "cpu", first);
    ASSERT_TRUE(restored) << restored.error().message;
    EXPECT_EQ(rows_of(db), "a 1 1");
    insert(db, 2, 20);  // the bucket is free again
    EXPECT_EQ(rows_of(db), "a 1 1, a 2 20");
    fine(db.restore_table_version("t", "cpu", *restored - 1));
    EXPECT_EQ(rows_of(db), "a 1 1, a 2 2");
    if (GetParam() == Duplicates::kReject) {
      EXPECT_EQ(db.insert("t", "cpu", 2 * kHour, 7, {{"host", "a"}}).error().code, ErrorCode::kOverlap);
    }
    EXPECT_EQ(db.restore_table_version("t", "cpu", 999).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(db.restore_table_version("t", "none", 1).error().code, ErrorCode::kNotFound);
    fine(db.close());
  }
  const Database db = open();
  EXPECT_EQ(db.recovery().points, 0U);
  EXPECT_EQ(rows_of(db), "a 1 1, a 2 2");
}

TEST_P(DatabaseHistoryTest, ATruncatedTableTakesTheSameTimesAgain) {
  Database db = open();
  fine(db.create_table("t", "cpu", options(GetParam())));
  insert(db, 1, 1);
  flushed(db);
  insert(db, 2, 2);
  EXPECT_EQ(db.truncate_table("t", "cpu").value(), 2U);
  EXPECT_EQ(rows_of(db), "");
  insert(db, 1, 10);
  insert(db, 2, 20);
  flushed(db);
  EXPECT_EQ(rows_of(db), "a 1 10, a 2 20");
  fine(db.close());
  EXPECT_EQ(rows_of(open()), "a 1 10, a 2 20");
}

TEST_F(OneDatabaseHistoryTest, WhoInsertsBesideItLosesNothingThatCameLater) {
  Database db = open();
  insert(db, 0, 0, "first");
  const std::uint64_t first = flushed(db);
  std::atomic<std::int64_t> acknowledged = 0;
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (std::int64_t hour = 1; !stop && hour < 5'000; ++hour) {
      insert(db, hour, 1);
      acknowledged = hour;
    }
  });
  for (int round = 0; round < 10; ++round) {
    const std::int64_t before = acknowledged;
    fine(round % 2 == 0 ? db.truncate_table("t", "cpu") : db.restore_table_version("t", "cpu", first));
    const std::int64_t seen = acknowledged;
    const std::string rows = rows_of(db, {.where = {{.name = "host", .value = "a"}}});
    if (rows.empty()) continue;  // none has come since
    // Those that came later, and all of them.
    const std::int64_t oldest = std::stoll(rows.substr(2));
    EXPECT_GT(oldest, before);
    EXPECT_GE(oldest + std::ranges::count(rows, ','), seen);
    EXPECT_TRUE(rows.ends_with(" " + std::to_string(oldest + std::ranges::count(rows, ',')) + " 1"));
  }
  stop = true;
  writer.join();
  fine(db.truncate_table("t", "cpu"));
  EXPECT_EQ(rows_of(db), "");
  fine(db.close());
  EXPECT_EQ(rows_of(open()), "") << "what the log has of it is in segments that are no more";
}

}  // namespace
}  // namespace marigram::db
