// Every step that the disk takes for a snapshot, a restore or a clone fails once, fails for good, finds no space, loses
// power, or comes after the death of the process. Without this test half a backup could be taken for one, and half a
// restore or clone for all of it; or what they were made of could be damaged.
#include "db/clone.h"
#include "db/copy.h"
#include "db/points.h"
#include "db/restore.h"
#include "db/test_backup.h"
#include "db/test_strike.h"
#include "db/test_watched_database.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db::testing {
namespace {

using Mode = TestDisk::Mode;

DatabaseOptions keep_all() {
  DatabaseOptions options;
  options.log_file_bytes = TestDisk::kLogFileBytes;
  options.duplicates = Duplicates::kAll;
  return options;
}

class BackupFaultTest : public ::testing::TestWithParam<Mode> {
 protected:
  static void insert(Core& core, const std::string& table, const std::vector<Row>& rows) {
    expect_fine(core.write(kTenant, batch_of(table, std::span(rows), false).value(), Durability::kSync));
  }
  /// A database with two tables, all in segments or in the log.
  static std::unique_ptr<Core> fill(TestDisk& disk) {
    auto core = Core::open(disk.surroundings("/db"), keep_all());
    EXPECT_TRUE(core) << core.error().message;
    insert(**core, "t0", minutes("x", 0, 100));
    expect_fine((*core)->flush());
    insert(**core, "t1", minutes("y", 0, 100));
    return std::move(*core);
  }
  static std::shared_ptr<Storage> storage(TestDisk& disk, const char* path) { return disk.surroundings(path).storage; }
  /// What a database there holds; unset if there is none.
  static std::optional<Tables> contents_at(TestDisk& disk, const char* path) {
    DatabaseOptions options = keep_all();
    options.create = false;
    const auto opened = open_database(disk.surroundings(path), options);
    if (!opened) {
      EXPECT_EQ(opened.error().code, ErrorCode::kNotFound) << opened.error().message;
      return std::nullopt;
    }
    auto contents = contents_of(*opened);
    EXPECT_TRUE(contents) << contents.error().message;
    return std::move(*contents);
  }
  static void expect_equal(const Tables& want, const Tables& got, const std::string& what) {
    for (const auto& [table, rows] : want) EXPECT_EQ(difference(rows, got.at(table)), "") << what << " " << table;
  }
  static bool is_sound(TestDisk& disk, const char* path) {
    const auto report = verify_snapshot(*storage(disk, path));
    EXPECT_TRUE(report || report.error().code == ErrorCode::kNotFound) << report.error().message;
    return report && report->problems.empty();
  }
  static void arm(TestDisk& disk, std::uint64_t point, std::uint64_t seed) { disk.disk().arm(GetParam(), point, seed); }
  /// An error is the fault's.
  template <typename T>
  static bool note(TestDisk& disk, const Result<T>& done) {
    EXPECT_TRUE(done || disk.disk().fired()) << done.error().message;
    return done.has_value();
  }
  /// Returns whether the fault has struck.
  static bool heal(TestDisk& disk) {
    const bool struck = disk.disk().fired();
    if (GetParam() == Mode::kPowerCut) disk.restart();
    disk.disk().disarm();
    return struck;
  }
};

TEST_P(BackupFaultTest, ASnapshotIsThereAsAWholeOrNotAtAll) {
  std::uint64_t whole = 0;
  const std::uint64_t points = strike_everywhere(GetParam(), [&](std::uint64_t point, std::uint64_t seed) {
    TestDisk disk;
    bool done = false;
    {
      const auto core = fill(disk);
      arm(disk, point, seed);
      done = note(disk, make_snapshot(*core, *storage(disk, "/copy")));
    }
    const bool struck = heal(disk);
    const auto original = contents_at(disk, "/db");
    if (!original) return ADD_FAILURE() << "the original is gone", false;
    EXPECT_EQ(original->at("t0").size() + original->at("t1").size(), 200U);
    const bool sound = is_sound(disk, "/copy");
    const auto copy = contents_at(disk, "/copy");
    EXPECT_EQ(copy.has_value(), sound);
    EXPECT_TRUE(copy || !done) << "it was said to be there";
    if (copy) expect_equal(*original, *copy, "the copy");
    whole += copy ? 1 : 0;
    return struck;
  });
  EXPECT_GT(points, 50U);
  EXPECT_GT(whole, 0U);
}

TEST_P(BackupFaultTest, ASnapshotOnABaseLikewiseAndTheBaseIsSound) {
  std::uint64_t whole = 0;
  const std::uint64_t points = strike_everywhere(GetParam(), [&](std::uint64_t point, std::uint64_t seed) {
    TestDisk disk;
    bool done = false;
    {
      const auto core = fill(disk);
      expect_fine(make_snapshot(*core, *storage(disk, "/base")));
      insert(*core, "t0", minutes("z", 50, 10));
      expect_fine(core->flush());
      arm(disk, point, seed);
      const auto report = make_snapshot(*core, *storage(disk, "/copy"), storage(disk, "/base").get());
      EXPECT_TRUE(!report || report->shared_files > report->files / 2);
      done = note(disk, report);
    }
    const bool struck = heal(disk);
    EXPECT_TRUE(is_sound(disk, "/base"));
    const auto base = contents_at(disk, "/base");
    if (!base) return ADD_FAILURE() << "the base is gone", false;
    EXPECT_EQ(base->at("t0").size(), 100U);
    const bool sound = is_sound(disk, "/copy");
    EXPECT_TRUE(sound || !done) << "it was said to be there";
    if (const auto copy = contents_at(disk, "/copy")) {
      ++whole;
      EXPECT_TRUE(sound);
      const auto original = contents_at(disk, "/db");
      if (!original) return ADD_FAILURE() << "the original is gone", false;
      expect_equal(*original, *copy, "the copy");
    }
    return struck;
  });
  EXPECT_GT(points, 50U);
  EXPECT_GT(whole, 0U);
}

TEST_P(BackupFaultTest, ARestoreIsThereAsAWholeOrNotAtAll) {
  for (const bool cut : {false, true}) {
    std::uint64_t whole = 0;
    const RestoreOptions options =
        cut ? RestoreOptions{.name_space = kTenant, .table = "t0", .from_ns = 30 * kMinuteNs, .to_ns = 60 * kMinuteNs}
            : RestoreOptions{};
    const std::uint64_t points = strike_everywhere(GetParam(), [&](std::uint64_t point, std::uint64_t seed) {
      TestDisk disk;
      bool done = false;
      expect_fine(make_snapshot(*fill(disk), *storage(disk, "/copy")));
      arm(disk, point, seed);
      done = note(disk, restore_snapshot(*storage(disk, "/copy"), disk.surroundings("/restored"), options));
      const bool struck = heal(disk);
      EXPECT_TRUE(is_sound(disk, "/copy"));
      const auto restored = contents_at(disk, "/restored");
      EXPECT_TRUE(restored || !done) << "it was said to be there";
      if (!restored) return struck;
      ++whole;
      EXPECT_EQ(restored->at("t0").size(), cut ? 31U : 100U);
      EXPECT_EQ(restored->at("t1").size(), cut ? 0U : 100U);
      return struck;
    });
    EXPECT_GT(points, 50U);
    EXPECT_GT(whole, 0U);
  }
}

TEST_P(BackupFaultTest, ACloneIsThereAsAWholeOrNotAtAll) {
  std::uint64_t whole = 0;
  const std::uint64_t points = strike_everywhere(GetParam(), [&](std::uint64_t point, std::uint64_t seed) {
    TestDisk disk;
    bool done = false;
    {
      const auto core = fill(disk);
      insert(*core, "t0", minutes("z", 50, 10));
      arm(disk, point, seed);
      done = note(disk, [&]() -> Result<int> {
        const Status cloned = clone_table(*core, kTenant, "t0", "t2", {});
        return cloned ? Result<int>(0) : std::unexpected(cloned.error());
      }());
    }
    const bool struck = heal(disk);
    const auto contents = contents_at(disk, "/db");
    if (!contents) return ADD_FAILURE() << "the database is gone", false;
    EXPECT_EQ(contents->at("t0").size(), 110U);
    EXPECT_EQ(contents->at("t1").size(), 100U);
    Database db = disk.open(keep_all()).value();
    const bool there = std::ranges::count(db.list_series(kTenant).value(), "t2") == 1;
    EXPECT_TRUE(there || !done) << "it was said to be there";
    if (there) {
      ++whole;
      EXPECT_EQ(difference(contents->at("t0"), contents->at("t2")), "");
    } else {
      expect_fine(db.clone_table(kTenant, "t0", "t2"));
    }
    expect_fine(db.vacuum(0));
    EXPECT_EQ(storage(disk, "/db")->folders("tables/acme").value(), (std::vector<std::string>{"t0", "t1", "t2"}));
    EXPECT_EQ(difference(contents->at("t0"), contents_of(db)->at("t2")), "");
    return struck;
  });
  EXPECT_GT(points, 50U);
  EXPECT_GT(whole, 0U);
}

INSTANTIATE_TEST_SUITE_P(Modes, BackupFaultTest, io::all_fault_modes(), io::fault_mode_name);

/// Where files cannot be shared they are copied, and nobody can tell.
TEST(BackupWithoutLinks, IsTheSame) {
  TestDisk disk;
  disk.disk().support_link_file(false);
  auto opened = Core::open(disk.surroundings("/db"), keep_all());
  ASSERT_TRUE(opened) << opened.error().message;
  const std::vector<Row> rows = minutes("x", 0, 100);
  expect_fine((*opened)->write(kTenant, batch_of("t0", std::span(rows), false).value(), Durability::kSync));
  expect_fine(make_snapshot(**opened, *disk.surroundings("/base").storage));
  const auto report =
      make_snapshot(**opened, *disk.surroundings("/copy").storage, disk.surroundings("/base").storage.get());
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->shared_files, 0U);
  EXPECT_TRUE(verify_snapshot(*disk.surroundings("/copy").storage)->problems.empty());
  expect_fine(clone_table(**opened, kTenant, "t0", "t1", {}));
  opened->reset();
  const auto contents = contents_of(disk.open(keep_all()).value());
  ASSERT_TRUE(contents);
  EXPECT_EQ(contents->at("t0").size(), 100U);
  EXPECT_EQ(difference(contents->at("t0"), contents->at("t1")), "");
}

}  // namespace
}  // namespace marigram::db::testing
