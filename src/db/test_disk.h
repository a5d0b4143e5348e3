// A database on a disk that can fail and lose power.
#pragma once

#include "base/manual_clock.h"
#include "base/thread_pool.h"
#include "db/copy.h"
#include "db/core.h"
#include "db/open.h"
#include "db/storage.h"
#include "io/simulated_file_system.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <cstdint>
#include <memory>

namespace marigram::db::testing {

/// Nothing runs in the background, and there is one thread to work with: what happens follows from what is asked.
class TestDisk {
 public:
  using Mode = io::FaultStore::Mode;

  static constexpr std::uint64_t kLogFileBytes = std::uint64_t{32} << 10;
  static constexpr const char* kPath = "/db";

  Result<Database> open(const DatabaseOptions& options) { return open_database(surroundings(kPath), options); }
  Surroundings surroundings(const char* path) {
    return {.storage = make_file_storage(disk_, path), .clock = &clock_, .pool = &pool_, .background = false};
  }

  io::SimulatedFileSystem& disk() { return *disk_; }
  ManualClock& clock() { return clock_; }
  /// From now on the disk is one that has what survived a power cut. Let go of all that is open before.
  void restart() { disk_ = disk_->restart(); }
  /// From now on the disk is another, that has a snapshot of what was flushed and nothing else.
  Status move() {
    const auto fresh = io::SimulatedFileSystem::make(clock_);
    const auto reader = Core::open(surroundings(kPath), {.create = false, .read_only = true});
    if (!reader) return std::unexpected(reader.error());
    const auto copied = make_snapshot(**reader, *make_file_storage(fresh, kPath));
    if (!copied) return std::unexpected(copied.error());
    disk_ = fresh;
    return {};
  }

 private:
  ManualClock clock_;
  ThreadPool pool_{1};
  std::shared_ptr<io::SimulatedFileSystem> disk_ = io::SimulatedFileSystem::make(clock_);
};

}  // namespace marigram::db::testing
