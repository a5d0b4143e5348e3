// A database on a disk that may fail, and beside it what it should hold.
#pragma once

#include "db/test_disk.h"
#include "db/test_naive_database.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace marigram::db::testing {

inline constexpr const char* kTenant = "acme";
inline const std::vector<std::string> kTables = {"t0", "t1", "t2"};

Result<NaiveRows> ask_for_rows(const Database& database, const std::string& table, const QueryRequest& request);
Result<std::vector<Cells>> ask_for_cells(const Database& database, const std::string& table,
                                         const QueryRequest& request);
/// All rows of a database, under Duplicates::kAll; tables that are not there are empty.
Result<Tables> contents_of(const Database& database);

/// What is asked of it must go well unless the fault on the disk strikes: then it may have happened or not, and
/// recover() is to be called. Failures are the test's.
class WatchedDatabase {
 public:
  /// open() comes first.
  explicit WatchedDatabase(const DatabaseOptions& options) : options_(options), model_(options.duplicates) {}

  TestDisk& disk() { return disk_; }
  Database& database() { return *database_; }
  const Database& database() const { return *database_; }
  NaiveTable& model(const std::string& table) { return model_.table(table); }
  /// Inserts are refused until rows are flushed.
  bool is_full() const { return database_->metrics().memory_bytes >= options_.memory_bytes; }
  /// The fault has struck, and recover() was not called.
  bool is_struck() { return armed_ && disk_.disk().fired(); }

  /// The caller looks whether that went well.
  Status open();
  Status create(const std::string& table);
  Status insert(const std::string& table, std::span<const Row> rows, Durability durability);
  Status remove(const std::string& table, const Selection& selection);
  Status flush();
  Status compact();
  Status reopen();
  /// Goes on with a snapshot on another disk, which has nothing of what was replaced, and no fault.
  Status move();

  /// Lets go of a database that the disk has failed, and heals the disk.
  void put_down();
  /// What it holds when it is open again is to be what a crash may leave of it; says what is wrong with that, empty:
  /// nothing.
  std::string settle();
  /// Both, with open() between. `shaken`: more power cuts come while it is opened; drawn by the seed.
  void recover(std::uint64_t shaken = 0, std::uint64_t seed = 0);
  /// What has failed last changed nothing.
  void forget() { under_way_ = {}; }
  /// Compares all rows.
  void expect_equal();

  /// See io::FaultStore.
  void arm(TestDisk::Mode mode, std::uint64_t point, std::uint64_t seed);

 private:
  /// `done` is called if it went well.
  Status note(const Status& status, UnderWay under_way, const std::function<void()>& done);

  const DatabaseOptions options_;
  TestDisk disk_;
  NaiveDatabase model_;
  std::optional<Database> database_;
  bool armed_ = false;
  TestDisk::Mode mode_ = TestDisk::Mode::kPowerCut;
  UnderWay under_way_;
};

}  // namespace marigram::db::testing
