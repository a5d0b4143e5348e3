// How a table's commits are folded while it is written. Without this test opening one could take longer with each
// commit, or a commit that is there be reported as failed because its checkpoint could not be written.
#include "table/engine.h"

#include "log/checkpoint.h"
#include "log/store_wrapper.h"
#include "table/test_rows.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace marigram::table::testing {
namespace {

struct EngineTest : ::testing::Test {
  Fixture fixture;
  std::shared_ptr<log::StoreWrapper> wrapper = std::make_shared<log::StoreWrapper>(fixture.store);
  std::unique_ptr<Engine> engine;

  void SetUp() override {
    fixture.store = wrapper;
    engine = fixture.create();
  }

  /// Appends one row a version.
  void append_up_to(std::uint64_t version) {
    while (engine->state()->version < version) {
      const auto minute = static_cast<std::int64_t>(engine->state()->version);
      const auto appended = append_rows(*engine, minutes("a", minute, 1));
      ASSERT_TRUE(appended) << appended.error().message;
    }
  }

  /// How many commits are read by whoever opens the table, which has `version`.
  std::uint64_t commits_read(std::uint64_t version) {
    std::uint64_t commits = 0;
    wrapper->on_read = [&](std::string_view key) { commits += key.starts_with("_timeseries_log/0") ? 1 : 0; };
    const auto opened = Engine::open(fixture.environment(), {});
    wrapper->on_read = {};
    EXPECT_TRUE(opened && (*opened)->state()->version == version);
    return commits;
  }
};

TEST_F(EngineTest, OpeningReadsFewCommitsHoweverManyThereAre) {
  constexpr std::uint64_t kEvery = Engine::kCheckpointEvery;
  for (const std::uint64_t version : {kEvery - 1, kEvery, kEvery + 1, 2 * kEvery, 3 * kEvery + 5}) {
    append_up_to(version);
    EXPECT_LE(commits_read(version), version % kEvery + 2) << "those since the checkpoint, its own, and the newest";
  }
  EXPECT_EQ(scan_rows(**Engine::open(fixture.environment(), {}))->size(), 3 * kEvery + 4);
  EXPECT_FALSE(log::load_checkpoint(*wrapper, kEvery)) << "two are enough";
  EXPECT_TRUE(log::load_checkpoint(*wrapper, 2 * kEvery));
  EXPECT_TRUE(log::load_checkpoint(*wrapper, 3 * kEvery));
}

TEST_F(EngineTest, CommitsGoOnWithoutCheckpointsThatCannotBeWritten) {
  constexpr std::uint64_t kEvery = Engine::kCheckpointEvery;
  std::uint64_t refused = 0;
  wrapper->on_create = [&](std::string_view key) -> Status {
    if (!key.contains("_checkpoints")) return {};
    ++refused;
    return fail(ErrorCode::kResourceExhausted, "the disk is full");
  };
  append_up_to(2 * kEvery + 1);
  EXPECT_EQ(refused, 2U);
  EXPECT_GE(commits_read(2 * kEvery + 1), 2 * kEvery + 1);
  wrapper->on_create = {};
  append_up_to(3 * kEvery);
  EXPECT_LE(commits_read(3 * kEvery), 2U);
}

}  // namespace
}  // namespace marigram::table::testing
