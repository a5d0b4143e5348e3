// Every step that the disk takes for dropping tables, having them back, renaming and sweeping them fails once, fails
// for good, finds no space, loses power, or comes after the death of the process. Without this test a table could be
// there under two names or under none, or a name be taken by what is no table.
#include "db/test_backup.h"
#include "db/test_strike.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db::testing {
namespace {

using Mode = TestDisk::Mode;
/// Rows of each table by its name; one that is not there has none.
using Counts = std::map<std::string, std::size_t>;

/// One move, and what there is once it is done.
struct Move {
  std::function<Status(Database&)> act;
  Counts after;
};

DatabaseOptions keep_all() {
  DatabaseOptions options;
  options.log_file_bytes = TestDisk::kLogFileBytes;
  options.duplicates = Duplicates::kAll;
  return options;
}

Status insert(Database& db, const std::string& table, const std::vector<Row>& rows) {
  return db.insert_rows(kTenant, table, rows, Durability::kSync);
}

const std::vector<Move>& moves() {
  static const std::vector<Move> kMoves = {
      {[](Database& db) { return insert(db, "t0", minutes("x", 0, 100)); }, {{"t0", 100}, {"t1", 0}, {"t2", 0}}},
      {[](Database& db) { return db.flush(); }, {{"t0", 100}, {"t1", 0}, {"t2", 0}}},
      {[](Database& db) { return insert(db, "t1", minutes("y", 0, 60)); }, {{"t0", 100}, {"t1", 60}, {"t2", 0}}},
      {[](Database& db) { return db.drop_table(kTenant, "t0"); }, {{"t0", 0}, {"t1", 60}, {"t2", 0}}},
      {[](Database& db) { return insert(db, "t0", minutes("z", 0, 7)); }, {{"t0", 7}, {"t1", 60}, {"t2", 0}}},
      {[](Database& db) { return db.rename_table(kTenant, "t0", "t2"); }, {{"t0", 0}, {"t1", 60}, {"t2", 7}}},
      {[](Database& db) { return db.undrop_table(kTenant, "t0"); }, {{"t0", 100}, {"t1", 60}, {"t2", 7}}},
      {[](Database& db) { return db.drop_table(kTenant, "t1"); }, {{"t0", 100}, {"t1", 0}, {"t2", 7}}},
      {[](Database& db) -> Status {
         const auto swept = db.vacuum(0);
         return swept ? Status() : std::unexpected(swept.error());
       },
       {{"t0", 100}, {"t1", 0}, {"t2", 7}}},
      {[](Database& db) { return db.rename_table(kTenant, "t2", "t1"); }, {{"t0", 100}, {"t1", 7}, {"t2", 0}}},
  };
  return kMoves;
}

Counts count(const Database& db) {
  const auto contents = contents_of(db);
  EXPECT_TRUE(contents) << contents.error().message;
  Counts counts;
  for (const auto& name : {"t0", "t1", "t2"}) counts[name] = contents ? contents->at(name).size() : 0;
  return counts;
}

/// Each name can be written to, and the rows are there when it is opened again.
void expect_goes_on(TestDisk& disk, Counts counts) {
  {
    Database db = disk.open(keep_all()).value();
    for (auto& [table, rows] : counts) {
      expect_fine(insert(db, table, minutes("w", 0, 1)));
      ++rows;
    }
    expect_fine(db.vacuum(0));
  }
  EXPECT_EQ(count(disk.open(keep_all()).value()), counts);
}

class TableMovesFaultTest : public ::testing::TestWithParam<Mode> {};

TEST_P(TableMovesFaultTest, EachMoveIsMadeAsAWholeOrNotAtAll) {
  const std::uint64_t points = strike_everywhere(GetParam(), [](std::uint64_t point, std::uint64_t seed) {
    TestDisk disk;
    Counts before = {{"t0", 0}, {"t1", 0}, {"t2", 0}};
    Counts after = before;
    expect_fine(disk.open(keep_all())->close());
    disk.disk().arm(GetParam(), point, seed);
    if (auto db = disk.open(keep_all())) {
      for (const Move& move : moves()) {
        after = move.after;
        disk.clock().advance(std::chrono::milliseconds(1));  // a table of the same name is another by when it was made
        const Status moved = move.act(*db);
        EXPECT_TRUE(moved || disk.disk().fired()) << moved.error().message;
        if (!moved) break;
        before = after;
      }
    }
    const bool struck = disk.disk().fired();
    if (GetParam() == Mode::kPowerCut) disk.restart();
    disk.disk().disarm();
    Counts found;
    {
      const auto opened = disk.open(keep_all());
      EXPECT_TRUE(opened) << opened.error().message;
      if (!opened) return struck;
      found = count(*opened);
    }
    EXPECT_TRUE(found == before || found == after) << ::testing::PrintToString(found);
    expect_goes_on(disk, std::move(found));
    return struck;
  });
  EXPECT_GT(points, 100U) << "so few faults prove nothing";
}

INSTANTIATE_TEST_SUITE_P(Modes, TableMovesFaultTest, io::all_fault_modes(), io::fault_mode_name);

}  // namespace
}  // namespace marigram::db::testing
