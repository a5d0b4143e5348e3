// Restoring parts of backups. Without this test one table of a tenant could not be had back without all of the others,
// or would come with rows that were not asked for, or without some that were.
#include "db/restore.h"

#include "db/backup_manifest.h"
#include "db/copy.h"
#include "db/copy_files.h"
#include "db/core.h"
#include "db/test_backup.h"
#include "db/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace marigram::db::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

constexpr const char* kOther = "other tenant";

struct RestoreTest : BackupTest {
  void SetUp() override {
    Database db = open("db", true);
    insert(db, "t0", minutes("x", 0, 1'000));
    expect_fine(db.flush());
    insert(db, "t0", minutes("y", 500, 1'000, 0.5));
    insert(db, "t1", minutes("x", 0, 50));
    remove(db, "t0", {.from_ns = 600 * kMinuteNs, .to_ns = 610 * kMinuteNs});
    expect_fine(db.insert_rows(kOther, "t0", minutes("z", 0, 5)));
    expect_fine(db.snapshot(at("s")));
  }
  /// The database at "r", and what it should hold.
  void expect_restored(const Tables& want) const {
    expect_holds("r", want);
    const auto found = verify(surroundings_of(at("r")).value(), false);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_TRUE(found->is_sound());
  }
  RestoreReport restore(const RestoreOptions& options) const {
    const auto report = Database::restore(at("s"), at("r"), options);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(RestoreReport{});
  }
};

TEST_F(RestoreTest, AllOfIt) {
  const RestoreReport report = restore({});
  expect_restored(now());
  EXPECT_EQ(report.tables, 3U);
  EXPECT_EQ(report.files, Database::verify_snapshot(at("s"))->files);
  EXPECT_THAT(Database::open(at("r"))->list_namespaces().value(), ElementsAre(kTenant, kOther));
}

TEST_F(RestoreTest, ANamespace) {
  EXPECT_EQ(restore({.name_space = kOther}).tables, 1U);
  const Database db = Database::open(at("r"), {.create = false}).value();
  EXPECT_THAT(db.list_namespaces().value(), ElementsAre(kOther));
  EXPECT_THAT(db.list_series(kOther).value(), ElementsAre("t0"));
}

TEST_F(RestoreTest, ATable) {
  const RestoreReport report = restore({.name_space = kTenant, .table = "t1"});
  EXPECT_EQ(report.tables, 1U);
  EXPECT_EQ(report.rows, 50U);
  Tables want = now();
  want.erase("t0");
  expect_restored(want);
  EXPECT_THAT(Database::open(at("r"))->list_series(kTenant).value(), ElementsAre("t1"));
}

TEST_F(RestoreTest, ARangeOfTime) {
  constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  struct Range {
    std::int64_t from;
    std::int64_t to;
  };
  for (const Range& range : std::vector<Range>{{605 * kMinuteNs, 700 * kMinuteNs},
                                               {kMin, 10 * kMinuteNs},
                                               {10 * kMinuteNs + 1, 20 * kMinuteNs - 1},
                                               {1'400 * kMinuteNs, kMax},
                                               {0, 0},
                                               {-100, -1}}) {
    SCOPED_TRACE(range.from);
    const RestoreReport report = restore({.name_space = kTenant, .from_ns = range.from, .to_ns = range.to});
    Tables want = now();
    std::size_t rows = 0;
    for (auto& [name, table] : want) {
      if (range.from != kMin) table.remove({.to_ns = range.from - 1});
      if (range.to != kMax) table.remove({.from_ns = range.to + 1});
      rows += table.size();
    }
    expect_restored(want);
    EXPECT_EQ(report.rows, rows);
    fs::remove_all(at("r"));
  }
}

TEST_F(RestoreTest, WhatLiesOutsideOfTheRangeTakesNoSpace) {
  {
    Database db = open("db");
    std::vector<Row> rows = minutes("x", 300, 40'000);
    std::mt19937_64 random(1);  // so that they take some
    for (Row& row : rows) row.fields.front().second = static_cast<double>(random());
    insert(db, "t0", rows);
    expect_fine(db.snapshot(at("large")));
  }
  expect_fine(Database::restore(at("large"), at("r"), {.from_ns = 0, .to_ns = 400 * kMinuteNs}));
  const auto bytes = [&](const std::string& name) {
    std::uint64_t sum = 0;
    for (const std::string& file : files(name)) sum += fs::file_size(at(name) + "/" + file);
    return sum;
  };
  EXPECT_LT(bytes("r"), bytes("large") / 4);
}

TEST_F(RestoreTest, WhatIsNotThereIsSaid) {
  const auto refused = [&](const RestoreOptions& options) { return Database::restore(at("s"), at("r"), options); };
  expect_error(refused({.name_space = "nobody"}), ErrorCode::kNotFound, "namespace nobody");
  expect_error(refused({.name_space = kTenant, .table = "t7"}), ErrorCode::kNotFound, "table acme.t7");
  expect_error(refused({.table = "t0"}), ErrorCode::kInvalidInput, "namespace");
  expect_error(refused({.from_ns = 2, .to_ns = 1}), ErrorCode::kInvalidInput, "empty");
  expect_error(Database::restore(at("nowhere"), at("r")), ErrorCode::kNotFound, "nowhere");
  expect_error(Database::restore(at("db"), at("r"), {.name_space = kTenant}), ErrorCode::kInvalidInput, "backup.json");
  EXPECT_FALSE(fs::exists(at("r"))) << "what is refused makes nothing";
  expect_error(Database::restore(at("s"), at("db")), ErrorCode::kAlreadyExists, "db");
}

/// Databases have none, but a snapshot may be made by other means.
TEST_F(RestoreTest, TablesWithoutTimesAreNotCut) {
  TableOptions options{.time_column = "n"};
  options.index_type = "int64";
  options.index_step = 10;
  options.fields = {{.name = "v", .type = "float64"}};
  expect_fine(Table::create(at("made/tables/acme/t0"), options));
  const auto storage = surroundings_of(at("made")).value().storage;
  const auto store = storage->store("tables/acme/t0");
  BackupTable table{.name_space = kTenant, .name = "t0", .version = 1};
  for (const std::string path : {"_timeseries_log/0000000001.json", "_timeseries_log/CURRENT"}) {
    table.files.push_back(read_file(*store, path).value());
  }
  const std::string manifest = encode_manifest({.id = "made", .tables = {table}}).value();
  expect_fine(storage->store("")->put(kManifest, manifest));
  expect_fine(describe_snapshot(*storage, "made"));
  expect_error(Database::restore(at("made"), at("r"), {.from_ns = 0}), ErrorCode::kInvalidInput,
               "acme.t0: its index is of integers");
  EXPECT_FALSE(fs::exists(at("r")));
  expect_fine(Database::restore(at("made"), at("r")));
}

/// What versions before this one made: tables and a description.
TEST_F(RestoreTest, SnapshotsWithoutAManifestAreRestoredWhole) {
  {
    Database db = open("db");
    expect_fine(db.close());
  }
  fs::create_directory(at("old"));
  fs::copy(at("db/tables"), at("old/tables"), fs::copy_options::recursive);
  fs::copy(at("db/marigram.json"), at("old/marigram.json"));
  expect_error(Database::restore(at("old"), at("r"), {.name_space = kTenant}), ErrorCode::kInvalidInput,
               "older version");
  expect_error(Database::restore(at("old"), at("r"), {.to_ns = 5}), ErrorCode::kInvalidInput, "older version");
  const auto report = Database::restore(at("old"), at("r"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->tables, 3U);
  EXPECT_GT(report->rows, 0U);
  expect_restored(now());
}

TEST_F(RestoreTest, APreviewCountsAndMakesNothing) {
  const auto source = surroundings_of(at("s")).value();
  for (const RestoreOptions& options : {RestoreOptions{}, RestoreOptions{.name_space = kTenant, .table = "t1"}}) {
    const auto preview = preview_restore(*source.storage, options);
    ASSERT_TRUE(preview) << preview.error().message;
    const RestoreReport report = restore(options);
    EXPECT_EQ(preview->tables, report.tables);
    EXPECT_EQ(preview->rows, report.rows);
    EXPECT_EQ(preview->files, report.files);
    EXPECT_EQ(preview->bytes, report.bytes);
    fs::remove_all(at("r"));
  }
  expect_error(preview_restore(*source.storage, {.name_space = "nobody"}), ErrorCode::kNotFound, "nobody");
}

}  // namespace
}  // namespace marigram::db::testing
