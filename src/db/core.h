// A database, put together: storage, owner, log, catalogue, write path, the one thread that flushes and syncs, and
// background jobs.
#pragma once

#include "base/clock.h"
#include "base/thread_pool.h"
#include "base/try.h"
#include "db/catalogue.h"
#include "db/figures.h"
#include "db/flush_marks.h"
#include "db/jobs.h"
#include "db/owner.h"
#include "db/storage.h"
#include "db/write_path.h"
#include "head/memory_budget.h"
#include "wal/wal.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace marigram::db {

/// What a database runs on, handed in from above. `clock` and `pool` are borrowed.
struct Surroundings {
  std::shared_ptr<Storage> storage;
  const Clock* clock = nullptr;
  ThreadPool* pool = nullptr;
  bool background = true;  ///< flush, sync and run jobs by threads; else only when asked
};

/// Figures of all flushes.
struct FlushFigures {
  std::uint64_t flushes = 0;
  std::uint64_t points = 0;
  double seconds = 0;
  std::string last_error = {};
};

/// Thread-safe.
class Core {
 public:
  static Result<std::unique_ptr<Core>> open(const Surroundings& surroundings, const DatabaseOptions& options);
  /// Closes, but cannot tell of errors.
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  /// Flushes, and lets go of the log and of the ownership. Nothing can be written afterwards.
  Status close();

  const DatabaseOptions& options() const { return options_; }
  Storage& storage() const { return *surroundings_.storage; }
  const Surroundings& surroundings() const { return surroundings_; }
  Catalogue& catalogue() { return catalogue_; }
  const RecoveryReport& recovery() const { return recovery_; }
  const head::MemoryBudget& memory() const { return memory_; }
  const wal::Wal* log() const { return log_.get(); }
  /// Null if the database was opened read-only.
  JobScheduler* jobs() const { return jobs_ ? &jobs_->scheduler() : nullptr; }
  std::uint64_t points() const { return write_path_ ? write_path_->points() : 0; }
  FlushFigures flush_figures() const;
  double points_per_second() const { return rate_.per_second(points()); }

  /// kPermissionDenied if the database was opened read-only, kInvalidInput if it was closed.
  Status check_writable() const;
  Status write(std::string_view name_space, const model::WriteBatch& batch, Durability durability);
  /// See WritePath::write_points.
  template <typename Points>
  Status write_points(std::string_view name_space, std::string_view table, const Points& points,
                      std::optional<Durability> durability) {
    MARIGRAM_TRY(check_writable());
    return write_path_->write_points(name_space, table, points, durability.value_or(options_.durability));
  }
  /// A table to read from: the newest version, if the database is not ours.
  Result<table::LiveTable*> table_to_read(std::string_view name_space, std::string_view name);
  /// For flushes that a change of the catalogue asks for.
  table::FlushLog& marks() { return *marks_; }
  /// Makes segments of all rows in memory, and cuts the log.
  Status flush();
  Status flush(table::LiveTable& table);
  /// Lets `change` commit other rows of a table in place of all that were inserted before.
  Status replace_rows(table::LiveTable& table, const std::function<Status(table::Engine&)>& change);

 private:
  Core(const Surroundings& surroundings, const DatabaseOptions& options);

  Status start();
  Status recover();
  Status make_room_for_replay(const std::string& log, wal::Lsn lsn);
  Status cut_log();
  Status leave_log_behind();
  void wake();
  void work(const std::stop_token& stop);
  void note_flush(const Result<std::uint64_t>& rows, double seconds);

  const Surroundings surroundings_;
  const DatabaseOptions options_;
  head::MemoryBudget memory_;
  MemoryGate gate_;
  Catalogue catalogue_;
  std::optional<Owner> owner_;
  std::unique_ptr<wal::Wal> log_;
  std::unique_ptr<table::FlushLog> marks_;
  std::unique_ptr<WritePath> write_path_;
  RecoveryReport recovery_;
  Rate rate_;  // of points
  std::unique_ptr<Jobs> jobs_;

  std::atomic<bool> closed_ = false;
  std::mutex cut_mutex_;    // held while the log is cut
  wal::Lsn log_start_ = 0;  // guarded by cut_mutex_: the log is read from here on

  std::mutex close_mutex_;    // held by the one who closes
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable_any woken_;
  bool wanted_ = false;
  FlushFigures flushed_;
  std::jthread worker_;
};

/// Where `path` is: a folder, or "memory:". With the machine's clock and the process' threads.
Result<Surroundings> surroundings_of(std::string_view path);

}  // namespace marigram::db
