// Opening a log: what is replayed, from where, and what becomes of its end. Without this test a reopened log could skip
// or double batches, bring a cut end back to life, or go on at an LSN that the next replay passes over.
#include "base/manual_clock.h"
#include "wal/test_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace marigram::wal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Replay : public LogTest {
 protected:
  void overwrite(const std::string& name, std::uint64_t offset, std::string_view bytes) {
    const auto folder = disk_->open_tree(kLogPath).value()->open_folder("").value();
    ASSERT_TRUE(folder->open_for_writing(name).value()->write_at(offset, bytes_of(bytes)));
  }
  void remove(const std::string& name) {
    ASSERT_TRUE(disk_->open_tree(kLogPath).value()->open_folder("").value()->unlink(name));
  }
};

TEST_F(Replay, ANewLogIsEmpty) {
  const OpenLog log = open();
  EXPECT_TRUE(log.recovery.created);
  EXPECT_EQ(log.recovery.end, 0u);
  EXPECT_EQ(log.wal->position(), 0u);
  EXPECT_EQ(log.wal->durable(), 0u);
  EXPECT_THAT(contents_of(*disk_), ::testing::IsEmpty());
  EXPECT_THAT(log.entries, ElementsAre());
}

TEST_F(Replay, BatchesComeBackInOrderOverManyFiles) {
  std::vector<Entry> appended;
  for (int round = 0; round < 4; ++round) {
    const OpenLog log = open();
    EXPECT_EQ(log.recovery.created, round == 0);
    EXPECT_EQ(log.entries, appended);
    EXPECT_EQ(log.recovery.records, appended.size());
    EXPECT_EQ(log.recovery.cut_bytes, 0u);
    for (std::size_t i = 0; i < 40; ++i) {
      const std::string payload = std::to_string(round) + std::string(i * 20, static_cast<char>('a' + i % 26));
      appended.push_back({log.append(payload, i % 3 == 0 ? Durability::kSync : Durability::kBuffered), payload});
    }
  }
  EXPECT_EQ(open().entries, appended);
  EXPECT_GT(contents_of(*disk_).size(), 20u);
}

TEST_F(Replay, EveryPositionIsAStart) {
  std::vector<Entry> appended;
  std::vector<Lsn> starts;
  {
    const OpenLog log = open();
    for (std::size_t i = 0; i < 30; ++i) {
      starts.push_back(log.wal->position());
      const std::string payload(i * 17, 'p');
      appended.push_back({log.append(payload), payload});
    }
    starts.push_back(log.wal->position());
  }
  const Contents contents = contents_of(*disk_);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    disk_ = disk_with(contents, clock_);
    const OpenLog log = open(small_files(1'024, starts[i]));
    EXPECT_EQ(log.entries, std::vector<Entry>(appended.begin() + static_cast<std::ptrdiff_t>(i), appended.end())) << i;
    EXPECT_FALSE(log.recovery.created);
  }
}

TEST_F(Replay, AStartBehindTheEndMovesTheLogThere) {
  // Segments may contain more than the log has on stable storage: what is appended now must not be passed over later.
  for (const Lsn start : {Lsn{512}, Lsn{1'024}, Lsn{1'032}, Lsn{5'000}, Lsn{1} << 40}) {
    disk_ = disk_with({}, clock_);
    open().append("before");
    Lsn lsn = 0;
    {
      const OpenLog log = open(small_files(1'024, start));
      EXPECT_THAT(log.entries, ElementsAre());
      EXPECT_GE(log.wal->position(), start);
      lsn = log.append("after");
      EXPECT_GE(lsn, start);
    }
    EXPECT_THAT(open(small_files(1'024, start)).entries, ElementsAre(Entry{lsn, "after"})) << start;
  }
  EXPECT_EQ(open_log(*disk_, small_files(1'024, 4)).error().code, ErrorCode::kInvalidInput);
}

TEST_F(Replay, AStartBeforeTheLogIsDamage) {
  open(small_files(1'024, 8'192)).append("x");
  const auto log = open_log(*disk_, small_files(1'024, 0));
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kCorruption);
  EXPECT_THAT(log.error().message, HasSubstr("no file holds the log from 0 on"));
}

TEST_F(Replay, FilesOfAnotherSizeFollow) {
  std::vector<std::string> appended;
  for (const std::uint64_t file_bytes : {1'024, 4'096, 1'536, 65'536, 1'024}) {
    const OpenLog log = open(small_files(file_bytes));
    EXPECT_EQ(payloads_of(log.entries), appended);
    for (int i = 0; i < 10; ++i) {
      appended.push_back(std::to_string(i) + std::string(log.wal->payload_bytes_max() / 3, 'f'));
      log.append(appended.back(), Durability::kBuffered);
    }
  }
  EXPECT_EQ(payloads_of(open().entries), appended);
}

TEST_F(Replay, ATornEndIsCutAtEachOfItsBytesAndStaysCut) {
  // One write, never synced, cut short at each byte: the batches before the cut are there, and life goes on.
  std::vector<Lsn> ends;
  std::vector<Lsn> padding;  // where that of each batch begins
  {
    const OpenLog log = open();
    for (const std::string payload : {"first", "second batch", "the third and last of them"}) {
      padding.push_back(log.append(payload, Durability::kBuffered) + kRecordHeaderBytes + payload.size());
      ends.push_back(log.wal->position());
    }
  }
  Contents contents = contents_of(*disk_);
  const std::string whole = contents.begin()->second;
  for (std::uint64_t cut = 64; cut < ends.back(); ++cut) {
    for (const bool shorter : {false, true}) {  // the rest is zeros, or missing, which is the same
      std::string& bytes = contents.begin()->second;
      bytes = whole.substr(0, cut);
      if (!shorter) bytes.resize(whole.size());
      disk_ = disk_with(contents, clock_);
      const auto want = static_cast<std::size_t>(std::ranges::count_if(padding, [&](Lsn at) { return at <= cut; }));
      const Lsn end = want == 0 ? 0 : ends[want - 1];  // without a batch the file goes
      {
        const OpenLog log = open();
        ASSERT_EQ(log.entries.size(), want) << cut;
        EXPECT_EQ(log.recovery.end, end);
        EXPECT_EQ(log.recovery.cut_bytes > 0,
                  bytes.find_first_not_of('\0', std::max(end, kFileHeaderBytes)) != std::string::npos)
            << cut;
        log.append("new");
      }
      const OpenLog log = open();
      ASSERT_EQ(log.entries.size(), want + 1) << cut;
      EXPECT_EQ(log.entries.back(), (Entry{std::max(end, kFileHeaderBytes), "new"}));
      EXPECT_EQ(log.recovery.cut_bytes, 0u);
    }
  }
}

TEST_F(Replay, WhatAFileLacksCountsAsZeros) {
  // A closed log ends with a mark that says how far it was synced; its last bytes are zeros. Without them the file says
  // as much: that a batch before it was damaged.
  Lsn second = 0;
  {
    const OpenLog log = open();
    log.append("first");
    second = log.append("second");
    ASSERT_TRUE(log.wal->close());
  }
  overwrite(file_name(0), second + kRecordHeaderBytes, "?");
  const Contents damaged = contents_of(*disk_);
  for (const bool shorter : {false, true}) {
    Contents contents = damaged;
    std::string& bytes = contents.begin()->second;
    if (shorter) bytes.resize(bytes.find_last_not_of('\0') + 1);
    disk_ = disk_with(contents, clock_);
    const auto log = open_log(*disk_, small_files());
    ASSERT_FALSE(log);
    EXPECT_EQ(log.error().code, ErrorCode::kCorruption);
  }
}

TEST_F(Replay, ACutBatchDoesNotComeBackToLife) {
  // Three batches of one size, never synced; the first is torn. The batch that takes its place ends where the second
  // begins, which is sound to this day.
  Lsn first = 0;
  {
    const OpenLog log = open();
    log.append("sound");
    first = log.append("aaaaaaaa", Durability::kBuffered);
    log.append("bbbbbbbb", Durability::kBuffered);
    log.append("cccccccc", Durability::kBuffered);
  }
  overwrite(file_name(0), first + kRecordHeaderBytes, "?");
  {
    const OpenLog log = open();
    EXPECT_THAT(payloads_of(log.entries), ElementsAre("sound"));
    EXPECT_EQ(log.recovery.end, first);
    EXPECT_EQ(log.recovery.cut_bytes, 3 * record_bytes(8));
    log.append("dddddddd");
  }
  EXPECT_THAT(payloads_of(open().entries), ElementsAre("sound", "dddddddd"));
}

TEST_F(Replay, TheEndOfARecycledFileIsClean) {
  {
    const OpenLog log = open();
    while (log.wal->position() < 5'000) log.append(std::string(100, 'x'));
    ASSERT_TRUE(log.wal->truncate(log.wal->position()));
    while (log.wal->position() < 9'000) log.append(std::string(90, 'y'));
    ASSERT_TRUE(log.wal->truncate(log.wal->position() - 2'000));
    log.append("last");
  }
  const Lsn start =
      contents_of(*disk_).begin()->first.substr(0, 20) == "" ? 0 : *parse_file_name(contents_of(*disk_).begin()->first);
  const OpenLog log = open(small_files(1'024, start));
  EXPECT_EQ(log.recovery.cut_bytes, 0u);
  ASSERT_FALSE(log.entries.empty());
  EXPECT_EQ(log.entries.back().payload, "last");
  for (const Entry& entry : log.entries) EXPECT_FALSE(entry.payload.starts_with("x"));
}

TEST_F(Replay, OpeningTwiceChangesNothing) {
  {
    const OpenLog log = open();
    for (int i = 0; i < 30; ++i) log.append(std::string(100, 'x'), Durability::kBuffered);
  }
  const OpenLog first = open();
  const Contents contents = contents_of(*disk_);
  const OpenLog second = open();
  EXPECT_EQ(first.entries, second.entries);
  EXPECT_EQ(first.wal->position(), second.wal->position());
  EXPECT_EQ(contents_of(*disk_), contents);
}

TEST_F(Replay, AnInterruptedCreationIsMadeGood) {
  for (const std::string& content :
       {std::string(), std::string(100, '\0'), std::string(1'024, '\0'), std::string(1'024, '#')}) {
    disk_ = disk_with({{file_name(0), content}}, clock_);
    const OpenLog log = open();
    EXPECT_TRUE(log.recovery.created);
    log.append("x");
    EXPECT_THAT(payloads_of(open().entries), ElementsAre("x"));
  }
}

TEST_F(Replay, AMissingFileIsNamed) {
  {
    const OpenLog log = open();
    while (log.wal->position() < 5'000) log.append(std::string(300, 'x'));
  }
  remove(file_name(2'048));
  const auto log = open_log(*disk_, small_files());
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kCorruption);
  EXPECT_THAT(log.error().message, HasSubstr(file_name(2'048) + "' before it is missing"));
  EXPECT_THAT(log.error().message, HasSubstr("verify --repair"));
}

TEST_F(Replay, AFileOfAnotherLogIsRefused) {
  const auto other = disk_with({}, clock_);
  {
    const OpenLog log = open();
    while (log.wal->position() < 2'000) log.append(std::string(300, 'x'));
    const OpenLog foreign = open_log(*other, small_files()).value();
    while (foreign.wal->position() < 2'000) foreign.append(std::string(300, 'y'));
  }
  Contents contents = contents_of(*disk_);
  contents[file_name(1'024)] = contents_of(*other).at(file_name(1'024));
  disk_ = disk_with(contents, clock_);
  const auto log = open_log(*disk_, small_files());
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::kCorruption);
  EXPECT_THAT(log.error().message, HasSubstr("another log"));
}

TEST_F(Replay, AnErrorOfTheVisitorEndsIt) {
  open().append("x");
  const auto opened = Wal::open(*disk_, kLogPath, small_files(), [](Lsn, std::span<const std::byte>) -> Status {
    return fail(ErrorCode::kCancelled, "enough");
  });
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kCancelled);
  EXPECT_THAT(payloads_of(open().entries), ElementsAre("x"));
}

TEST_F(Replay, AFileThatAnotherProgramWroteIsRead) {
  // Made from docs/format/wal.md alone; the first byte is for the fuzz target.
  std::ifstream seed(MARIGRAM_SOURCE_DIR "/tests/fuzz/corpus/wal_fuzz/closed", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(seed), {}};
  ASSERT_EQ(bytes.size(), 401u);
  disk_ = disk_with({{file_name(0), bytes.substr(1)}}, clock_);
  std::string five;
  for (int i = 0; i < 20; ++i) five += "three";
  EXPECT_THAT(open().entries, ElementsAre(Entry{64, "batch one"}, Entry{104, ""}, Entry{128, five}));
}

TEST_F(Replay, OtherFilesInTheFolderStay) {
  open().append("x");
  Contents contents = contents_of(*disk_);
  contents["LOCK"] = "1";
  contents["1.wal"] = "2";
  disk_ = disk_with(contents, clock_);
  EXPECT_THAT(payloads_of(open().entries), ElementsAre("x"));
  EXPECT_EQ(contents_of(*disk_).at("LOCK"), "1");
  EXPECT_EQ(contents_of(*disk_).at("1.wal"), "2");
}

}  // namespace
}  // namespace marigram::wal
