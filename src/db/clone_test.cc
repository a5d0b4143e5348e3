// Clones of tables. Without this test a trial on a clone could change the table that it was made of, or its deletion
// take the table's files with it.
#include "db/clone.h"

#include "db/test_backup.h"
#include "db/verify.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace marigram::db::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

struct CloneTest : BackupTest {
  /// What a table holds is what the model's `as` has.
  void expect_table(const Database& db, const std::string& table, const NaiveTable& want) const {
    const auto rows = ask_for_rows(db, table, {.order = ScanOrder::kSeries});
    ASSERT_TRUE(rows) << rows.error().message;
    NaiveTable got(Duplicates::kAll);
    got.insert(*rows);
    EXPECT_EQ(difference(want, got), "") << table;
  }
  void expect_all_sound(const std::string& name) const {
    const auto found = verify(surroundings_of(at(name)).value(), false);
    ASSERT_TRUE(found) << found.error().message;
    for (const TableFindings& table : found->tables) EXPECT_THAT(table.report.problems, ElementsAre()) << table.name;
  }
};

TEST_F(CloneTest, SharesFilesAndNothingElse) {
  Database db = open("db", true);
  insert(db, "t0", minutes("x", 0, 200));
  expect_fine(db.flush());
  insert(db, "t0", minutes("y", 0, 100));
  remove(db, "t0", {.from_ns = 5 * kMinuteNs, .to_ns = 9 * kMinuteNs});
  insert(db, "t0", minutes("z", 0, 10));  // in memory
  expect_fine(db.clone_table(kTenant, "t0", "t1"));
  const NaiveTable then = model.table("t0");
  expect_table(db, "t1", then);
  std::uint64_t links = 0;
  for (const std::string& file : files("db/tables/acme/t1")) {
    links += fs::hard_link_count(at("db/tables/acme/t1/") + file) > 1 ? 1 : 0;
  }
  EXPECT_GT(links, 5U);

  // Each way.
  insert(db, "t0", minutes("x", 1'000, 50));
  expect_fine(db.insert_rows(kTenant, "t1", minutes("w", 0, 7)));
  NaiveTable other = then;
  other.insert(naive_rows(minutes("w", 0, 7)));
  expect_table(db, "t0", model.table("t0"));
  expect_table(db, "t1", other);
  expect_fine(db.compact());
  expect_fine(db.vacuum(0, false, {.versions = 1}));
  expect_table(db, "t0", model.table("t0"));
  expect_table(db, "t1", other);
  expect_fine(db.close());
  expect_all_sound("db");
  db = open("db");
  expect_fine(db.drop_table(kTenant, "t0"));
  for (const auto& entry : fs::directory_iterator(at("db/tables/acme"))) {
    if (entry.path().filename().string().starts_with("t0")) fs::remove_all(entry.path());
  }
  expect_table(db, "t1", other);
  expect_fine(db.clone_table(kTenant, "t1", "t0"));
  expect_fine(db.drop_table(kTenant, "t1"));
  expect_fine(db.close());
  expect_all_sound("db");
  expect_table(open("db"), "t0", other);
}

TEST_F(CloneTest, OfAnEarlierVersion) {
  Database db = open("db", true);
  insert(db, "t0", minutes("x", 0, 20));
  expect_fine(db.flush());
  const NaiveTable then = model.table("t0");
  const std::uint64_t version = db.open_table(kTenant, "t0")->info().version;
  insert(db, "t0", minutes("y", 0, 20));
  expect_fine(db.flush());
  remove(db, "t0", {.to_ns = 3 * kMinuteNs});
  expect_fine(db.clone_table(kTenant, "t0", "t1", {.at = version}));
  expect_table(db, "t1", then);
  EXPECT_EQ(db.open_table(kTenant, "t1", {.at = version})->info().rows, 20U);
  // A clone of the newest has the versions before it.
  expect_fine(db.compact());
  expect_fine(db.clone_table(kTenant, "t0", "t2"));
  expect_table(db, "t2", model.table("t0"));
  expect_fine(db.clone_table(kTenant, "t2", "t3", {.at = version}));
  expect_table(db, "t3", then);
  expect_fine(db.insert_rows(kTenant, "t1", minutes("y", 0, 20)));
  expect_fine(db.close());
  expect_all_sound("db");
}

TEST_F(CloneTest, WhatCannotBeIsSaid) {
  Database db = open("db", true);
  insert(db, "t0", minutes("x", 0, 20));
  insert(db, "t1", minutes("x", 0, 20));
  const std::vector<std::string> before = files("db/tables/acme/t1");
  expect_fine(db.flush());
  const auto status = [](const Status& done) { return done ? Result<int>(0) : std::unexpected(done.error()); };
  expect_error(status(db.clone_table(kTenant, "t0", "t1")), ErrorCode::kAlreadyExists, "acme.t1");
  expect_error(status(db.clone_table(kTenant, "t7", "t2")), ErrorCode::kNotFound, "acme.t7");
  expect_error(status(db.clone_table(kTenant, "t0", "t2", {.at = std::uint64_t{99}})), ErrorCode::kNotFound, "99");
  expect_error(status(db.clone_table(kTenant, "t0", "t2", {.at = std::string("nobody")})), ErrorCode::kNotFound,
               "nobody");
  expect_error(status(db.clone_table(kTenant, "t0", "")), ErrorCode::kInvalidInput, "empty");
  EXPECT_THAT(db.list_series(kTenant).value(), ElementsAre("t0", "t1"));
  EXPECT_FALSE(fs::exists(at("db/tables/acme/t2")));
  expect_fine(db.close());
  const Database reader = Database::open(at("db"), {.create = false, .read_only = true}).value();
  Database copy = reader;
  expect_error(status(copy.clone_table(kTenant, "t0", "t2")), ErrorCode::kPermissionDenied, "read-only");
}

/// Rows of an earlier table of the clone's name, made of the same original, are in the write-ahead log.
TEST_F(CloneTest, RecordsOfAnEarlierTableOfItsNameAreNotReplayedIntoIt) {
  TestDisk disk;
  const auto keep_all = [] {
    DatabaseOptions options;
    options.log_file_bytes = TestDisk::kLogFileBytes;
    options.duplicates = Duplicates::kAll;
    return options;
  }();
  const std::vector<Row> original = minutes("x", 0, 20);
  {
    Database db = disk.open(keep_all).value();
    expect_fine(db.insert_rows(kTenant, "t0", original));
    expect_fine(db.clone_table(kTenant, "t0", "t1"));
    expect_fine(db.insert_rows(kTenant, "t1", minutes("gone", 0, 5)));
    expect_fine(db.drop_table(kTenant, "t1"));
    expect_fine(db.clone_table(kTenant, "t0", "t1"));
    expect_fine(db.insert_rows(kTenant, "t1", minutes("new", 0, 3)));
    disk.disk().cut_power();
  }
  disk.restart();
  const Database db = disk.open(keep_all).value();
  NaiveTable want(Duplicates::kAll);
  want.insert(naive_rows(original));
  expect_table(db, "t0", want);
  want.insert(naive_rows(minutes("new", 0, 3)));
  expect_table(db, "t1", want);
}

TEST_F(CloneTest, InMemory) {
  DatabaseOptions options;
  options.duplicates = Duplicates::kAll;
  Database db = Database::open("memory:", options).value();
  insert(db, "t0", minutes("x", 0, 20));
  EXPECT_FALSE(db.query(kTenant, "t1"));
  expect_fine(db.clone_table(kTenant, "t0", "t1"));
  const NaiveTable then = model.table("t0");
  insert(db, "t0", minutes("y", 0, 20));
  expect_fine(db.flush());
  expect_table(db, "t0", model.table("t0"));
  expect_table(db, "t1", then);
  expect_fine(db.insert_rows(kTenant, "t1", minutes("z", 0, 1)));
  expect_fine(db.flush());
  NaiveTable other = then;
  other.insert(naive_rows(minutes("z", 0, 1)));
  expect_table(db, "t1", other);
}

/// Cold segments of the original lie elsewhere; the copies have them, and need nothing of it.
TEST_F(CloneTest, OfATableWhoseColdSegmentsLieElsewhere) {
  Database db = open("db", true);
  insert(db, "t0", minutes("x", 0, 5'000));
  expect_fine(db.flush());
  insert(db, "t0", minutes("y", 30'000, 10));
  expect_fine(db.set_tiers(kTenant, "t0", {.cold_after = "1d", .root = at("cold")}));
  const auto moved = db.move_cold(kTenant, "t0");
  ASSERT_TRUE(moved) << moved.error().message;
  EXPECT_GT(files("cold").size(), 0U);
  const NaiveTable then = model.table("t0");
  expect_fine(db.clone_table(kTenant, "t0", "t1"));
  expect_fine(db.snapshot(at("s")));
  const auto second = db.snapshot(at("s2"), {.base = at("s")});
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_GT(second->shared_files, second->files / 2);
  const std::string original = at("db/tables/acme/t0");
  expect_fine(Table::open(original)->clone(at("bare")));
  expect_fine(Database::restore(at("s2"), at("r")));
  expect_fine(db.drop_table(kTenant, "t0"));
  fs::remove_all(at("cold"));
  expect_table(db, "t1", then);
  expect_fine(db.close());
  expect_all_sound("db");
  expect_sound("s");
  expect_sound("s2");
  expect_all_sound("r");
  expect_table(open("r"), "t0", then);
  EXPECT_TRUE(Table::verify(at("bare"))->problems.empty());
  EXPECT_EQ(Table::open(at("bare"))->info().rows, 5'010U);
  EXPECT_EQ(Table::open(at("bare"))->tiers().root, "");
  EXPECT_FALSE(fs::exists(at("cold")));
}

/// A table in a folder of its own, without a database.
TEST_F(CloneTest, OfABareTable) {
  {
    Database db = open("db", true);
    insert(db, "t0", minutes("x", 0, 20));
    expect_fine(db.flush());
    insert(db, "t0", minutes("y", 0, 20));
  }
  const std::string original = at("db/tables/acme/t0");
  Table table = Table::open(original).value();
  const std::uint64_t newest = table.info().version;
  auto clone = table.clone(at("some/clone/"));
  ASSERT_TRUE(clone) << clone.error().message;
  EXPECT_EQ(clone->info().rows, 40U);
  EXPECT_EQ(clone->info().version, newest);
  EXPECT_TRUE(Table::verify(at("some/clone"))->problems.empty());
  expect_error(table.clone(at("some/clone")), ErrorCode::kAlreadyExists, "clone");
  fs::create_directory(at("some/empty"));
  expect_fine(table.clone(at("some/empty")));
  const auto earlier = Table::open(original, {.at = newest - 1})->clone(at("earlier"));
  ASSERT_TRUE(earlier) << earlier.error().message;
  EXPECT_EQ(earlier->info().rows, 20U);

  RowSelection all;
  expect_fine(clone->remove_rows(all));
  expect_fine(clone->compact());
  expect_fine(clone->vacuum(0, false, {.versions = 1}));
  EXPECT_EQ(clone->info().rows, 0U);
  expect_fine(table.refresh());
  EXPECT_TRUE(Table::verify(original)->problems.empty());
  EXPECT_EQ(table.info().rows, 40U);
  fs::remove_all(original);
  EXPECT_TRUE(Table::verify(at("some/empty"))->problems.empty());
  EXPECT_THAT(files("some/clone").size(), ::testing::Gt(0U));
  for (const auto& entry : fs::directory_iterator(at("some"))) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << "left behind: " << entry.path();
  }
}

}  // namespace
}  // namespace marigram::db::testing
