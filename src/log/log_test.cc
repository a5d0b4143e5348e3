// The log's promises to one writer at a time: what is committed stays, foreign writers' leftovers never wedge a table,
// a damaged CURRENT is named. Without this a killed writer could stop a table for good, or its commit be lost.
#include "log/log.h"

#include "base/manual_clock.h"
#include "io/local_store.h"
#include "io/memory_store.h"
#include "io/temporary_folder.h"
#include "log/commit_codec.h"
#include "log/sample_commits.h"
#include "log/store_wrapper.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

namespace marigram::log {
namespace {

namespace fs = std::filesystem;
constexpr const char* kCurrent = "_timeseries_log/CURRENT";

class LogTest : public ::testing::Test {
 protected:
  Log log() { return Log(store_, clock_); }

  void pass_grace() { clock_.advance(LogOptions{}.orphan_grace); }

  TableState make_table(std::uint64_t commits) {
    TableState state;
    Log writer = log();
    EXPECT_TRUE(writer.commit(state, create_proposal()));
    while (state.version < commits) {
      clock_.advance(std::chrono::seconds(1));
      EXPECT_TRUE(writer.commit(state, append_proposal(static_cast<std::int64_t>(state.version))));
    }
    return state;
  }

  void put(const std::string& key, const std::string& bytes) { ASSERT_TRUE(store_->put(key, bytes)); }
  std::string get(const std::string& key) { return store_->read(key)->bytes; }

  /// Commit N as a foreign writer leaves it.
  std::string foreign(std::uint64_t version, std::int64_t n = 77) {
    const Commit commit{.version = version, .timestamp = clock_.now(), .actions = {AddSegment{sample_segment(n)}}};
    return encode_commit(Dialect::kV7, commit).value();
  }

  void load_fixture(const fs::path& table) {
    store_ = io::make_memory_store(clock_);
    const fs::path folder = fs::path(MARIGRAM_SOURCE_DIR) / "tests/data" / table / "_timeseries_log";
    for (const auto& entry : fs::directory_iterator(folder)) {
      std::ifstream in(entry.path(), std::ios::binary);
      put("_timeseries_log/" + entry.path().filename().string(), {std::istreambuf_iterator<char>(in), {}});
    }
  }

  ManualClock clock_;
  std::shared_ptr<io::ObjectStore> store_ = io::make_memory_store(clock_);
};

TEST_F(LogTest, EveryFixtureOpensAtItsVersion) {
  int tables = 0;
  for (const char* dialect : {"tstable-0.2.2", "tstable-0.9.0"}) {
    for (const auto& entry : fs::directory_iterator(fs::path(MARIGRAM_SOURCE_DIR) / "tests/data" / dialect)) {
      if (!fs::exists(entry.path() / "_timeseries_log/CURRENT")) continue;
      load_fixture(fs::path(dialect) / entry.path().filename());
      const auto state = log().load();
      ASSERT_TRUE(state) << entry.path() << state.error().message;
      EXPECT_EQ(std::to_string(state->version) + "\n", get(kCurrent)) << entry.path();
      ++tables;
    }
  }
  EXPECT_GE(tables, 30);
}

TEST_F(LogTest, AnOrphanOfTheReferenceWritersIsFinished) {
  for (const char* dialect : {"tstable-0.2.2", "tstable-0.9.0"}) {
    load_fixture(fs::path(dialect) / "orphan_commit");
    auto state = log().load();
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_EQ(state->version, 4U);
    const std::string orphan = get(commit_path(5));
    Log writer = log();
    const auto nothing = [](const TableState&) { return Result<Proposal>(Proposal{{}, {.operation = "append"}}); };
    const Instant before = clock_.now();
    ASSERT_TRUE(writer.commit_with_retry(*state, nothing));
    EXPECT_EQ(state->version, 6U);
    EXPECT_GE(clock_.now(), (Instant{before.seconds + 2, before.nanos}));  // it waited for the grace
    EXPECT_EQ(get(commit_path(5)), orphan);
    EXPECT_EQ(get(kCurrent), "6\n");
  }
}

TEST_F(LogTest, NoTable) {
  EXPECT_EQ(log().latest_version(), 0U);
  EXPECT_EQ(log().load().error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log().read(1).error().code, ErrorCode::kNotFound);
}

TEST_F(LogTest, CommitsAccumulateAndEachVersionStays) {
  const TableState state = make_table(5);
  for (std::uint64_t version = 1; version <= 5; ++version) {
    const auto old = log().load(version);
    ASSERT_TRUE(old);
    EXPECT_EQ(old->version, version);
    EXPECT_EQ(old->segments.size(), version - 1);
  }
  EXPECT_EQ(log().load(std::uint64_t{0}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log().load(std::uint64_t{6}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(describe(log().load().value()), describe(state));
}

TEST_F(LogTest, AtATime) {
  make_table(4);
  const Instant third = log().read(3)->timestamp;
  EXPECT_EQ(log().load(third)->version, 3U);
  EXPECT_EQ(log().load(Instant{third.seconds + 1'000})->version, 4U);
  EXPECT_EQ(log().load(Instant{third.seconds, third.nanos + 1})->version, 3U);
  EXPECT_EQ(log().load(Instant{}).error().code, ErrorCode::kNotFound);
  TableState early = log().load(std::uint64_t{2}).value();
  ASSERT_TRUE(log().write_checkpoint(early));
  EXPECT_EQ(log().load(third)->version, 3U);
}

TEST_F(LogTest, TimestampsNeverRunBackwards) {
  TableState state = make_table(2);
  const Instant before = state.timestamp;
  clock_.set({.seconds = 5});
  ASSERT_TRUE(log().commit(state, append_proposal(9)));
  EXPECT_EQ(state.timestamp, before);
  EXPECT_EQ(log().read(3)->timestamp, before);
}

TEST_F(LogTest, AStaleWriterIsToldWhatItMissed) {
  TableState stale = make_table(2);
  TableState fresh = stale;
  ASSERT_TRUE(log().commit(fresh, append_proposal(7)));
  const TableState before = stale;
  const auto status = log().commit(stale, append_proposal(8));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  const auto* info = std::get_if<ConflictInfo>(&status.error().detail);
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info->expected, 2U);
  EXPECT_EQ(info->found, 3U);
  EXPECT_EQ(describe(stale), describe(before));
  ASSERT_TRUE(log().refresh(stale));
  EXPECT_EQ(describe(stale), describe(fresh));
  ASSERT_TRUE(log().commit(stale, append_proposal(8)));
}

TEST_F(LogTest, WhatReadersWouldRefuseIsNotCommitted) {
  TableState state = make_table(2);
  Proposal bad = append_proposal(5);
  std::get<AddSegment>(bad.actions[0]).segment.path = "../outside";
  EXPECT_EQ(log().commit(state, bad).error().code, ErrorCode::kInvalidInput);
  bad = append_proposal(5);
  std::get<AddSegment>(bad.actions[0]).segment.path = "data/\xff";
  EXPECT_EQ(log().commit(state, bad).error().code, ErrorCode::kInvalidInput);
  EXPECT_FALSE(log().commit(state, append_proposal(1)));  // live already
  EXPECT_EQ(log().latest_version(), 2U);
  EXPECT_EQ(store_->head(commit_path(3)).error().code, ErrorCode::kNotFound);
}

TEST_F(LogTest, UnknownWriterFeaturesAreRefusedByName) {
  model::TableMeta meta = sample_meta();
  meta.writer_features = {"schema_metadata", "sharding"};
  put(commit_path(1),
      encode_commit(Dialect::kV7, {.version = 1, .timestamp = clock_.now(), .actions = {UpdateTableMeta{meta}}})
          .value());
  put(kCurrent, "1\n");
  TableState state = log().load().value();
  const auto status = log().commit(state, append_proposal(1));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
  EXPECT_NE(status.error().message.find("sharding"), std::string::npos);
  EXPECT_EQ(status.error().message.find("schema_metadata"), std::string::npos);
}

TEST_F(LogTest, CurrentMayLagBehindOurCommits) {
  const TableState state = make_table(5);
  for (const char* current : {"1\n", "3\n", "0", " 4 \n"}) {
    put(kCurrent, current);
    EXPECT_EQ(log().latest_version(), 5U) << current;
  }
  ASSERT_TRUE(store_->remove(kCurrent));
  EXPECT_EQ(log().latest_version(), 5U);
  EXPECT_EQ(describe(log().load().value()), describe(state));
  TableState next = state;
  ASSERT_TRUE(log().commit(next, append_proposal(10)));
  EXPECT_EQ(get(kCurrent), "6\n");
}

TEST_F(LogTest, AForeignCommitThatWasFollowedStaysWhenCurrentIsSetBack) {
  TableState state = make_table(2);
  put(commit_path(3), foreign(3));
  put(kCurrent, "3\n");
  ASSERT_TRUE(log().refresh(state));
  ASSERT_TRUE(log().commit(state, append_proposal(10)));
  put(kCurrent, "2\n");  // by a stalled foreign writer
  EXPECT_EQ(log().latest_version(), 4U);
}

TEST_F(LogTest, ADamagedCurrentIsNamed) {
  TableState state = make_table(2);
  for (const char* current : {"", "two", "-1"}) {
    put(kCurrent, current);
    for (const ErrorCode code : {log().latest_version().error().code, log().load().error().code,
                                 log().commit(state, append_proposal(9)).error().code}) {
      EXPECT_EQ(code, ErrorCode::kCorruption);
    }
  }
  put(kCurrent, "9\n");
  const auto ahead = log().load();
  ASSERT_FALSE(ahead);
  EXPECT_EQ(ahead.error().code, ErrorCode::kCorruption);
  EXPECT_NE(ahead.error().message.find("0000000003.json"), std::string::npos);
  EXPECT_NE(ahead.error().message.find("verify --repair"), std::string::npos);
}

TEST_F(LogTest, EveryTornCommitIsReplacedAfterTheGrace) {
  const TableState before = make_table(2);
  const std::string whole = foreign(3);
  for (std::size_t size = 0; size < whole.size(); size += size < 20 ? 1 : 13) {
    put(commit_path(3), whole.substr(0, size));
    EXPECT_EQ(log().latest_version(), 2U);
    TableState state = before;
    const Instant start = clock_.now();
    ASSERT_TRUE(log().commit(state, append_proposal(30)));
    EXPECT_GE(clock_.now(), (Instant{start.seconds + 2, start.nanos})) << "it was younger than the grace";
    EXPECT_EQ(log().load()->version, 3U);
    put(kCurrent, "2\n");
  }
}

TEST_F(LogTest, AWholeCommitThatIsNoneIsNobodysToReplace) {
  TableState state = make_table(2);
  for (const std::string& text :
       {std::string("{}"), std::string("[]"), foreign(4),
        std::string(
            R"({"version":3,"base_version":2,"timestamp":"2024-01-01T00:00:00Z","actions":[{"AddSegment":{}}]})")}) {
    put(commit_path(3), text);
    EXPECT_EQ(log().load()->version, 2U);
    const auto status = log().commit(state, append_proposal(9));
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message.find("0000000003.json"), std::string::npos);
    EXPECT_EQ(get(commit_path(3)), text);
  }
}

TEST_F(LogTest, AForeignCommitThatDoesNotApplyIsNotFinished) {
  TableState state = make_table(2);
  put(commit_path(3), foreign(3, 1));  // segment 1 is live
  pass_grace();
  EXPECT_EQ(log().commit(state, append_proposal(9)).error().code, ErrorCode::kCorruption);
  EXPECT_EQ(get(kCurrent), "2\n");
}

TEST_F(LogTest, AForeignCommitTakenBackMakesRoom) {
  TableState state = make_table(2);
  put(commit_path(3), foreign(3));
  auto wrapper = std::make_shared<StoreWrapper>(store_);
  int reads = 0;
  wrapper->on_read = [&](std::string_view key) {
    if (key != kCurrent || ++reads != 3) return;
    EXPECT_TRUE(store_->remove(commit_path(3)));
  };
  Log writer(wrapper, clock_);
  ASSERT_TRUE(writer.commit(state, append_proposal(9)));
  EXPECT_EQ(state.version, 3U);
  EXPECT_TRUE(log().read(3)->extension);
}

TEST_F(LogTest, ALostReplyIsRecognised) {
  TableState state = make_table(2);
  auto wrapper = std::make_shared<StoreWrapper>(store_);
  wrapper->lose_replies = 1;
  Log writer(wrapper, clock_);
  const auto status = writer.commit(state, append_proposal(9));
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(state.version, 3U);
  EXPECT_EQ(log().latest_version(), 3U);
}

TEST_F(LogTest, TheSameTransactionAgainIsNotCommittedTwice) {
  const TableState before = make_table(2);
  Proposal proposal = append_proposal(9);
  proposal.extension.transaction_id = "the-one";
  TableState state = before;
  ASSERT_TRUE(log().commit(state, proposal));
  TableState again = before;
  ASSERT_TRUE(log().commit(again, proposal));
  EXPECT_EQ(describe(again), describe(state));
  EXPECT_EQ(log().latest_version(), 3U);
  proposal.extension.transaction_id = "another";
  again = before;
  EXPECT_EQ(log().commit(again, proposal).error().code, ErrorCode::kConflict);
}

TEST_F(LogTest, AHandleOnADeletedTableDoesNotBringItBack) {
  TableState state = make_table(5);
  store_ = io::make_memory_store(clock_);
  EXPECT_EQ(log().commit(state, append_proposal(9)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(log().refresh(state).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(store_->list("")->empty());
}

TEST_F(LogTest, AHandleOnATableMadeAnewDoesNotTouchIt) {
  for (const std::uint64_t commits : {2U, 5U, 7U}) {
    const TableState stale = make_table(5);
    store_ = io::make_memory_store(clock_);
    clock_.advance(std::chrono::hours(1));
    const TableState fresh = make_table(commits);
    TableState state = stale;
    EXPECT_EQ(log().commit(state, append_proposal(9)).error().code, ErrorCode::kNotFound) << commits;
    const auto nothing = [](const TableState&) { return Result<Proposal>(append_proposal(9)); };
    EXPECT_EQ(log().commit_with_retry(state, nothing).error().code, ErrorCode::kNotFound) << commits;
    EXPECT_EQ(describe(log().load().value()), describe(fresh));
    store_ = io::make_memory_store(clock_);
  }
}

TEST_F(LogTest, AnOutcomeThatTheStoreDoesNotTellIsUnknown) {
  TableState state = make_table(2);
  auto wrapper = std::make_shared<StoreWrapper>(store_);
  wrapper->lose_replies = 1;
  wrapper->dead_after_loss = true;
  Log writer(wrapper, clock_);
  Proposal proposal = append_proposal(9);
  proposal.extension.transaction_id = "the-one";
  const auto status = writer.commit(state, proposal);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  const auto* unknown = std::get_if<UnknownOutcome>(&status.error().detail);
  ASSERT_NE(unknown, nullptr);
  EXPECT_EQ(unknown->transaction_id, "the-one");
  EXPECT_EQ(state.version, 2U);
  EXPECT_EQ(log().read(3)->extension->transaction_id, "the-one");
}

TEST_F(LogTest, APutThatFailedForGoodIsPlainlyAnError) {
  TableState state = make_table(2);
  auto wrapper = std::make_shared<StoreWrapper>(store_);
  wrapper->refuse_puts = true;
  Log writer(wrapper, clock_);
  const auto status = writer.commit(state, append_proposal(9));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_FALSE(std::holds_alternative<UnknownOutcome>(status.error().detail));
  EXPECT_EQ(log().latest_version(), 2U);
}

TEST_F(LogTest, RetriesEnd) {
  TableState state = make_table(2);
  Log writer(store_, clock_, {.tries_max = 3});
  int asked = 0;
  const auto status = writer.commit_with_retry(state, [&](const TableState& now) {
    TableState other = now;  // someone is always faster
    EXPECT_TRUE(log().commit(other, append_proposal(100 + ++asked)));
    return Result<Proposal>(append_proposal(200 + asked));
  });
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  EXPECT_EQ(asked, 3);
  const auto refused = writer.commit_with_retry(
      state, [](const TableState&) -> Result<Proposal> { return fail(ErrorCode::kOverlap, "no"); });
  EXPECT_EQ(refused.error().code, ErrorCode::kOverlap);
}

TEST_F(LogTest, ATornCommitThatAnotherHasOpenIsLeftAlone) {
  const io::TemporaryFolder folder;
  clock_.set(system_clock().now());
  store_ = io::make_local_store(folder.path()).value();
  const TableState before = make_table(2);
  TableState state = before;
  {
    std::ofstream writer(folder.path() / commit_path(3), std::ios::binary);
    writer << R"({"version":3,"base)" << std::flush;
    clock_.advance(std::chrono::hours(1));
    const auto refused = log().commit(state, append_proposal(9));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kIo);  // not kConflict: trying again for hours would not help
    EXPECT_NE(refused.error().message.find(commit_path(3)), std::string::npos);
    EXPECT_NE(log().repair()->at(0).find("left"), std::string::npos);
    EXPECT_EQ(log().latest_version(), 2U);
  }
  ASSERT_TRUE(log().commit(state, append_proposal(9)));
  EXPECT_EQ(log().load()->version, 3U);
}

}  // namespace
}  // namespace marigram::log
