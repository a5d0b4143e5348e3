// Levels of rollups in the state of a table. Without this a level could say what the rows no longer say, or a refresh
// could miss what changed.
#include "log/sample_commits.h"
#include "log/table_state.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::log {
namespace {

constexpr std::int64_t kMinute = 60'000'000'000;

class LevelsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    commit(create_proposal());
    Proposal options{.actions = {}, .extension = {.operation = "set_rollups"}};
    options.extension.rollups = model::RollupSpec{.intervals = {Interval(kMinute), Interval(60 * kMinute)}};
    options.extension.levels = {{.interval = "1m", .through = 1}, {.interval = "1h", .through = 1}};
    commit(std::move(options));
  }

  Status try_commit(Proposal proposal) {
    return apply(state_, Commit{.version = state_.version + 1,
                                .timestamp = {.seconds = 1'700'000'000},
                                .actions = std::move(proposal.actions),
                                .extension = std::move(proposal.extension)});
  }
  void commit(Proposal proposal) {
    const Status done = try_commit(std::move(proposal));
    ASSERT_TRUE(done) << done.error().message;
  }
  static Proposal of_level(LevelChange change) {
    Proposal proposal{.actions = {}, .extension = {.operation = "refresh"}};
    proposal.extension.levels.push_back(std::move(change));
    return proposal;
  }
  std::vector<std::string> changed() const {
    std::vector<std::string> texts;
    for (const ChangedRows& change : state_.changed) {
      texts.push_back(std::to_string(change.version) + change.coverage_path.substr(change.coverage_path.rfind('-')));
    }
    return texts;
  }

  TableState state_;
};

TEST_F(LevelsTest, WhatRowsChangeIsKnownUntilAllLevelsAreBehindIt) {
  commit(append_proposal(1));
  commit(append_proposal(2));
  EXPECT_EQ(changed(), (std::vector<std::string>{"3-00000001.roar", "4-00000002.roar"}));
  commit(of_level({.interval = "1m", .through = 4}));
  EXPECT_EQ(changed().size(), 2U);
  commit(of_level({.interval = "1h", .through = 3, .pending = "left.roar"}));
  EXPECT_EQ(changed(), (std::vector<std::string>{"4-00000002.roar"}));
  EXPECT_EQ(state_.find_level("1h")->pending, "left.roar");
  commit(of_level({.interval = "1h", .through = 4}));
  EXPECT_TRUE(changed().empty());
  EXPECT_EQ(state_.find_level("1h")->pending, std::nullopt);
}

TEST_F(LevelsTest, SegmentsThatGoAreChangesAndThoseThatMoveAreNot) {
  commit(append_proposal(1));
  commit(of_level({.interval = "1m", .through = 3}));
  commit(of_level({.interval = "1h", .through = 3}));
  Proposal moved{.actions = {RemoveSegment{sample_segment(1).path}, AddSegment{sample_segment(5)}}, .extension = {}};
  moved.extension.keeps_rollups = true;
  commit(std::move(moved));
  EXPECT_TRUE(changed().empty());
  commit({.actions = {RemoveSegment{sample_segment(5).path}}, .extension = {.operation = "remove_segments"}});
  EXPECT_EQ(changed(), (std::vector<std::string>{"7-00000005.roar"}));
  // That of a program which knows nothing of levels.
  ASSERT_TRUE(apply(state_, Commit{.version = 8, .actions = {AddSegment{sample_segment(6)}}}));
  EXPECT_EQ(changed(), (std::vector<std::string>{"7-00000005.roar", "8-00000006.roar"}));
}

TEST_F(LevelsTest, TombstonesThatGoAreChangesUnlessRowsMoved) {
  model::TableMeta meta = *state_.meta;
  meta.require(kTombstonesFeature);
  Proposal hide{.actions = {UpdateTableMeta{meta}}, .extension = {.operation = "remove_rows"}};
  hide.extension.tombstones = {{.touched_path = "a", .rank = 2}, {.touched_path = "b", .rank = 2}};
  commit(std::move(hide));
  commit(of_level({.interval = "1m", .through = 3}));
  commit(of_level({.interval = "1h", .through = 3}));
  EXPECT_TRUE(state_.changed.empty());
  commit({.actions = {}, .extension = {.operation = "compact", .dissolved = {"a"}, .keeps_rollups = true}});
  EXPECT_TRUE(state_.changed.empty());
  commit({.actions = {}, .extension = {.operation = "restore_version", .dissolved = {"a", "b"}}});
  ASSERT_EQ(state_.changed.size(), 1U) << "a was no more";
  EXPECT_EQ(state_.changed.front().coverage_path, "b");
  EXPECT_EQ(state_.changed.front().version, 7U);
}

TEST_F(LevelsTest, SegmentsComeBackToTheRankThatTheyHad) {
  commit(append_proposal(1));
  Proposal back{.actions = {RemoveSegment{sample_segment(1).path}, AddSegment{sample_segment(1)}}, .extension = {}};
  back.extension.ranks = {{sample_segment(1).path, {.rank = 9}}};
  const Status later = try_commit(back);
  ASSERT_FALSE(later);
  EXPECT_NE(later.error().message.find("have rank 9; want 0 to 4"), std::string::npos) << later.error().message;
  back.extension.ranks = {{sample_segment(1).path, {.rank = 0}}};  // as segments have that came before it mattered
  commit(back);
  EXPECT_EQ(state_.segments.begin()->second->rank, model::SegmentRank{});
  LevelChange change{.interval = "1m", .actions = {AddSegment{sample_segment(2, Dialect::kV7, "level")}}};
  change.ranks = {{sample_segment(2, Dialect::kV7, "level").path, {.rank = 2, .place = 4}}};
  commit(of_level(change));
  EXPECT_EQ(state_.find_level("1m")->table->segments.begin()->second->rank,
            (model::SegmentRank{.rank = 2, .place = 4}));
}

// Else a compaction that takes one of the two could put what is older in the place of the other.
TEST_F(LevelsTest, SegmentsOfOneCommitHavePlacesOfTheirOwn) {
  Proposal both = of_level({.interval = "1m", .actions = {AddSegment{sample_segment(1, Dialect::kV7, "level")}}});
  both.extension.levels.push_back(
      {.interval = "1m", .actions = {AddSegment{sample_segment(2, Dialect::kV7, "level")}}});
  commit(both);
  std::set<model::SegmentRank> places;
  for (const auto& [key, segment] : state_.find_level("1m")->table->segments) places.insert(segment->rank);
  EXPECT_EQ(places,
            (std::set<model::SegmentRank>{{.rank = state_.version, .place = 0}, {.rank = state_.version, .place = 1}}));
}

TEST_F(LevelsTest, NamesAreOfVersionsThatAreThere) {
  Proposal names{.actions = {}, .extension = {.operation = "name_version"}};
  names.extension.version_names = {{"x", 3}};
  const Status refused = try_commit(names);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("version 3 of name \"x\" is not there"), std::string::npos);
  names.extension.version_names = {{"x", 1}};
  commit(names);
  EXPECT_EQ(state_.version_names, *names.extension.version_names);
  commit({.actions = {}, .extension = {.operation = "give_up_history", .oldest = 3}});
  EXPECT_FALSE(state_.has_given_up(1));
  EXPECT_TRUE(state_.has_given_up(2));
}

TEST_F(LevelsTest, ALevelIsATableOfItsOwn) {
  const auto before = state_.find_level("1m")->table;
  commit(append_proposal(1));
  EXPECT_EQ(state_.find_level("1m")->table, before);
  LevelChange change{.interval = "1m", .actions = {AddSegment{sample_segment(1, Dialect::kV7, "level")}}, .rank = 2};
  commit(of_level(change));
  const auto table = state_.find_level("1m")->table;
  EXPECT_EQ(table->version, state_.version);
  EXPECT_EQ(table->level, "1m");
  EXPECT_EQ(table->segments.begin()->second->rank.rank, 2U);
  EXPECT_NE(table->meta->schema->find("count(*)"), nullptr);
  EXPECT_EQ(state_.segments.size(), 1U);
}

TEST_F(LevelsTest, TheirColumnsFollowTheTables) {
  model::TableMeta meta = *state_.meta;
  meta.schema->columns.push_back({.name = "x", .type = {.id = model::TypeId::kFloat64}});
  meta.reader_features.insert("schema_add_columns");
  meta.writer_features.insert("schema_add_columns");
  commit({.actions = {UpdateTableMeta{meta}}, .extension = {.operation = "add_columns"}});
  EXPECT_NE(state_.find_level("1h")->table->meta->schema->find("max(x)"), nullptr);
}

TEST_F(LevelsTest, OtherIntervalsLeaveThoseThatStay) {
  commit(of_level({.interval = "1h", .actions = {AddSegment{sample_segment(1, Dialect::kV7, "level")}}}));
  Proposal options{.actions = {}, .extension = {.operation = "set_rollups"}};
  options.extension.rollups = model::RollupSpec{.intervals = {Interval(60 * kMinute), Interval(1'440 * kMinute)}};
  options.extension.levels = {{.interval = "1d", .through = 3}};
  commit(options);
  ASSERT_EQ(state_.levels.size(), 2U);
  EXPECT_EQ(state_.levels[0].table->segments.size(), 1U);
  EXPECT_EQ(state_.levels[1].name, "1d");
  options.extension.rollups->timezone = "Europe/Berlin";  // no hour is what it was
  commit(options);
  EXPECT_TRUE(state_.levels[0].table->segments.empty());
  commit({.actions = {}, .extension = {.operation = "set_rollups", .rollups = model::RollupSpec{}}});
  EXPECT_TRUE(state_.levels.empty());
}

TEST_F(LevelsTest, WhatContradictsIsRefused) {
  commit(append_proposal(1));
  commit(of_level({.interval = "1m", .through = 3}));
  const auto refused = [&](LevelChange change) {
    const TableState before = state_;
    const Status done = try_commit(of_level(std::move(change)));
    EXPECT_EQ(describe(state_), describe(before));
    return done ? std::string() : done.error().message;
  };
  EXPECT_NE(refused({.interval = "5m"}).find("there is no level 5m"), std::string::npos);
  EXPECT_NE(refused({.interval = "1m", .through = 2}).find("is to be of 2"), std::string::npos);
  EXPECT_NE(refused({.interval = "1m", .through = 5}).find("want one before the commit"), std::string::npos);
  EXPECT_NE(refused({.interval = "1m", .pending = "p"}).find("not of which version"), std::string::npos);
  EXPECT_NE(refused({.interval = "1m", .rank = 9}).find("have rank 9"), std::string::npos);
  const AddSegment twice{sample_segment(1, Dialect::kV7, "level")};
  EXPECT_NE(refused({.interval = "1m", .actions = {twice, twice}}).find("is in the table already"), std::string::npos);
  EXPECT_NE(refused({.interval = "1m", .tombstones = {{.touched_path = "t", .rank = 1}}}).find("without the feature"),
            std::string::npos);
}

TEST_F(LevelsTest, RetentionIsAnOption) {
  Proposal keep{.actions = {}, .extension = {.operation = "set_retention"}};
  keep.extension.retention = model::Retention{{.keep = {{"rows", Interval(60 * kMinute)}}}};
  commit(keep);
  commit(append_proposal(1));
  EXPECT_EQ(state_.retention, keep.extension.retention);
  keep.extension.retention->front().where = {{.column = "host", .values = {"a"}}};
  const Status refused = try_commit(keep);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("\"host\", which is no tag"), std::string::npos);
  keep.extension.retention->clear();
  commit(keep);
  EXPECT_TRUE(state_.retention.empty());
}

}  // namespace
}  // namespace marigram::log
