// For tests of copies: rows of a minute each, and databases in folders of their own.
#pragma once

#include "db/test_naive_database.h"
#include "db/test_watched_database.h"
#include "io/temporary_folder.h"

#include <marigram/database.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace marigram::db::testing {

inline constexpr std::int64_t kMinuteNs = 60'000'000'000;

/// `count` rows of one series, one a minute; no two of them have the same values.
inline std::vector<Row> minutes(const std::string& host, std::int64_t first, std::int64_t count, double value = 0) {
  std::vector<Row> rows;
  for (std::int64_t i = 0; i < count; ++i) {
    rows.push_back({.time_ns = (first + i) * kMinuteNs,
                    .tags = {{.name = "a", .value = host}},
                    .fields = {{"f0", value + static_cast<double>(first + i)}}});
  }
  return rows;
}

template <typename Outcome>
void expect_fine(const Outcome& outcome) {
  EXPECT_TRUE(outcome) << outcome.error().message;
}

template <typename T>
void expect_error(const Result<T>& result, ErrorCode code, const std::string& text) {
  ASSERT_FALSE(result) << "want: " << text;
  EXPECT_STREQ(error_code_name(result.error().code), error_code_name(code)) << result.error().message;
  EXPECT_NE(result.error().message.find(text), std::string::npos) << result.error().message;
}

/// Folders on the machine's disk, and what a database in one of them should hold.
struct BackupTest : ::testing::Test {
  io::TemporaryFolder folder;
  NaiveDatabase model{Duplicates::kAll};

  std::string at(const std::string& name) const { return (folder.path() / name).string(); }
  Database open(const std::string& name, bool create = false) const {
    DatabaseOptions options{.create = create, .log_file_bytes = std::uint64_t{1} << 20};
    options.duplicates = Duplicates::kAll;
    auto opened = Database::open(at(name), options);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  void insert(Database& db, const std::string& table, const std::vector<Row>& rows) {
    expect_fine(db.insert_rows(kTenant, table, rows, Durability::kNone));
    model.inserted(table, naive_rows(rows), Durability::kNone);
  }
  void remove(Database& db, const std::string& table, const Selection& selection) {
    expect_fine(db.remove(kTenant, table, selection));
    model.removed(table, selection);
  }
  Tables now() {
    Tables tables;
    for (const std::string& name : kTables) tables.emplace(name, model.table(name));
    return tables;
  }
  static void expect_holds(const Database& db, const Tables& want) {
    const auto got = contents_of(db);
    ASSERT_TRUE(got) << got.error().message;
    for (const auto& [name, rows] : want) EXPECT_EQ(difference(rows, got->at(name)), "") << name;
  }
  void expect_holds(const std::string& name, const Tables& want) const {
    SCOPED_TRACE(name);
    const auto db = Database::open(at(name), {.create = false, .read_only = true});
    ASSERT_TRUE(db) << db.error().message;
    expect_holds(*db, want);
  }
  void expect_sound(const std::string& name) const {
    const auto found = Database::verify_snapshot(at(name));
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(::testing::PrintToString(found->problems), "{}") << name;
    EXPECT_GT(found->files, 0U);
  }
  /// Relative paths of all files below a folder.
  std::vector<std::string> files(const std::string& name) const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(at(name))) {
      if (entry.is_regular_file()) files.push_back(std::filesystem::relative(entry.path(), at(name)).string());
    }
    std::ranges::sort(files);
    return files;
  }
};

inline std::string bytes_at(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Under a new inode, so that what shares the file keeps it.
inline void replace_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace marigram::db::testing
