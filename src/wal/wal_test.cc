// Appending: limits, queueing, rolling over, recycling, lack of space, and what follows a failure. Without this test a
// full disk could wedge the log, a failed sync could be retried as if it had worked, or files could pile up.
#include "wal/wal.h"

#include "base/manual_clock.h"
#include "io/fault_store.h"
#include "io/posix_file_system.h"
#include "io/temporary_folder.h"
#include "wal/test_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace marigram::wal {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using Mode = io::FaultStore::Mode;

using WalTest = LogTest;

TEST_F(WalTest, PayloadsUpToTheSizeOfAFileFit) {
  const OpenLog log = open();
  const std::uint64_t most = log.wal->payload_bytes_max();
  EXPECT_EQ(most, 1'024 - 64 - 24);
  log.append("");
  log.append(std::string(most, 'm'));
  const auto refused = log.wal->append(bytes_of(std::string(most + 1, 'm')), Durability::kSync);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(refused.error().message, HasSubstr("got 937 bytes, want at most 936"));
  log.append("after");
  EXPECT_THAT(payloads_of(open().entries), ElementsAre("", std::string(most, 'm'), "after"));
  EXPECT_EQ(payload_bytes_max(std::uint64_t{64} << 20), kPayloadBytesMax);
}

TEST_F(WalTest, ABatchGoesIntoTheFileItWasMadeFor) {
  const OpenLog log = open();
  const auto none = log.wal->append_in_file(7, bytes_of("a"));
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->lsn);
  EXPECT_EQ(none->file, 0U);
  const auto first = log.wal->append_in_file(none->file, bytes_of("a"));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->lsn, Lsn{64});
  const std::string most(log.wal->payload_bytes_max(), 'm');
  const auto moved = log.wal->append_in_file(0, bytes_of(most));
  ASSERT_TRUE(moved);
  EXPECT_FALSE(moved->lsn);
  EXPECT_EQ(moved->file, 1'024U);
  ASSERT_TRUE(log.wal->append_in_file(1'024, bytes_of(most))->lsn);
  EXPECT_FALSE(log.wal->append_in_file(0, bytes_of(most + "m")));
  ASSERT_TRUE(log.wal->sync());
  EXPECT_THAT(payloads_of(open().entries), ElementsAre("a", most));
}

TEST_F(WalTest, BadSizesOfFilesAreRefused) {
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{512}, std::uint64_t{1'025}, kFileBytesMax + 512}) {
    const auto log = open_log(*disk_, small_files(size));
    ASSERT_FALSE(log) << size;
    EXPECT_EQ(log.error().code, ErrorCode::kInvalidInput);
  }
}

TEST_F(WalTest, SyncedMeansOnStableStorageAndBufferedMeansLater) {
  const OpenLog log = open(small_files(65'536));
  log.append("0");  // makes the file
  const Lsn durable = log.wal->durable();
  const std::uint64_t before = disk_->points();
  log.append("a", Durability::kBuffered);
  log.append("b", Durability::kBuffered);
  EXPECT_EQ(disk_->points(), before);
  EXPECT_EQ(log.wal->durable(), durable);
  ASSERT_TRUE(log.wal->write_out());
  EXPECT_EQ(disk_->points(), before + 1);  // one write for both
  EXPECT_EQ(log.wal->durable(), durable);
  ASSERT_TRUE(log.wal->sync());
  EXPECT_EQ(disk_->points(), before + 2);
  EXPECT_EQ(log.wal->durable(), log.wal->position());
  ASSERT_TRUE(log.wal->sync());
  EXPECT_EQ(disk_->points(), before + 2);  // nothing to do
  log.append("c");
  EXPECT_EQ(disk_->points(), before + 4);
  log.append("d", Durability::kBuffered);
  EXPECT_THAT(payloads_of(open_log(*disk_->restart(), small_files(65'536)).value().entries),
              ElementsAre("0", "a", "b", "c"));
}

TEST_F(WalTest, AFullQueueIsWrittenOut) {
  const OpenLog log = open(small_files(65'536));
  log.append("makes the file");
  const std::uint64_t before = disk_->points();
  for (int i = 0; i < 3; ++i) log.append(std::string(1'200, 'q'), Durability::kBuffered);
  EXPECT_EQ(disk_->points(), before);
  log.append(std::string(1'200, 'q'), Durability::kBuffered);
  EXPECT_EQ(disk_->points(), before + 1);
  log.append(std::string(10'000, 'q'), Durability::kBuffered);  // larger than the queue
  log.append("x", Durability::kBuffered);
  EXPECT_EQ(disk_->points(), before + 3);
}

TEST_F(WalTest, TheDestructorWritesOut) {
  open().append("x", Durability::kBuffered);
  EXPECT_THAT(payloads_of(open().entries), ElementsAre("x"));
}

TEST_F(WalTest, AClosedLogTakesNothing) {
  const OpenLog log = open();
  log.append("x", Durability::kBuffered);
  ASSERT_TRUE(log.wal->close());
  const auto refused = log.wal->append(bytes_of("y"), Durability::kBuffered);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("was closed"));
  EXPECT_THAT(payloads_of(open_log(*disk_->restart(), small_files()).value().entries), ElementsAre("x"));
}

TEST_F(WalTest, ClosingAnUnusedLogWritesNothing) {
  open().append("x");
  const Contents contents = contents_of(*disk_);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(open().wal->close());
  EXPECT_EQ(contents_of(*disk_), contents);
}

TEST_F(WalTest, ALogThatIsLeftBehindGoesOnWhicheverOfItsFilesAreGone) {
  WalOptions options = small_files();
  Contents left;
  {
    const OpenLog log = open();
    for (int i = 0; i < 20; ++i) log.append(std::string(300, 'o'));
    ASSERT_TRUE(log.wal->truncate(5'000));
    ASSERT_TRUE(log.wal->close());
    left = contents_of(*disk_);
    ASSERT_TRUE(log.wal->remove_files());
    EXPECT_THAT(contents_of(*disk_), ::testing::IsEmpty());
    EXPECT_THAT(contents_of(*disk_->restart()), ::testing::IsEmpty());
    options.start = log.wal->position();
    options.id = log.wal->id();
  }
  ASSERT_GE(left.size(), 4U);  // old ones, the last, and some that were made ahead
  for (std::size_t subset = 0; subset < std::size_t{1} << left.size(); ++subset) {
    SCOPED_TRACE(subset);
    Contents some;
    std::size_t i = 0;
    for (const auto& file : left) {
      if ((subset >> i++ & 1) != 0) some.insert(file);
    }
    disk_ = disk_with(some, clock_);
    std::vector<std::string> appended;
    {
      const OpenLog log = open(options);
      EXPECT_THAT(log.entries, ::testing::IsEmpty());
      EXPECT_EQ(log.recovery.cut_bytes, 0U);
      EXPECT_EQ(log.wal->id(), *options.id);
      for (int k = 0; k < 8; ++k) log.append(appended.emplace_back(std::to_string(k) + std::string(300, 'n')));
    }
    EXPECT_THAT(payloads_of(open_log(*disk_->restart(), options).value().entries), ElementsAreArray(appended));
  }
}

TEST_F(WalTest, TruncationRecyclesAndKeepsTheNumberOfFilesDown) {
  Lsn kept = 0;
  std::vector<std::string> want;
  {
    const OpenLog log = open();
    for (int i = 0; i < 200; ++i) {
      kept = log.wal->position();
      want.clear();
      for (int k = 0; k < 3; ++k) {
        want.push_back(std::to_string(i) + std::string(200, 't'));
        log.append(want.back(), Durability::kBuffered);
      }
      ASSERT_TRUE(log.wal->truncate(kept));
      EXPECT_LE(contents_of(*disk_).size(), 4u);
    }
    ASSERT_TRUE(log.wal->truncate(UINT64_MAX));
    EXPECT_GE(contents_of(*disk_).size(), 1u);
    log.append("end");
  }
  const OpenLog log = open(small_files(1'024, *parse_file_name(contents_of(*disk_).begin()->first)));
  EXPECT_EQ(log.entries.back().payload, "end");
}

TEST_F(WalTest, TruncatedFilesAreNotReplayedAndTheOthersAre) {
  std::vector<Entry> appended;
  const OpenLog log = open();
  for (int i = 0; i < 60; ++i) {
    const std::string payload = std::to_string(i) + std::string(150, 't');
    appended.push_back({log.append(payload), payload});
  }
  const Lsn from = appended[40].lsn;
  ASSERT_TRUE(log.wal->truncate(from));
  ASSERT_TRUE(log.wal->truncate(from));
  ASSERT_TRUE(log.wal->truncate(0));
  const auto found = open_log(*disk_->restart(), small_files(1'024, from)).value();
  EXPECT_EQ(found.entries, std::vector<Entry>(appended.begin() + 40, appended.end()));
}

TEST_F(WalTest, OldFilesThatAreGoneAlreadyDoNoHarm) {
  const OpenLog log = open();
  while (log.wal->position() < 8'000) log.append(std::string(300, 'g'));
  const auto folder = disk_->open_tree(kLogPath).value()->open_folder("").value();
  for (const Lsn first : {0, 2'048, 4'096}) ASSERT_TRUE(folder->unlink(file_name(first)));
  ASSERT_TRUE(log.wal->truncate(log.wal->position()));
  for (int i = 0; i < 10; ++i) log.append(std::string(300, 'h'));
  const auto found = open_log(*disk_->restart(), small_files(1'024, 9'000 / 1'024 * 1'024));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->entries.back().payload, std::string(300, 'h'));
}

TEST_F(WalTest, WithoutSpaceAppendsFailAndGoOnWhenThereIsSpace) {
  const OpenLog log = open(small_files(1'024));
  std::vector<std::string> accepted;
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string payload = std::to_string(i) + std::string(300, 's');
    disk_->arm(Mode::kNoSpaceOnce, static_cast<std::uint64_t>(i % 6), 1);
    const Lsn before = log.wal->position();
    const auto lsn = log.wal->append(bytes_of(payload), Durability::kBuffered);
    disk_->disarm();
    if (lsn) {
      accepted.push_back(payload);
      continue;
    }
    ++refused;
    ASSERT_EQ(lsn.error().code, ErrorCode::kResourceExhausted) << lsn.error().message;
    EXPECT_EQ(log.wal->position(), before);
    ASSERT_TRUE(log.wal->sync());  // what was queued has its room
    log.append(payload);
    accepted.push_back(payload);
  }
  EXPECT_GT(refused, 5);
  ASSERT_TRUE(log.wal->sync());
  EXPECT_EQ(payloads_of(open_log(*disk_->restart(), small_files()).value().entries), accepted);
}

TEST_F(WalTest, AfterAFailedWriteOrSyncTheLogTakesNothing) {
  for (const std::uint64_t step : {0, 1}) {
    for (const Mode mode : {Mode::kFailOnce, Mode::kNoSpaceOnce}) {
      disk_ = disk_with({}, clock_);
      const OpenLog log = open();
      log.append("before");
      disk_->arm(mode, step, 1);
      const auto first = log.wal->append(bytes_of("lost?"), Durability::kSync);
      ASSERT_FALSE(first);
      EXPECT_EQ(first.error().code, ErrorCode::kIo);
      EXPECT_THAT(first.error().message, HasSubstr("open it anew"));
      for (const Durability durability : {Durability::kSync, Durability::kBuffered}) {
        EXPECT_EQ(log.wal->append(bytes_of("y"), durability).error().code, ErrorCode::kIo);
      }
      EXPECT_EQ(log.wal->sync().error().code, ErrorCode::kIo);
      EXPECT_EQ(log.wal->truncate(0).error().code, ErrorCode::kIo);
      EXPECT_EQ(log.wal->close().error().code, ErrorCode::kIo);
      const OpenLog again = open();
      ASSERT_FALSE(again.entries.empty());
      EXPECT_EQ(again.entries[0].payload, "before");
      again.append("after");
    }
  }
}

TEST_F(WalTest, ALogThatIsNeverSyncedRollsOnOverManyFiles) {
  const OpenLog log = open();
  for (int i = 0; i < 100; ++i) log.append(std::string(500, 'n'), Durability::kBuffered);
  EXPECT_EQ(log.wal->durable(), 0u);
  ASSERT_TRUE(log.wal->sync());
  EXPECT_EQ(open_log(*disk_->restart(), small_files()).value().entries.size(), 100u);
}

TEST(WalOnDisk, WorksOnTheMachinesFiles) {
  const io::TemporaryFolder folder;
  const auto files = io::make_posix_file_system();
  const std::filesystem::path& path = folder.path();
  std::vector<Entry> appended;
  for (int round = 0; round < 3; ++round) {
    const OpenLog log = open_log(*files, small_files(4'096), path).value();
    EXPECT_EQ(log.entries, appended);
    for (int i = 0; i < 50; ++i) {
      const std::string payload = std::to_string(i) + std::string(333, 'd');
      appended.push_back({log.append(payload, i % 10 == 0 ? Durability::kSync : Durability::kBuffered), payload});
    }
    if (round == 1) {
      ASSERT_TRUE(log.wal->close());
    }
  }
  const Lsn from = appended[120].lsn;
  {
    const OpenLog log = open_log(*files, small_files(4'096), path).value();
    ASSERT_TRUE(log.wal->truncate(from));
    for (int i = 0; i < 50; ++i) {
      const std::string payload = std::to_string(i) + std::string(444, 'e');
      appended.push_back({log.append(payload, Durability::kBuffered), payload});
    }
  }
  const OpenLog log = open_log(*files, small_files(4'096, from), path).value();
  EXPECT_EQ(log.entries, std::vector<Entry>(appended.begin() + 120, appended.end()));
}

TEST(WalOnDisk, TheFolderMustExist) {
  const io::TemporaryFolder folder;
  const auto log = open_log(*io::make_posix_file_system(), small_files(), folder.path() / "absent");
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace marigram::wal
