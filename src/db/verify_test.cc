// Logs of a crashed database are damaged, verified and repaired. Without this test a repair could lose whole batches,
// double them, accept wrong ones, or destroy what it could not read.
#include "db/verify.h"

#include "io/temporary_folder.h"

#include <marigram/database.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace marigram::db {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Rows = std::map<std::int64_t, double>;

class VerifyDatabase : public ::testing::Test {
 protected:
  /// Batches of three rows each, synced; the folder is left as a crash would.
  void crash_after(int batches) {
    auto db = Database::open(lived_, {.create = true, .duplicates = Duplicates::kAll});
    ASSERT_TRUE(db) << db.error().message;
    for (int i = 0; i < batches; ++i) {
      std::vector<Point> points;
      for (int k = 0; k < 3; ++k) {
        points.push_back({.time_ns = i * 10 + k, .value = i + k / 10.0, .tags = {{"host", "a"}}});
        inserted_[i * 10 + k] = i + k / 10.0;
      }
      ASSERT_TRUE(db->insert_batch("t", "cpu", points, Durability::kSync));
    }
    std::filesystem::copy(lived_, path_, std::filesystem::copy_options::recursive);
    ASSERT_TRUE(db->close());
  }

  std::filesystem::path log_file() const {
    for (const auto& entry : std::filesystem::directory_iterator(path_ + "/wal")) {
      if (entry.path().extension() == ".wal") return entry.path();
    }
    return {};
  }

  /// Bytes of the log's file up to the last that is not zero.
  std::uint64_t log_bytes() const {
    std::ifstream in(log_file(), std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    return text.find_last_not_of('\0') + 1;
  }

  void flip(std::uint64_t offset, int mask) const {
    std::fstream file(log_file(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(offset));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ mask));
  }

  Result<DatabaseFindings> verify(bool repair) const { return db::verify(surroundings_of(path_).value(), repair); }

  Rows rows() const {
    auto db = Database::open(path_, {.create = false});
    EXPECT_TRUE(db) << db.error().message;
    Rows found;
    auto stream = db->query("t", "cpu");
    if (!stream && stream.error().code == ErrorCode::kNotFound) return found;
    EXPECT_TRUE(stream) << stream.error().message;
    for (auto batch = stream->next().value(); batch; batch = stream->next().value()) {
      for (std::size_t row = 0; row < batch->rows(); ++row) {
        const auto time = std::get<Instant>(batch->at(row, 0));
        const std::int64_t nanos = to_units_exact(time, TimeUnit::kNano).value();
        EXPECT_TRUE(found.emplace(nanos, std::get<double>(batch->at(row, 2))).second) << "doubled: " << nanos;
      }
    }
    return found;
  }

  io::TemporaryFolder folder_;
  std::string lived_ = (folder_.path() / "lived").string();
  std::string path_ = (folder_.path() / "db").string();
  Rows inserted_;
};

TEST_F(VerifyDatabase, ASoundDatabaseHasNoProblems) {
  crash_after(5);
  const auto found = verify(false);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->is_sound());
  EXPECT_THAT(found->tables, SizeIs(1));
  ASSERT_TRUE(found->log);
  EXPECT_EQ(found->log->batches, 5U);
  EXPECT_FALSE(found->log->torn_end);
  EXPECT_EQ(rows(), inserted_);
  EXPECT_EQ(verify(true)->log->saved_rows, 0U);
}

TEST_F(VerifyDatabase, WhatOthersOwnIsLookedAtButForTheLog) {
  crash_after(1);
  const auto owner = Database::open(path_, {.create = false});
  ASSERT_TRUE(owner);
  const auto found = verify(false);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(found->log);
  EXPECT_THAT(found->owner, HasSubstr("owned by process"));
  EXPECT_THAT(found->tables, SizeIs(1));
  EXPECT_EQ(verify(true).error().code, ErrorCode::kConflict);
}

TEST_F(VerifyDatabase, ARepairSavesEveryBatchButTheDamagedOne) {
  crash_after(20);
  flip(log_bytes() / 2, 0x10);
  ASSERT_EQ(Database::open(path_, {.create = false}).error().code, ErrorCode::kCorruption);
  const auto damaged = verify(false);
  ASSERT_TRUE(damaged) << damaged.error().message;
  EXPECT_FALSE(damaged->is_sound());
  ASSERT_THAT(damaged->log->problems, SizeIs(1));
  EXPECT_THAT(damaged->log->problems.front(), HasSubstr(log_file().filename().string()));
  ASSERT_EQ(Database::open(path_, {.create = false}).error().code, ErrorCode::kCorruption) << "verify changed it";

  const auto repaired = verify(true);
  ASSERT_TRUE(repaired) << repaired.error().message;
  EXPECT_TRUE(repaired->is_sound());
  EXPECT_EQ(repaired->log->lost, damaged->log->problems);
  EXPECT_EQ(repaired->log->saved_rows, inserted_.size() - 3);
  EXPECT_TRUE(log_file().empty());

  const Rows kept = rows();
  EXPECT_EQ(kept.size(), inserted_.size() - 3);
  for (const auto& [time, value] : kept) EXPECT_EQ(inserted_.at(time), value);
  EXPECT_TRUE(verify(false)->is_sound());
  {
    auto db = Database::open(path_, {.create = false});
    ASSERT_TRUE(db->insert("t", "cpu", 1'000, 5, {{"host", "a"}}));
  }
  EXPECT_EQ(rows().size(), kept.size() + 1);
}

TEST_F(VerifyDatabase, ATornEndIsNoProblem) {
  crash_after(4);
  flip(log_bytes() - 1, 0xFF);
  const auto found = verify(false);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->is_sound());
  ASSERT_TRUE(found->log->torn_end);
  EXPECT_EQ(rows().size(), inserted_.size() - 3);
}

TEST_F(VerifyDatabase, NoDatabaseIsNotFound) {
  EXPECT_EQ(verify(false).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace marigram::db
