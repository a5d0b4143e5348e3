// Tables of databases are folded as they are flushed. Without this test a database would open more slowly with every
// flush, and a snapshot fail because a checkpoint that it does not need went meanwhile.
#include "log/checkpoint.h"
#include "base/manual_clock.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "db/copy.h"
#include "db/core.h"
#include "db/points.h"
#include "db/storage.h"
#include "log/store_wrapper.h"
#include "table/engine.h"
#include "table/rewrite.h"
#include "table/vacuum.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

constexpr const char* kFolder = "tables/t/cpu";
constexpr std::int64_t kFlushes = 200;

/// Storage in memory that says when an object is made.
class WatchedStorage final : public Storage {
 public:
  WatchedStorage(const Clock& clock, std::function<void()> on_create)
      : inner_(make_memory_storage(clock)), on_create_(std::move(on_create)) {}

  std::string name() const override { return inner_->name(); }
  std::shared_ptr<io::ObjectStore> store(const std::string& folder) override {
    auto wrapper = std::make_shared<log::StoreWrapper>(inner_->store(folder));
    wrapper->on_create = [this](std::string_view /*key*/) -> Status {
      on_create_();
      return {};
    };
    return wrapper;
  }
  std::shared_ptr<io::ObjectStore> elsewhere(const std::string& path) override { return inner_->elsewhere(path); }
  Result<std::vector<std::string>> folders(const std::string& folder) const override { return inner_->folders(folder); }
  Status move_folder(const std::string& from, const std::string& to) override { return inner_->move_folder(from, to); }
  Status remove_folder(const std::string& folder) override { return inner_->remove_folder(folder); }
  io::FileSystem* files() const override { return nullptr; }
  std::filesystem::path path(const std::string& /*folder*/) const override { return {}; }

 private:
  std::shared_ptr<Storage> inner_;
  std::function<void()> on_create_;
};

struct CheckpointTest : ::testing::Test {
  ManualClock clock;
  ThreadPool pool{1};
  std::shared_ptr<Storage> storage = make_memory_storage(clock);
  std::unique_ptr<Core> core;

  Surroundings surroundings(std::shared_ptr<Storage> on) {
    return {.storage = std::move(on), .clock = &clock, .pool = &pool, .background = false};
  }
  void SetUp() override {
    auto opened = Core::open(surroundings(storage), {});
    ASSERT_TRUE(opened) << opened.error().message;
    core = std::move(*opened);
    for (std::int64_t time = 0; time < kFlushes; ++time) {
      const double value = 1;
      const SeriesPoints point{.tags = {}, .times_ns = std::span(&time, 1), .values = std::span(&value, 1)};
      ASSERT_TRUE(core->write_points("t", "cpu", point, {}));
      const Status flushed = core->flush();
      ASSERT_TRUE(flushed) << flushed.error().message;
    }
  }
  /// Its version; 0 if there is none up to `version`.
  static std::uint64_t newest_checkpoint(io::ObjectStore& store, std::uint64_t version) {
    const auto newest = log::load_newest_checkpoint(store, version);
    return newest ? newest->version : 0;
  }
};

TEST_F(CheckpointTest, FlushesFoldTheLog) {
  const auto store = std::make_shared<log::StoreWrapper>(storage->store(kFolder));
  std::uint64_t commits = 0;
  store->on_read = [&](std::string_view key) { commits += key.starts_with("_timeseries_log/0") ? 1 : 0; };
  const auto opened = table::Engine::open({.store = store, .clock = &clock, .pool = &pool}, {});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_GT((*opened)->state()->version, static_cast<std::uint64_t>(kFlushes));
  EXPECT_LE(commits, table::Engine::kCheckpointEvery);
}

TEST_F(CheckpointTest, SnapshotsNeedNone) {
  const std::uint64_t version = core->catalogue().find("t", "cpu").value()->engine().state()->version;
  const auto source = storage->store(kFolder);
  ASSERT_GT(newest_checkpoint(*source, version), 0U);
  for (const bool gone_meanwhile : {false, true}) {
    // What a flush does that makes newer ones, after the objects to be copied were listed.
    const auto remove_all = [&] {
      while (const std::uint64_t newest = newest_checkpoint(*source, version)) {
        ASSERT_TRUE(source->remove(log::checkpoint_path(newest)));
      }
    };
    const auto copy = std::make_shared<WatchedStorage>(clock, [&] {
      if (gone_meanwhile) remove_all();
    });
    const auto copied = make_snapshot(*core, *copy);
    ASSERT_TRUE(copied) << copied.error().message;
    EXPECT_EQ(newest_checkpoint(*copy->store(kFolder), version) > 0, !gone_meanwhile);
    const auto opened = Core::open(surroundings(copy), {.create = false});
    ASSERT_TRUE(opened) << opened.error().message;
    table::LiveTable* const table = (*opened)->table_to_read("t", "cpu").value();
    EXPECT_EQ(table->engine().state()->version, version + 1) << "it gives up the versions before";
  }
}

/// What compaction and vacuum take away while a table is copied is of a version that is not the newest any more.
TEST_F(CheckpointTest, SnapshotsGoOnWithTheNextVersionWhereFilesGo) {
  table::LiveTable* const table = core->catalogue().find("t", "cpu").value();
  const std::uint64_t version = table->engine().state()->version;
  std::uint64_t gone = 0;
  const auto copy = std::make_shared<WatchedStorage>(clock, [&] {
    if (gone > 0) return;
    clock.advance(std::chrono::seconds(60));
    const Status changed = table->change_segments([&](table::Engine& engine) -> Status {
      MARIGRAM_TRY(table::compact(engine));
      MARIGRAM_ASSIGN(const VacuumReport report, table::vacuum(engine, 0, false, {.versions = 1}));
      gone = report.files;
      return {};
    });
    ASSERT_TRUE(changed) << changed.error().message;
  });
  const auto copied = make_snapshot(*core, *copy);
  ASSERT_TRUE(copied) << copied.error().message;
  EXPECT_GT(gone, 100U);
  EXPECT_EQ(copied->rows, static_cast<std::uint64_t>(kFlushes));
  const auto report = verify_snapshot(*copy);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->problems.empty());
  const auto files = copy->store(kFolder)->list("");
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ(files->size(), copied->files) << "files of the version before are left";
  const auto opened = Core::open(surroundings(copy), {.create = false});
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_GT((*opened)->table_to_read("t", "cpu").value()->engine().state()->version, version);
}

}  // namespace
}  // namespace marigram::db
