// Repair of CURRENT and the last commit. Without this a table that verify found damaged would stay so, or repair would
// take away what someone committed.
#include "base/manual_clock.h"
#include "io/memory_store.h"
#include "log/commit_codec.h"
#include "log/log.h"
#include "log/sample_commits.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace marigram::log {
namespace {

constexpr const char* kCurrent = "_timeseries_log/CURRENT";

class RepairTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(log().commit(state_, create_proposal()));
    ASSERT_TRUE(log().commit(state_, append_proposal(1)));
    foreign_ = encode_commit(Dialect::kV7,
                             {.version = 3, .timestamp = clock_.now(), .actions = {AddSegment{sample_segment(7)}}})
                   .value();
  }

  Log log() { return Log(store_, clock_); }
  void put(const std::string& key, const std::string& bytes) { ASSERT_TRUE(store_->put(key, bytes)); }
  std::string get(const std::string& key) { return store_->read(key)->bytes; }
  void pass_grace() { clock_.advance(LogOptions{}.orphan_grace); }

  /// Repairs, wants one line that holds `said`, and a sound table at `version` that takes commits.
  void expect_repair(const std::string& said, std::uint64_t version) {
    const auto done = log().repair();
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_EQ(done->size(), 1U);
    EXPECT_NE(done->at(0).find(said), std::string::npos) << done->at(0);
    EXPECT_EQ(get(kCurrent), std::to_string(version) + "\n");
    auto state = log().load();
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->version, version);
    EXPECT_EQ(log().repair(), std::vector<std::string>{});
    ASSERT_TRUE(log().commit(*state, append_proposal(50)));
  }

  ManualClock clock_;
  std::shared_ptr<io::ObjectStore> store_ = io::make_memory_store(clock_);
  TableState state_;
  std::string foreign_;  // a commit 3
};

TEST_F(RepairTest, ASoundTableIsLeftAlone) {
  EXPECT_EQ(log().repair(), std::vector<std::string>{});
}

TEST_F(RepairTest, NoTable) {
  store_ = io::make_memory_store(clock_);
  EXPECT_EQ(log().repair().error().code, ErrorCode::kNotFound);
}

TEST_F(RepairTest, CurrentBehind) {
  put(kCurrent, "1\n");
  expect_repair("pointed to version 1: set to version 2", 2);
}

TEST_F(RepairTest, CurrentAhead) {
  put(kCurrent, "9\n");
  expect_repair("pointed to version 9, which does not exist: set to version 2", 2);
}

TEST_F(RepairTest, CurrentMissing) {
  ASSERT_TRUE(store_->remove(kCurrent));
  expect_repair("was missing: set to version 2", 2);
}

TEST_F(RepairTest, CurrentUnreadable) {
  for (const char* text : {"", "two", "1 2"}) {
    store_ = io::make_memory_store(clock_);
    state_ = {};
    SetUp();
    put(kCurrent, text);
    expect_repair("was unreadable: set to version 2", 2);
  }
}

TEST_F(RepairTest, WithoutCurrentAForeignCommitCountsOnceItIsOld) {
  put(commit_path(3), foreign_);
  put(kCurrent, "");
  auto done = log().repair();
  ASSERT_TRUE(done);
  ASSERT_EQ(done->size(), 2U);
  EXPECT_NE(done->at(0).find("set to version 2"), std::string::npos);
  EXPECT_NE(done->at(1).find("left"), std::string::npos);
  put(kCurrent, "");
  pass_grace();
  expect_repair("set to version 3", 3);
}

TEST_F(RepairTest, AWholeUnpublishedCommitIsFinishedAfterTheGrace) {
  put(commit_path(3), foreign_);
  EXPECT_NE(log().repair()->at(0).find("left"), std::string::npos);
  EXPECT_EQ(get(kCurrent), "2\n");
  pass_grace();
  expect_repair("finished _timeseries_log/0000000003.json", 3);
  EXPECT_EQ(get(commit_path(3)), foreign_);
}

TEST_F(RepairTest, ATornLastCommitIsReplacedAfterTheGrace) {
  put(commit_path(3), foreign_.substr(0, 40));
  EXPECT_NE(log().repair()->at(0).find("left"), std::string::npos);
  EXPECT_EQ(get(commit_path(3)), foreign_.substr(0, 40));
  pass_grace();
  expect_repair("replaced _timeseries_log/0000000003.json", 3);
  EXPECT_EQ(log().read(3)->extension->operation, "repair");
}

TEST_F(RepairTest, ATornFirstCommitIsLeftToCreate) {
  store_ = io::make_memory_store(clock_);
  put(commit_path(1), "");
  pass_grace();
  EXPECT_NE(log().repair()->at(0).find("creating"), std::string::npos);
  TableState state;
  ASSERT_TRUE(log().commit(state, create_proposal()));
}

TEST_F(RepairTest, WhatIsNoCommitIsLeftAndNamed) {
  put(commit_path(3), "{}");
  pass_grace();
  const auto done = log().repair();
  ASSERT_TRUE(done);
  EXPECT_NE(done->at(0).find("left _timeseries_log/0000000003.json"), std::string::npos) << done->at(0);
  EXPECT_EQ(get(commit_path(3)), "{}");
}

TEST_F(RepairTest, AMissingCommitIsNotMadeUp) {
  ASSERT_TRUE(store_->remove(commit_path(1)));
  const auto done = log().repair();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kCorruption);
  EXPECT_NE(done.error().message.find("0000000001.json"), std::string::npos);
}

}  // namespace
}  // namespace marigram::log
