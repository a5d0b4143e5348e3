// The fold of commits. Without this a commit that contradicts the table could be taken in, in part or whole, and
// readers would disagree about what the table holds.
#include "log/table_state.h"

#include "log/sample_commits.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace marigram::log {
namespace {

Commit commit_of(std::uint64_t version, std::vector<Action> actions) {
  return {
      .version = version, .timestamp = {.seconds = static_cast<std::int64_t>(version)}, .actions = std::move(actions)};
}

TableState table(Dialect dialect = Dialect::kV7) {
  TableState state;
  EXPECT_TRUE(
      apply(state, commit_of(1, {UpdateTableMeta{sample_meta(dialect)}, AddSegment{sample_segment(0, dialect)}})));
  return state;
}

void expect_refused(const TableState& before, std::vector<Action> actions, const std::string& because) {
  TableState state = before;
  const auto status = apply(state, commit_of(before.version + 1, std::move(actions)));
  ASSERT_FALSE(status) << because;
  EXPECT_NE(status.error().message.find(because), std::string::npos) << status.error().message;
  EXPECT_NE(status.error().message.find("commit 2"), std::string::npos) << status.error().message;
  EXPECT_EQ(describe(state), describe(before));
  EXPECT_EQ(state.meta, before.meta);
}

UpdateTableMeta changed(const std::function<void(model::TableMeta&)>& change) {
  model::TableMeta meta = sample_meta();
  change(meta);
  return {meta};
}

TEST(TableStateTest, FirstCommitBringsMetadata) {
  TableState state;
  EXPECT_FALSE(apply(state, commit_of(1, {AddSegment{sample_segment(0)}})));
  EXPECT_FALSE(apply(state, commit_of(2, {UpdateTableMeta{sample_meta()}})));
  EXPECT_EQ(state.version, 0U);
  EXPECT_TRUE(apply(state, commit_of(1, {AddSegment{sample_segment(0)}, UpdateTableMeta{sample_meta()}})));
  EXPECT_EQ(state.segments.size(), 1U);
}

model::TableMeta with_policy() {
  model::TableMeta meta = sample_meta();
  meta.reader_features.insert(kDuplicatesFeature);
  meta.writer_features.insert(kDuplicatesFeature);
  return meta;
}

Commit with_extension(Commit commit, Extension extension) {
  commit.extension = std::move(extension);
  return commit;
}

TEST(TableStateTest, PolicyOnDuplicatesIsThatOfTheFirstCommit) {
  TableState state;
  const Extension last{.duplicates = Duplicates::kLast};
  EXPECT_FALSE(check(state, commit_of(1, {UpdateTableMeta{with_policy()}}))) << "a feature without policy";
  EXPECT_FALSE(check(state, with_extension(commit_of(1, {UpdateTableMeta{sample_meta()}}), last))) << "or the reverse";
  model::TableMeta readers_only = with_policy();
  readers_only.writer_features.clear();
  EXPECT_FALSE(check(state, with_extension(commit_of(1, {UpdateTableMeta{readers_only}}), last)));
  ASSERT_TRUE(apply(state, with_extension(commit_of(1, {UpdateTableMeta{with_policy()}}), last)));
  EXPECT_EQ(state.duplicates, Duplicates::kLast);
  EXPECT_FALSE(check(state, with_extension(commit_of(2, {}), {.duplicates = Duplicates::kAll})));
  EXPECT_FALSE(check(state, commit_of(2, {UpdateTableMeta{sample_meta()}})));
  ASSERT_TRUE(apply(state, commit_of(2, {})));
  ASSERT_TRUE(apply(state, with_extension(commit_of(3, {}), last)));
  EXPECT_EQ(state.duplicates, Duplicates::kLast);
  expect_refused(table(), {UpdateTableMeta{with_policy()}}, "policy on duplicates");
}

TEST(TableStateTest, NativeSegmentsNeedTheirFeature) {
  model::SegmentMeta native = sample_segment(1);
  native.format = SegmentFormat::kNative;
  expect_refused(table(), {AddSegment{native}}, kNativeFeature);
  TableState state = table();
  const Extension chosen{.segments = SegmentFormat::kNative};
  EXPECT_FALSE(check(state, with_extension(commit_of(2, {}), chosen)));
  const UpdateTableMeta with_feature = changed([](model::TableMeta& meta) {
    meta.reader_features.insert(kNativeFeature);
    meta.writer_features.insert(kNativeFeature);
  });
  ASSERT_TRUE(apply(state, with_extension(commit_of(2, {with_feature, AddSegment{native}}), chosen)));
  EXPECT_EQ(state.segment_format, SegmentFormat::kNative);
  ASSERT_TRUE(apply(state, with_extension(commit_of(3, {}), {.segments = SegmentFormat::kParquet})));
  EXPECT_EQ(state.segment_format, SegmentFormat::kParquet);
  EXPECT_EQ(state.segments.at(native.path)->format, SegmentFormat::kNative);
}

TEST(TableStateTest, SegmentsKeepTheRankOfTheirCommit) {
  TableState state;
  ASSERT_TRUE(apply(state, with_extension(commit_of(1, {UpdateTableMeta{with_policy()}, AddSegment{sample_segment(0)}}),
                                          {.duplicates = Duplicates::kAll})));
  ASSERT_TRUE(apply(state, commit_of(2, {AddSegment{sample_segment(2)}, AddSegment{sample_segment(1)}})));
  const Commit rewrite = commit_of(3, {RemoveSegment{sample_segment(2).path}, AddSegment{sample_segment(3)}});
  for (const std::uint64_t rank : {0U, 4U}) EXPECT_FALSE(check(state, with_extension(rewrite, {.rank = rank})));
  ASSERT_TRUE(apply(state, with_extension(rewrite, {.rank = 2})));
  const auto rank_of = [&](std::int64_t n) {
    const model::SegmentRank rank = state.segments.at(sample_segment(n).path)->rank;
    return std::pair(rank.rank, rank.place);
  };
  EXPECT_EQ(rank_of(0), std::pair(1UL, 0UL));
  EXPECT_EQ(rank_of(1), std::pair(2UL, 1UL));
  EXPECT_EQ(rank_of(3), std::pair(2UL, 0UL));
  EXPECT_EQ(table().segments.begin()->second->rank, model::SegmentRank{}) << "a table that rejects has no use for it";
}

TEST(TableStateTest, TombstonesStayUntilTheyAreDissolved) {
  TableState state = table();
  const model::Tombstone first{.touched_path = "a", .rank = 1};
  const model::Tombstone second{.touched_path = "b", .rank = 2};
  const auto bring = [](const model::Tombstone& tombstone) { return Extension{.tombstones = {tombstone}}; };
  EXPECT_FALSE(check(state, with_extension(commit_of(2, {}), bring(first)))) << "no feature tells of it";
  const UpdateTableMeta with_feature = changed([](auto& meta) { meta.require(kTombstonesFeature); });
  ASSERT_TRUE(apply(state, with_extension(commit_of(2, {with_feature, AddSegment{sample_segment(7)}}), bring(first))));
  EXPECT_EQ(state.segments.at(sample_segment(7).path)->rank.rank, 2U) << "it is above the tombstone";
  EXPECT_EQ(state.segments.begin()->second->rank.rank, 0U) << "it was there before";

  EXPECT_FALSE(check(state, with_extension(commit_of(3, {}), bring(first)))) << "it is there";
  for (const std::uint64_t rank : {0U, 3U}) {
    EXPECT_FALSE(check(state, with_extension(commit_of(3, {}), bring({.touched_path = "c", .rank = rank}))));
  }
  EXPECT_FALSE(
      check(state, with_extension(commit_of(3, {}), bring({.touched_path = "c", .rank = 1, .from = std::int64_t{1}}))));
  EXPECT_FALSE(check(
      state, with_extension(commit_of(3, {}), bring({.touched_path = "c", .rank = 1, .where = {{.column = "x"}}}))));

  ASSERT_TRUE(apply(state, with_extension(commit_of(3, {}), bring(second))));
  ASSERT_TRUE(apply(state, with_extension(commit_of(4, {}), {.dissolved = {"a", "never there"}})));
  ASSERT_EQ(state.tombstones.size(), 1U);
  EXPECT_EQ(*state.tombstones.at("b"), second);
}

TEST(TableStateTest, TheLastWalMarkWins) {
  TableState state = table();
  const WalMark first{.log = std::string(32, 'a'), .lsn = 7};
  const WalMark other{.log = std::string(32, 'b'), .lsn = 1};
  ASSERT_TRUE(apply(state, with_extension(commit_of(2, {}), {.wal = first})));
  ASSERT_TRUE(apply(state, with_extension(commit_of(3, {}), {})));
  EXPECT_EQ(state.wal, first);
  ASSERT_TRUE(apply(state, with_extension(commit_of(4, {}), {.wal = other})));
  EXPECT_EQ(state.wal, other);
}

TEST(TableStateTest, V7RefusesWhatContradicts) {
  const TableState state = table();
  expect_refused(state, {AddSegment{sample_segment(0)}}, "in the table already");
  expect_refused(state, {AddSegment{sample_segment(1)}, AddSegment{sample_segment(1)}}, "in the table already");
  expect_refused(state, {AddSegment{sample_segment(1, Dialect::kV1)}}, "dialect");
  model::SegmentMeta segment = sample_segment(1);
  segment.min = std::int64_t{1};
  expect_refused(state, {AddSegment{segment}}, "timestamp");
  segment = sample_segment(1);
  std::swap(segment.min, segment.max);
  expect_refused(state, {AddSegment{segment}}, "in order");
  segment = sample_segment(1);
  for (const model::SegmentLayout& layout :
       {model::SegmentLayout(model::NoSeries{}), model::SegmentLayout(SeriesKey{std::int64_t{1}}),
        model::SegmentLayout(SeriesKey{std::string("a"), std::string("b")})}) {
    segment.layout = layout;
    expect_refused(state, {AddSegment{segment}}, segment.path);
  }
  expect_refused(state, {UpdateTableCoverage{model::Int64Index{}, "_coverage/x"}}, "_coverage/x");
  expect_refused(state, {UpdateTableMeta{sample_meta(Dialect::kV1)}}, "dialect");
  expect_refused(state, {changed([](auto& meta) { meta.index->column = "tag"; })}, "index");
  expect_refused(state, {changed([](auto& meta) { meta.index.reset(); })}, "index");
  expect_refused(state, {changed([](auto& meta) { meta.schema.reset(); })}, "schema");
  expect_refused(state, {changed([](auto& meta) { meta.schema->columns.pop_back(); })}, "tag");
  expect_refused(state, {changed([](auto& meta) { meta.schema->columns[1].nullable = true; })}, "columns");
  expect_refused(state, {changed([](auto& meta) { meta.schema->columns.push_back({.name = "x"}); })},
                 "schema_add_columns");
  expect_refused(state, {changed([](auto& meta) {
                   meta.schema->columns.push_back({.name = "x", .nullable = false});
                   meta.reader_features.insert("schema_add_columns");
                 })},
                 "not nullable");
  // A good action before a bad one leaves no trace either.
  expect_refused(state, {AddSegment{sample_segment(5)}, AddSegment{sample_segment(0)}}, "in the table already");
}

TEST(TableStateTest, FeaturesAreNeverDropped) {
  TableState state = table();
  ASSERT_TRUE(apply(state, commit_of(2, {changed([](auto& meta) {
                                       meta.schema->columns.push_back({.name = "x"});
                                       meta.reader_features.insert("schema_add_columns");
                                     })})));
  const auto dropped =
      apply(state, commit_of(3, {changed([](auto& meta) { meta.schema->columns.push_back({.name = "x"}); })}));
  ASSERT_FALSE(dropped);
  EXPECT_NE(dropped.error().message.find("schema_add_columns"), std::string::npos);
}

/// The metadata of a table that grows, with these tags.
model::TableMeta growing_meta(const std::vector<std::string>& tags) {
  model::TableMeta meta = sample_meta();
  meta.reader_features = {model::kGrowingFeature, "schema_add_columns"};
  meta.writer_features = {model::kGrowingFeature};
  meta.index->tags = tags;
  meta.schema->columns.pop_back();
  for (const std::string& tag : tags) {
    meta.schema->columns.push_back({.name = tag, .type = {.id = model::TypeId::kUtf8}});
  }
  return meta;
}

TEST(TableStateTest, TagsComeAtTheEndOfATableThatGrows) {
  TableState state;
  model::SegmentMeta mixed = sample_segment(1);
  mixed.layout = model::MixedSeries{};
  ASSERT_TRUE(apply(
      state, commit_of(1, {UpdateTableMeta{growing_meta({"tag"})}, AddSegment{sample_segment(0)}, AddSegment{mixed}})));
  const TableState before = state;
  model::SegmentMeta next = sample_segment(2);
  next.layout = SeriesKey{std::string("a"), std::string("x"), std::string()};
  ASSERT_TRUE(apply(state, commit_of(2, {UpdateTableMeta{growing_meta({"tag", "b", "c"})}, AddSegment{next}})));
  const std::string none;
  EXPECT_EQ(state.segments.at(sample_segment(0).path)->layout,
            model::SegmentLayout(SeriesKey{std::string("a"), none, none}));
  EXPECT_EQ(*state.segments.at(mixed.path), mixed);
  EXPECT_EQ(*state.segments.at(next.path), next);
  EXPECT_EQ(*before.segments.at(sample_segment(0).path), sample_segment(0)) << "an earlier version was changed";
  EXPECT_FALSE(apply(state, commit_of(3, {AddSegment{sample_segment(4)}}))) << "it names too few tags";
}

TEST(TableStateTest, SegmentsWithoutSeriesGetOne) {
  TableState state;
  model::SegmentMeta segment = sample_segment(0);
  segment.layout = model::NoSeries{};
  ASSERT_TRUE(apply(state, commit_of(1, {UpdateTableMeta{growing_meta({})}, AddSegment{segment}})));
  ASSERT_TRUE(apply(state, commit_of(2, {UpdateTableMeta{growing_meta({"a"})}})));
  EXPECT_EQ(state.segments.begin()->second->layout, model::SegmentLayout(SeriesKey{std::string()}));
}

TEST(TableStateTest, OtherChangesOfTheIndexAreRefusedWhereItGrows) {
  TableState state;
  model::TableMeta meta = growing_meta({"tag", "b"});
  meta.schema->columns.push_back({.name = "field", .type = {.id = model::TypeId::kUtf8}});
  ASSERT_TRUE(apply(state, commit_of(1, {UpdateTableMeta{meta}})));
  const auto refuse = [&](const std::function<void(model::TableMeta&)>& change, const std::string& because) {
    model::TableMeta next = meta;
    change(next);
    expect_refused(state, {UpdateTableMeta{next}}, because);
  };
  const auto add = [](model::TableMeta& next, model::Column column) {
    next.index->tags.push_back(column.name);
    next.schema->columns.push_back(std::move(column));
  };
  refuse([](auto& next) { next.index->tags.pop_back(); }, "index");
  refuse([](auto& next) { std::swap(next.index->tags[0], next.index->tags[1]); }, "index");
  refuse(
      [&](auto& next) {
        add(next, {.name = "c", .type = {.id = model::TypeId::kUtf8}});
        next.index->column = "c";
      },
      "index");
  refuse(
      [&](auto& next) {
        add(next, {.name = "c", .type = {.id = model::TypeId::kUtf8}});
        std::swap(next.index->tags[1], next.index->tags[2]);
      },
      "index");
  refuse([](auto& next) { next.index->tags.push_back("field"); }, "field");
  refuse([](auto& next) { next.index->tags.push_back("nowhere"); }, "nowhere");
  refuse([&](auto& next) { add(next, {.name = "c", .type = {.id = model::TypeId::kInt64}}); }, "int64");
  refuse([&](auto& next) { add(next, {.name = "c", .type = {.id = model::TypeId::kUtf8}, .nullable = false}); },
         "not nullable");
  refuse(
      [&](auto& next) {
        add(next, {.name = "c", .type = {.id = model::TypeId::kUtf8}});
        next.reader_features.erase(model::kGrowingFeature);
      },
      "marigram_growing");
  expect_refused(table(), {changed([&](auto& next) {
                   add(next, {.name = "c", .type = {.id = model::TypeId::kUtf8}});
                   next.reader_features.insert("schema_add_columns");
                 })},
                 "index");
}

TEST(TableStateTest, APathMayComeBackAfterItWasRemoved) {
  TableState state = table();
  const std::string path = sample_segment(0).path;
  EXPECT_TRUE(apply(state, commit_of(2, {RemoveSegment{path}, AddSegment{sample_segment(0)}})));
  EXPECT_TRUE(apply(state, commit_of(3, {RemoveSegment{path}, RemoveSegment{"data/unknown"}})));
  EXPECT_TRUE(state.segments.empty());
}

TEST(TableStateTest, V1TakesTheLastWord) {
  TableState state = table(Dialect::kV1);
  model::SegmentMeta again = sample_segment(0, Dialect::kV1);
  again.row_count = 99;
  EXPECT_TRUE(apply(state, commit_of(2, {AddSegment{again}, RemoveSegment{"seg-unknown"}})));
  EXPECT_EQ(state.segments.begin()->second->row_count, 99U);
  expect_refused(table(Dialect::kV1), {UnknownAction{"{\"Future\":1}"}}, "newer version");
}

TEST(TableStateTest, OptionsKeepTheirLastValue) {
  TableState state = table();
  Commit commit = commit_of(2, {UnknownAction{"{\"Future\":1}"}});
  commit.extension = Extension{.partition = "1d", .calendar = "{}", .declared_types = {{"ts", "timestamp[us]"}}};
  ASSERT_TRUE(apply(state, commit));
  commit = commit_of(3, {UnknownAction{"{\"Future\":2}"}});
  commit.extension = Extension{.calendar = ""};
  ASSERT_TRUE(apply(state, commit));
  EXPECT_EQ(state.partition, "1d");
  EXPECT_EQ(state.calendar, "");
  EXPECT_EQ(state.declared_types.size(), 1U);
  EXPECT_EQ(state.unknown_actions, (std::vector<std::string>{"{\"Future\":1}", "{\"Future\":2}"}));
}

TEST(TableStateTest, SegmentsComeInOrder) {
  TableState state = table();
  for (std::int64_t n = 20; n > 0; --n) {
    model::SegmentMeta segment = sample_segment(n);
    segment.min = Instant{.seconds = n / 3};
    segment.max = Instant{.seconds = n / 2 + 100};
    ASSERT_TRUE(apply(state, commit_of(state.version + 1, {AddSegment{segment}})));
  }
  const auto ordered = ordered_segments(state);
  ASSERT_EQ(ordered.size(), 21U);
  for (std::size_t i = 1; i < ordered.size(); ++i) {
    EXPECT_LT(std::tie(ordered[i - 1]->min, ordered[i - 1]->max, ordered[i - 1]->path),
              std::tie(ordered[i]->min, ordered[i]->max, ordered[i]->path));
  }
}

}  // namespace
}  // namespace marigram::log
