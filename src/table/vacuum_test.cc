// How much history a table keeps. Without this a vacuum could take files of a version that is to stay, leave those of
// versions that are given up for ever, or leave a version that opens and cannot be read.
#include "table/vacuum.h"

#include "table/delete.h"
#include "table/rewrite.h"
#include "table/test_rows.h"
#include "table/verify.h"

#include <fmt/format.h>

#include <chrono>
#include <string>

namespace marigram::table::testing {
namespace {

class HistoryTest : public ::testing::Test {
 protected:
  /// Versions 2 to 5 are appends, an hour apart; 6 compacts them, 7 deletes some.
  void SetUp() override {
    TableOptions options = Fixture::options();
    options.segments = SegmentFormat::kNative;
    engine_ = fixture_.create(options);
    for (const std::int64_t first_minute : {0, 10, 20, 30}) {
      fixture_.clock.advance(std::chrono::hours(1));
      ASSERT_TRUE(append_rows(*engine_, minutes("a", first_minute, 3)));
    }
    fixture_.clock.advance(std::chrono::hours(1));
    ASSERT_TRUE(compact(*engine_));
    fixture_.clock.advance(std::chrono::hours(1));
    ASSERT_TRUE(remove_rows(*engine_, {.to = Instant{.seconds = 60}}));
    ASSERT_EQ(engine_->state()->version, 7U);
    fixture_.clock.advance(std::chrono::hours(1));
  }

  VacuumReport vacuumed(const History& history, bool dry_run = false) {
    const auto report = vacuum(*engine_, 0, dry_run, history);
    EXPECT_TRUE(report) << report.error().message;
    return report.value_or(VacuumReport());
  }
  /// How many rows a version has, or why it has none.
  std::string rows_at(std::uint64_t version) {
    const auto engine = Engine::open(fixture_.environment(), {.at = version});
    if (!engine) return engine.error().message;
    const auto rows = scan_rows(**engine);
    return rows ? std::to_string(rows->size()) : rows.error().message;
  }

  Fixture fixture_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(HistoryTest, IsKeptUnlessSomebodyGivesItUp) {
  EXPECT_EQ(vacuumed({}).files, 0U);
  EXPECT_EQ(rows_at(3), "6");
}

TEST_F(HistoryTest, VersionsBeforeTheNewestSoManyAreGivenUp) {
  const VacuumReport would = vacuumed({.versions = 3}, true);
  EXPECT_EQ(rows_at(2), "3") << "nothing went";
  EXPECT_EQ(engine_->state()->version, 7U);
  const VacuumReport done = vacuumed({.versions = 3});
  EXPECT_EQ(done.oldest, 5U);
  EXPECT_EQ(done.paths, would.paths);
  EXPECT_EQ(rows_at(4), "cannot open table memory at version 4: those before 5 were given up; it has 5 to 8");
  EXPECT_EQ(rows_at(5), "12");
  EXPECT_EQ(rows_at(7), "11");
  EXPECT_EQ(vacuumed({.versions = 100}).oldest, 5U) << "what is given up is";
  EXPECT_GT(vacuumed({.versions = 1}).files, 4U) << "segments of before the compaction, and coverage";
  EXPECT_EQ(vacuumed({}).files, 0U);
  const auto rows = scan_rows(*engine_);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->size(), 11U);
  EXPECT_EQ(verify(fixture_.environment(), false)->problems, std::vector<std::string>());
}

TEST_F(HistoryTest, VersionsOfBeforeATimeAreGivenUp) {
  EXPECT_EQ(vacuumed({.seconds = 7 * 3'600}).oldest, 1U);
  EXPECT_EQ(vacuumed({.seconds = 3 * 3'600 + 60}).oldest, 4U) << "it was the newest then";
  EXPECT_NE(rows_at(3).find("were given up"), std::string::npos);
  EXPECT_EQ(rows_at(4), "9");
  EXPECT_EQ(vacuumed({.versions = 1, .seconds = 2 * 3'600}).oldest, 6U) << "both say what stays";
}

TEST_F(HistoryTest, IsTheSameFromACheckpointAndFromTheLog) {
  vacuumed({.versions = 1});
  for (const bool checkpoint : {false, true}) {
    if (checkpoint) {
      ASSERT_TRUE(engine_->log().write_checkpoint(*engine_->state()));
    }
    const auto reopened = Engine::open(fixture_.environment(), {});
    ASSERT_TRUE(reopened) << reopened.error().message;
    EXPECT_EQ((*reopened)->state()->oldest, 7U);
    EXPECT_EQ(scan_rows(**reopened)->size(), 11U);
  }
}

TEST_F(HistoryTest, OfNothingIsRefused) {
  EXPECT_FALSE(vacuum(*engine_, 0, false, {.versions = 0}));
  EXPECT_FALSE(vacuum(*engine_, 0, false, {.seconds = -1}));
  EXPECT_EQ(engine_->state()->version, 7U);
}

}  // namespace
}  // namespace marigram::table::testing
