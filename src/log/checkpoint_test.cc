// Checkpoints. Without this a table opened from one could differ from the table that its log tells, or a damaged one
// could keep a table from opening.
#include "log/checkpoint.h"

#include "base/manual_clock.h"
#include "io/memory_store.h"
#include "log/commit_codec.h"
#include "log/sample_commits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

namespace marigram::log {
namespace {

class CheckpointTest : public ::testing::Test {
 protected:
  Log log() { return Log(store_, clock_); }

  /// A table of `commits` commits with all that a state can hold.
  TableState make_table(std::int64_t commits, Dialect dialect = Dialect::kV7) {
    TableState state;
    Log writer = log();
    Proposal create = create_proposal(dialect);
    if (dialect == Dialect::kV7) {
      create.extension.duplicates = Duplicates::kLast;
      auto& meta = std::get<UpdateTableMeta>(create.actions.front()).meta;
      meta.require(kDuplicatesFeature);
      meta.require(kTombstonesFeature);
    }
    EXPECT_TRUE(writer.commit(state, std::move(create)));
    while (state.version < static_cast<std::uint64_t>(commits)) {
      clock_.advance(std::chrono::seconds(1));
      Proposal proposal = append_proposal(static_cast<std::int64_t>(state.version), dialect);
      proposal.extension.declared_types = {{"ts", "timestamp[us]"}};
      if (state.version == 4 && dialect == Dialect::kV7) proposal.extension.compression = "delta:lz4";
      proposal.extension.wal = WalMark{.log = std::string(32, '1'), .lsn = state.version};
      if (state.version == 3) proposal.extension.rank = 2;
      if (state.version == 3 && dialect == Dialect::kV7) {
        proposal.extension.tombstones = {{.touched_path = "a", .emptied_path = "b", .rank = 1},
                                         {.touched_path = "c",
                                          .points_path = "d",
                                          .rank = 3,
                                          .from = Instant{7},
                                          .except = {{{.column = "tag", .values = {"x", "y"}}}}}};
      }
      if (state.version == 4) proposal.extension.dissolved = {"a"};
      if (state.version == 5) proposal.extension.oldest = 3;
      if (state.version == 4) proposal.extension.version_names = {{"first", 1}, {"gone", 2}};
      if (state.version == 6) proposal.extension.version_names = {{"first", 1}, {"third", 3}};
      if (state.version == 6 && dialect == Dialect::kV7) {
        proposal.extension.tiers = model::Tiers{.cold_after = Interval(86'400'000'000'000)};
        proposal.extension.ranks = {{sample_segment(6).path, {.rank = 2, .place = 5}}};
      }
      if (dialect == Dialect::kV7) add_rollups(state.version, proposal.extension);
      const auto second = static_cast<std::int64_t>(state.version) + 1'000;
      proposal.actions.emplace_back(AddSegment{sample_segment(second, dialect)});
      if (dialect == Dialect::kV7 && state.version == 2) {
        proposal.actions.push_back(UnknownAction{R"({"Future":{"a":[1,"\n"]}})"});
      }
      const auto done = writer.commit(state, std::move(proposal));
      EXPECT_TRUE(done) << done.error().message;
    }
    return state;
  }

  /// A level with segments and tombstones, one that knows less, and changes that neither knows.
  static void add_rollups(std::uint64_t version, Extension& extension) {
    LevelChange level{.interval = "1m"};
    if (version == 2) {
      extension.retention = model::Retention{
          {.where = {{.column = "tag", .values = {"a"}}}, .keep = {{"rows", Interval::of_months(1)}}, .horizons = {}},
          {.where = {}, .keep = {{"1h", Interval(3'600'000'000'000)}}, .horizons = {{"rows", {.seconds = 7}}}}};
      extension.rollups = model::RollupSpec{.intervals = {Interval(60'000'000'000), Interval(3'600'000'000'000)},
                                            .timezone = "Europe/Berlin",
                                            .origin = Instant{.seconds = 60},
                                            .sketches = {"x"}};
      level.through = 1;
      level.pending = "p";
      extension.levels = {level, {.interval = "1h", .through = 2}};
    } else if (version == 3) {
      level.actions = {AddSegment{sample_segment(1, Dialect::kV7, "level")},
                       AddSegment{sample_segment(2, Dialect::kV7, "level")}};
      level.rank = 2;
      level.through = 3;
      extension.levels = {level};
    } else if (version == 4) {
      level.actions = {RemoveSegment{sample_segment(1, Dialect::kV7, "level").path}};
      level.tombstones = {{.touched_path = "t", .rank = 4, .to = Instant{.seconds = 7'200}}};
      extension.levels = {level};
    }
  }

  ManualClock clock_;
  std::shared_ptr<io::ObjectStore> store_ = io::make_memory_store(clock_);
};

TEST_F(CheckpointTest, HoldsTheWholeState) {
  for (const Dialect dialect : {Dialect::kV1, Dialect::kV7}) {
    store_ = io::make_memory_store(clock_);
    const TableState state = make_table(20, dialect);
    ASSERT_TRUE(log().write_checkpoint(state));
    const auto loaded = load_checkpoint(*store_, 20);
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(describe(*loaded), describe(state));
    EXPECT_EQ(loaded->meta, state.meta);
    EXPECT_EQ(loaded->version_names, (std::map<std::string, std::uint64_t>{{"first", 1}, {"third", 3}}));
    EXPECT_FALSE(loaded->has_given_up(1)) << "it has a name";
    EXPECT_TRUE(loaded->has_given_up(2)) << "its name was forgotten";
    EXPECT_EQ(loaded->tiers, state.tiers);
    if (dialect == Dialect::kV7) {
      EXPECT_EQ(loaded->segments.at(sample_segment(6).path)->rank, (model::SegmentRank{.rank = 2, .place = 5}));
    }
    EXPECT_EQ(loaded->compression, dialect == Dialect::kV7 ? "delta:lz4" : "auto");
    for (const auto& [key, segment] : state.segments) EXPECT_EQ(*loaded->segments.at(key), *segment);
    // The log up to it is not looked at any more, and what comes after is applied to it.
    ASSERT_TRUE(store_->remove(commit_path(3)));
    TableState next = state;
    ASSERT_TRUE(log().commit(next, append_proposal(50, dialect)));
    const auto opened = log().load();
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(describe(*opened), describe(next));
    EXPECT_FALSE(log().load(std::uint64_t{10}));  // before it: replay, and commit 3 is missing
  }
}

TEST_F(CheckpointTest, NoDamageIsTaken) {
  const TableState state = make_table(3);
  ASSERT_TRUE(log().write_checkpoint(state));
  const std::string path = checkpoint_path(3);
  const std::string good = store_->read(path)->bytes;
  const auto expect_skipped = [&](const std::string& bytes) {
    ASSERT_TRUE(store_->put(path, bytes));
    EXPECT_FALSE(load_checkpoint(*store_, 3));
  };
  for (std::size_t size = 0; size < good.size(); ++size) expect_skipped(good.substr(0, size));
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    expect_skipped(bad);
  }
  expect_skipped(good + "\n");
  expect_skipped("\n" + good);
  const auto opened = log().load();
  ASSERT_TRUE(opened);
  EXPECT_EQ(describe(*opened), describe(state));
  // Writing it again mends it.
  ASSERT_TRUE(log().write_checkpoint(state));
  EXPECT_EQ(store_->read(path)->bytes, good);
}

TEST_F(CheckpointTest, OneOfAnotherLogIsSkipped) {
  const TableState other = make_table(3);
  ASSERT_TRUE(log().write_checkpoint(other));
  const std::string foreign = store_->read(checkpoint_path(3))->bytes;
  store_ = io::make_memory_store(clock_);
  const TableState state = make_table(4);
  ASSERT_TRUE(store_->put(checkpoint_path(3), foreign));
  ASSERT_TRUE(store_->put(checkpoint_path(4), foreign));
  ASSERT_TRUE(store_->put(checkpoint_path(9), foreign));
  EXPECT_FALSE(load_newest_checkpoint(*store_, 9));
  EXPECT_EQ(describe(log().load().value()), describe(state));
}

TEST_F(CheckpointTest, TheNewestTwoAreKeptAndTheNextNewestIsTheFallback) {
  TableState state = make_table(2);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(log().commit(state, append_proposal(100 + i)));
    ASSERT_TRUE(log().write_checkpoint(state));
    ASSERT_TRUE(log().write_checkpoint(state));  // idempotent
  }
  EXPECT_EQ(store_->list("_timeseries_log/_checkpoints")->size(), 2U);
  ASSERT_TRUE(store_->put(checkpoint_path(6), "damaged"));
  const auto fallback = load_newest_checkpoint(*store_, 6);
  ASSERT_TRUE(fallback);
  EXPECT_EQ(fallback->version, 5U);
  EXPECT_EQ(describe(log().load().value()), describe(state));
  EXPECT_FALSE(load_newest_checkpoint(*store_, 4));
}

TEST_F(CheckpointTest, ThoseOfATableThatWasHereBeforeDoNotCount) {
  // Versions that the log does not have yet, and ones that it has, of other commits.
  const TableState state = make_table(20);
  for (const std::uint64_t version : {1U, 2U, 90U, 91U}) ASSERT_TRUE(store_->put(checkpoint_path(version), "old"));
  ASSERT_TRUE(log().write_checkpoint(state));
  EXPECT_TRUE(load_newest_checkpoint(*store_, 20));
  EXPECT_FALSE(store_->head(checkpoint_path(90)));
  EXPECT_FALSE(store_->head(checkpoint_path(91)));
}

TEST_F(CheckpointTest, NothingToFold) {
  EXPECT_FALSE(log().write_checkpoint(TableState{}));
}

TEST_F(CheckpointTest, ManySegments) {
  // Prints what opening costs; asserts only that it is right.
  constexpr std::int64_t kSegments = 10'000;
  TableState state;
  Log writer = log();
  ASSERT_TRUE(writer.commit(state, create_proposal()));
  Proposal proposal{.extension = {.operation = "append"}};
  for (std::int64_t n = 0; n < kSegments; ++n) proposal.actions.push_back(AddSegment{sample_segment(n)});
  ASSERT_TRUE(writer.commit(state, std::move(proposal)));
  ASSERT_TRUE(writer.commit(state, append_proposal(kSegments)));
  ASSERT_TRUE(writer.write_checkpoint(state));
  auto best = std::chrono::nanoseconds::max();
  for (int i = 0; i < 10; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto opened = log().load();
    best = std::min<std::chrono::nanoseconds>(best, std::chrono::steady_clock::now() - start);
    ASSERT_TRUE(opened);
    ASSERT_EQ(opened->segments.size(), static_cast<std::size_t>(kSegments) + 1);
  }
  std::printf("opened %lld segments from a checkpoint in %.2f ms\n", static_cast<long long>(kSegments),
              static_cast<double>(best.count()) / 1e6);
}

}  // namespace
}  // namespace marigram::log
