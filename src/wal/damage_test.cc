// Every byte of a small log is damaged in turn. Without this test damage could crash the reader, pass for data, or make
// batches that were on stable storage vanish as if they were a torn end. And the salvaging reader could miss some.
#include "base/manual_clock.h"
#include "wal/salvage.h"
#include "wal/test_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace marigram::wal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Salvaged {
  SalvageReport report;
  std::vector<Entry> entries;
};

Salvaged salvage_all(const io::FileSystem& files) {
  Salvaged found;
  auto report = salvage(files, kLogPath, collect_into(found.entries));
  EXPECT_TRUE(report) << report.error().message;
  found.report = report.value_or(SalvageReport());
  return found;
}

bool is_subsequence(const std::vector<Entry>& part, const std::vector<Entry>& whole) {
  auto next = whole.begin();
  for (const Entry& entry : part) {
    next = std::find(next, whole.end(), entry);
    if (next == whole.end()) return false;
    ++next;
  }
  return true;
}

class DamagedLog : public ::testing::Test {
 protected:
  /// Three files of batches, each synced.
  void fill(bool close) {
    const auto disk = disk_with({}, clock_);
    const OpenLog log = open_log(*disk, small_files()).value();
    for (std::size_t i = 0; log.wal->position() < 2'300; ++i) {
      const std::string payload = std::to_string(i) + std::string(i * 13 % 150, 'p');
      appended_.push_back({log.append(payload), payload});
      ends_.push_back(log.wal->position());
    }
    if (close) {
      ASSERT_TRUE(log.wal->close());
    }
    contents_ = contents_of(*disk);
    ASSERT_EQ(contents_.size(), 3u + (close ? 0 : 0));
  }

  /// Calls `check(name, offset)` with each byte of each file damaged in some ways.
  template <typename Check>
  void damage_each_byte(Check check) {
    for (auto& [name, bytes] : contents_) {
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char kept = bytes[i];
        for (const int flip : {1 << (i % 8), 0xFF}) {
          bytes[i] = static_cast<char>(kept ^ flip);
          check(name, i);
        }
        bytes[i] = kept;
      }
    }
  }

  ManualClock clock_;
  std::vector<Entry> appended_;
  std::vector<Lsn> ends_;
  Contents contents_;
};

TEST_F(DamagedLog, EveryDamagedByteBeforeTheTailIsReported) {
  fill(false);
  const Lsn tail = ends_[ends_.size() - 2];  // behind it lies the last synced batch, with nothing after it
  int reported = 0;
  damage_each_byte([&](const std::string& name, std::size_t offset) {
    const auto disk = disk_with(contents_, clock_);
    const auto log = open_log(*disk, small_files());
    const Lsn at = *parse_file_name(name) + offset;
    if (!log) {
      ++reported;
      EXPECT_EQ(log.error().code, ErrorCode::kCorruption) << log.error().message;
      EXPECT_THAT(log.error().message, HasSubstr("damage in file '" + name + "' at offset"));
      EXPECT_EQ(contents_of(*disk), contents_) << "a damaged log must stay as it is";
      return;
    }
    // Without a word of damage, at most the last batch is gone, and what is there is right.
    EXPECT_TRUE(is_subsequence(log->entries, appended_));
    if (at < tail) {
      EXPECT_EQ(log->entries, appended_) << name << " " << offset;
    }
    EXPECT_GE(log->entries.size(), appended_.size() - 1);
    if (log->entries.size() < appended_.size()) {
      EXPECT_GT(log->recovery.cut_bytes, 0u) << name << " " << offset;
    }
  });
  EXPECT_GT(reported, 3'000);
}

TEST_F(DamagedLog, AfterACleanCloseNoBatchGoesWithoutAWord) {
  fill(true);
  damage_each_byte([&](const std::string& name, std::size_t offset) {
    const auto log = open_log(*disk_with(contents_, clock_), small_files());
    if (log) {
      EXPECT_EQ(log->entries, appended_) << name << " " << offset;
    } else {
      EXPECT_EQ(log.error().code, ErrorCode::kCorruption) << log.error().message;
    }
  });
}

TEST_F(DamagedLog, SalvageLosesOneBatchAtMostAndSaysSo) {
  fill(true);
  damage_each_byte([&](const std::string& name, std::size_t offset) {
    const auto disk = disk_with(contents_, clock_);
    const Salvaged found = salvage_all(*disk);
    EXPECT_TRUE(is_subsequence(found.entries, appended_));
    EXPECT_GE(found.entries.size(), appended_.size() - 1);
    if (found.entries.size() < appended_.size()) {
      EXPECT_THAT(found.report.lost, SizeIs(1)) << name << " " << offset;
    }
    if (!open_log(*disk, small_files())) {
      EXPECT_FALSE(found.report.lost.empty()) << name << " " << offset;
    }
  });
}

TEST_F(DamagedLog, SalvageOfASoundLogLosesNothing) {
  fill(false);
  const auto disk = disk_with(contents_, clock_);
  const Salvaged found = salvage_all(*disk);
  EXPECT_EQ(found.entries, appended_);
  EXPECT_THAT(found.report.lost, IsEmpty());
  EXPECT_EQ(found.report.records, appended_.size());
  EXPECT_EQ(found.report.end, ends_.back());
  EXPECT_EQ(contents_of(*disk), contents_);
}

TEST_F(DamagedLog, SalvageReadsAroundMissingAndForeignFiles) {
  fill(false);
  const std::string second = file_name(1'024);
  Contents without = contents_;
  without.erase(second);
  const Salvaged found = salvage_all(*disk_with(without, clock_));
  EXPECT_TRUE(is_subsequence(found.entries, appended_));
  ASSERT_THAT(found.report.lost, SizeIs(1));
  EXPECT_EQ(found.report.lost[0].begin, 1'024u);
  EXPECT_EQ(found.report.lost[0].end, 2'048u + kFileHeaderBytes);

  const auto other = disk_with({}, clock_);
  {
    const OpenLog log = open_log(*other, small_files()).value();
    while (log.wal->position() < 2'000) log.append("foreign" + std::string(100, 'f'));
  }
  Contents mixed = contents_;
  mixed[second] = contents_of(*other).at(second);
  const Salvaged around = salvage_all(*disk_with(mixed, clock_));
  EXPECT_EQ(around.entries, found.entries);
  ASSERT_FALSE(around.report.lost.empty());
  EXPECT_THAT(around.report.lost[0].cause, HasSubstr("another log"));
}

TEST_F(DamagedLog, SalvageNeedsAFolder) {
  const auto disk = io::SimulatedFileSystem::make(clock_);
  const auto report = salvage(*disk, kLogPath, [](Lsn, std::span<const std::byte>) -> Status { return {}; });
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
}

TEST_F(DamagedLog, FilesCutShortAtEachByteAreReportedOrTorn) {
  fill(false);
  for (const std::string& name : {file_name(0), file_name(1'024), file_name(2'048)}) {
    const std::string whole = contents_[name];
    for (std::size_t size = 0; size < whole.size(); ++size) {
      contents_[name] = whole.substr(0, size);
      const auto disk = disk_with(contents_, clock_);
      const auto log = open_log(*disk, small_files());
      if (log) {
        EXPECT_TRUE(std::equal(log->entries.begin(), log->entries.end(), appended_.begin()));
        EXPECT_GT(log->append("on"), 0u);
      } else {
        EXPECT_EQ(log.error().code, ErrorCode::kCorruption) << log.error().message;
        EXPECT_TRUE(is_subsequence(salvage_all(*disk).entries, appended_));
      }
    }
    contents_[name] = whole;
  }
}

TEST_F(DamagedLog, RandomBytesCrashNothing) {
  fill(true);
  const Contents sound = contents_;
  std::mt19937_64 random(7);
  for (int round = 0; round < 2'000; ++round) {
    contents_ = sound;
    for (auto& [name, bytes] : contents_) {
      const std::uint64_t begin = random() % bytes.size();
      const std::uint64_t end = begin + random() % (bytes.size() - begin);
      for (std::uint64_t i = begin; i < end; ++i) bytes[i] = static_cast<char>(random());
    }
    const auto disk = disk_with(contents_, clock_);
    EXPECT_TRUE(is_subsequence(salvage_all(*disk).entries, appended_));
    const auto log = open_log(*disk, small_files());
    if (log) {
      EXPECT_TRUE(is_subsequence(log->entries, appended_));
    }
  }
}

}  // namespace
}  // namespace marigram::wal
