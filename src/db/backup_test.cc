// Backups as their users have them. Without this test the day on which one is needed could be the first on which
// anybody learns that it holds something else than the database did, or nothing.
#include "db/test_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace marigram::db::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Three backups, each on the one before, while rows come and go, segments are merged and files deleted.
struct ChainTest : BackupTest {
  std::vector<Tables> then;
  std::vector<SnapshotReport> reports;

  void back_up(const Database& db) {
    const std::string name = "s" + std::to_string(then.size());
    const auto report = db.snapshot(at(name), {.base = then.empty() ? "" : at("s" + std::to_string(then.size() - 1))});
    ASSERT_TRUE(report) << report.error().message;
    reports.push_back(*report);
    then.push_back(now());
  }
  void live_three_days() {
    Database db = open("db", true);
    insert(db, "t0", minutes("x", 0, 500));
    insert(db, "t1", minutes("x", 0, 100));
    back_up(db);
    insert(db, "t0", minutes("y", 100, 300, 0.5));
    remove(db, "t0", {.from_ns = 50 * kMinuteNs, .to_ns = 70 * kMinuteNs});
    expect_fine(db.flush());
    insert(db, "t2", minutes("z", -50, 100));
    expect_fine(db.compact());
    expect_fine(db.vacuum(0, false, {.versions = 1}));
    back_up(db);
    remove(db, "t2", {.to_ns = 0});
    insert(db, "t0", minutes("x", 0, 10, 0.25));
    back_up(db);
    insert(db, "t1", minutes("x", 5'000, 10));
    expect_holds(db, now());
  }
  void expect_sound_and_restorable(const std::string& name, const Tables& want) {
    expect_sound(name);
    expect_holds(name, want);
    const auto restored = Database::restore(at(name), at("of-" + name));
    ASSERT_TRUE(restored) << restored.error().message;
    expect_holds("of-" + name, want);
    fs::remove_all(at("of-" + name));
  }
};

TEST_F(ChainTest, EachHoldsWhatTheDatabaseHeldThen) {
  live_three_days();
  ASSERT_EQ(then.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) expect_sound_and_restorable("s" + std::to_string(i), then[i]);
}

TEST_F(ChainTest, WhatHasNotChangedIsNotCopied) {
  live_three_days();
  EXPECT_EQ(reports[0].shared_files, 0U);
  EXPECT_GT(reports[1].shared_files, 0U);
  EXPECT_GT(reports[2].shared_files, reports[2].files / 2);
  EXPECT_GT(reports[2].shared_bytes, 0U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto found = Database::verify_snapshot(at("s" + std::to_string(i)));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->files, reports[i].files);
    EXPECT_EQ(found->bytes, reports[i].bytes);
  }
  std::uint64_t links = 0;
  for (const std::string& file : files("s2")) links += fs::hard_link_count(at("s2") + "/" + file) > 1 ? 1 : 0;
  EXPECT_EQ(links, reports[2].shared_files);
  EXPECT_EQ(reports[0].tables, 2U);
  EXPECT_EQ(reports[0].rows, 600U);
  EXPECT_EQ(reports[2].tables, 3U);
}

TEST_F(ChainTest, NoneNeedsTheOthersNorTheDatabase) {
  live_three_days();
  fs::remove_all(at("db"));
  fs::remove_all(at("s1"));
  expect_sound_and_restorable("s2", then[2]);
  fs::remove_all(at("s0"));
  expect_sound_and_restorable("s2", then[2]);
}

/// Rows of both tables, which then go their ways.
TEST_F(BackupTest, ABaseOfAnotherTableOfThatNameIsNotTakenForThisOne) {
  {
    Database db = open("db", true);
    insert(db, "t0", minutes("x", 0, 100));
    expect_fine(db.snapshot(at("s0")));
    expect_fine(db.drop_table(kTenant, "t0"));
  }
  model = NaiveDatabase(Duplicates::kAll);
  Database db = open("db");
  insert(db, "t0", minutes("x", 0, 100, 7));  // of the same size
  expect_fine(db.snapshot(at("s1"), {.base = at("s0")}));
  expect_sound("s1");
  expect_holds("s1", now());
}

TEST_F(BackupTest, ADamagedFileOfTheBaseIsCopiedAnew) {
  Database db = open("db", true);
  insert(db, "t0", minutes("x", 0, 100));
  expect_fine(db.snapshot(at("s0")));
  for (const std::string& file : files("s0")) {
    if (file.contains("data/")) replace_bytes(at("s0") + "/" + file, bytes_at(at("s0") + "/" + file) + "x");
    if (file.contains("_coverage")) fs::remove(at("s0") + "/" + file);
  }
  expect_fine(db.snapshot(at("s1"), {.base = at("s0")}));
  expect_sound("s1");
  expect_holds("s1", now());
}

TEST_F(BackupTest, BadBasesAreNamed) {
  Database db = open("db", true);
  insert(db, "t0", minutes("x", 0, 10));
  expect_fine(db.snapshot(at("s0")));
  expect_error(db.snapshot(at("s1"), {.base = at("nowhere")}), ErrorCode::kNotFound, "nowhere");
  expect_error(db.snapshot(at("s1"), {.base = at("db")}), ErrorCode::kInvalidInput, "backup.json");
  replace_bytes(at("s0/backup.json"), bytes_at(at("s0/backup.json")).replace(30, 1, "#"));
  expect_error(db.snapshot(at("s1"), {.base = at("s0")}), ErrorCode::kCorruption, "backup.json");
  EXPECT_FALSE(fs::exists(at("s1"))) << "what is refused makes nothing";
  expect_error(db.snapshot(at("s0")), ErrorCode::kAlreadyExists, "s0");
  expect_error(Database::verify_snapshot(at("nowhere")), ErrorCode::kNotFound, "nowhere");
  expect_error(Database::verify_snapshot(at("db")), ErrorCode::kInvalidInput, "backup.json");
}

/// What becomes of one file of a snapshot.
struct Damage {
  std::string what;
  std::string bytes;
  bool gone = false;
};

std::vector<Damage> damages(const std::string& bytes) {
  std::vector<Damage> all = {{.what = "gone", .gone = true}, {.what = "longer", .bytes = bytes + "x"}};
  if (bytes.empty()) return all;
  all.push_back({.what = "cut", .bytes = bytes.substr(0, bytes.size() - 1)});
  all.push_back({.what = "empty"});
  for (const std::size_t at : {std::size_t{0}, bytes.size() / 3, bytes.size() / 2, bytes.size() - 1}) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    all.push_back({.what = "bit of byte " + std::to_string(at), .bytes = std::move(flipped)});
  }
  return all;
}

TEST_F(BackupTest, DamageToAnyFileIsFoundAndNotRestored) {
  {
    Database db = open("db", true);
    insert(db, "t0", minutes("x", 0, 60));
    expect_fine(db.flush());
    insert(db, "t0", minutes("y", 0, 60));
    insert(db, "t1", minutes("x", 0, 5));
    remove(db, "t0", {.from_ns = 10 * kMinuteNs, .to_ns = 20 * kMinuteNs});
    expect_fine(db.snapshot(at("s")));
  }
  const std::vector<std::string> all = files("s");
  EXPECT_GT(all.size(), 12U);
  int found = 0;
  for (const std::string& file : all) {
    const fs::path path = at("s") + "/" + file;
    const std::string bytes = bytes_at(path);
    for (const Damage& damage : damages(bytes)) {
      SCOPED_TRACE(file + " " + damage.what);
      replace_bytes(path, damage.bytes);
      if (damage.gone) fs::remove(path);
      const auto report = Database::verify_snapshot(at("s"));
      ASSERT_TRUE(report) << report.error().message;
      EXPECT_FALSE(report->problems.empty());
      const auto restored = Database::restore(at("s"), at("restored"));
      EXPECT_FALSE(restored);
      EXPECT_FALSE(fs::exists(at("restored/marigram.json")));
      EXPECT_FALSE(Database::open(at("restored"), {.create = false}));
      fs::remove_all(at("restored"));
      ++found;
    }
    replace_bytes(path, bytes);
  }
  EXPECT_GT(found, 80);
  expect_sound("s");
  replace_bytes(at("s/tables/acme/t0/data/more.parquet"), "x");
  EXPECT_THAT(Database::verify_snapshot(at("s"))->problems,
              ::testing::ElementsAre(HasSubstr("more.parquet is not of the snapshot")));
}

TEST_F(BackupTest, TheErrorNamesTheFile) {
  {
    Database db = open("db", true);
    insert(db, "t0", minutes("x", 0, 60));
    expect_fine(db.snapshot(at("s")));
  }
  const fs::path log = at("s/tables/acme/t0/_timeseries_log/0000000001.json");
  replace_bytes(log, bytes_at(log) + " ");
  expect_error(Database::restore(at("s"), at("r")), ErrorCode::kCorruption, "t0/_timeseries_log/0000000001.json");
  EXPECT_THAT(Database::verify_snapshot(at("s"))->problems,
              ::testing::ElementsAre(HasSubstr("t0/_timeseries_log/0000000001.json has ")));
}

/// It has not the files of versions before, so these cannot be asked for, nor gone back to.
TEST_F(BackupTest, WhatItLacksOfTheHistoryIsGivenUp) {
  Database db = open("db", true);
  insert(db, "t0", minutes("x", 0, 60));
  expect_fine(db.flush());
  const std::uint64_t first = db.open_table(kTenant, "t0")->info().version;
  insert(db, "t0", minutes("y", 0, 60));
  expect_fine(db.compact());
  const std::uint64_t last = db.open_table(kTenant, "t0")->info().version;
  expect_fine(db.snapshot(at("s")));
  expect_fine(Database::restore(at("s"), at("r")));
  for (const std::string& name : {at("s"), at("r")}) {
    const std::string table = name + "/tables/acme/t0";
    expect_error(Table::open(table, {.at = first}), ErrorCode::kNotFound, "were given up");
    expect_fine(Table::open(table, {.at = last}));
    EXPECT_EQ(Table::open(table, {.at = last})->info().rows, 120U);
  }
}

TEST_F(BackupTest, ADatabaseOfOneIsFreeToChange) {
  {
    Database db = open("db", true);
    insert(db, "t0", minutes("x", 0, 60));
    expect_fine(db.snapshot(at("s")));
  }
  const Tables then = now();
  expect_fine(Database::restore(at("s"), at("r")));
  Database restored = open("r");
  insert(restored, "t0", minutes("y", 0, 60));
  expect_fine(restored.compact());
  expect_fine(restored.vacuum(0, false, {.versions = 1}));
  expect_holds(restored, now());
  expect_fine(restored.close());
  expect_sound("s");
  expect_holds("s", then);
  expect_fine(Database::verify_snapshot(at("s")));
  expect_error(Database::verify_snapshot(at("r")), ErrorCode::kInvalidInput, "backup.json");
}

/// Whatever was acknowledged before the call is in it, and of what comes meanwhile a beginning of each writer's rows.
TEST_F(BackupTest, InsertsGoOnAndNothingAcknowledgedIsMissing) {
  constexpr int kWriters = 4;
  constexpr int kBackups = 4;
  Database db = open("db", true);
  std::array<std::atomic<std::int64_t>, kWriters> acknowledged{};
  std::atomic<bool> done = false;
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (std::int64_t i = 0; !done; ++i) {
        const Row row{.time_ns = i * kMinuteNs,
                      .tags = {{.name = "a", .value = std::to_string(writer)}},
                      .fields = {{"f0", static_cast<double>(i)}}};
        const auto inserted = db.insert_rows(kTenant, "t" + std::to_string(writer % 2), {&row, 1}, Durability::kSync);
        if (!inserted) done = true;
        if (!inserted) return expect_fine(inserted);
        acknowledged[static_cast<std::size_t>(writer)] = i + 1;
      }
    });
  }
  std::vector<std::vector<std::int64_t>> before;
  for (int i = 0; i < kBackups; ++i) {
    // Each is taken amidst inserts: every writer is heard of again before it.
    const std::int64_t some = before.empty() ? 0 : *std::ranges::max_element(before.back());
    for (auto& count : acknowledged) {
      while (count <= some && !done) std::this_thread::yield();
    }
    before.emplace_back(acknowledged.begin(), acknowledged.end());
    expect_fine(db.snapshot(at("s" + std::to_string(i)), {.base = i == 0 ? "" : at("s" + std::to_string(i - 1))}));
  }
  done = true;
  writers.clear();
  for (int i = 0; i < kBackups; ++i) {
    const std::string name = "s" + std::to_string(i);
    expect_sound(name);
    const Database copy = Database::open(at(name), {.create = false, .read_only = true}).value();
    for (int writer = 0; writer < kWriters; ++writer) {
      const std::string host = std::to_string(writer);
      const auto rows = ask_for_rows(copy, "t" + std::to_string(writer % 2), {.where = {{.name = "a", .value = host}}});
      ASSERT_TRUE(rows) << rows.error().message;
      EXPECT_GE(static_cast<std::int64_t>(rows->size()),
                before[static_cast<std::size_t>(i)][static_cast<std::size_t>(writer)]);
      for (std::size_t row = 0; row < rows->size(); ++row) {
        ASSERT_EQ((*rows)[row].time_ns, static_cast<std::int64_t>(row) * kMinuteNs) << "a gap";
      }
    }
  }
}

}  // namespace
}  // namespace marigram::db::testing
