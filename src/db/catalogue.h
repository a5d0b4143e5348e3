// The tables of a database. The folders are the catalogue: a table is there if its log has a first commit, which is
// atomic, so there is no second list that could contradict them.
#pragma once

#include "base/clock.h"
#include "base/striped_shared_mutex.h"
#include "base/thread_pool.h"
#include "db/storage.h"
#include "head/memory_budget.h"
#include "head/series_budget.h"
#include "table/live_table.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace marigram::db {

// A table that was dropped keeps its folder under a name that no table has, "<folder>~<seconds since 1970>", until it
// is had back or swept away: then under "<folder>~<seconds>~", so that what is half deleted is not had back.

/// Thread-safe. Tables are opened when they are first asked for, and stay open as long as it lives, or until they are
/// dropped or renamed; but they are there to be pointed to as long as it lives.
class Catalogue {
 public:
  /// What is borrowed outlives it. `series_max`: of a namespace. `owner`: what is found in a table may be relied on by
  /// writing.
  Catalogue(std::shared_ptr<Storage> storage, const Clock& clock, ThreadPool& pool, head::MemoryBudget& memory,
            std::uint64_t series_max, bool owner);

  /// kNotFound if there is no such table.
  Result<table::LiveTable*> find(std::string_view name_space, std::string_view name);
  /// The same of tables that were found before; null for others.
  table::LiveTable* find_open(std::string_view name_space, std::string_view name) const;
  /// Makes the table if there is none.
  Result<table::LiveTable*> find_or_create(std::string_view name_space, std::string_view name,
                                           const TableOptions& options);
  /// kAlreadyExists.
  Status create(std::string_view name_space, std::string_view name, const TableOptions& options);

  // Dropping and renaming. `log`: for what is in memory of the table, which is flushed.

  /// kNotFound.
  Status drop(std::string_view name_space, std::string_view name, table::FlushLog& log);
  /// Within the namespace. kNotFound, kAlreadyExists.
  Status rename(std::string_view name_space, std::string_view from, std::string_view to, table::FlushLog& log);
  /// The one of that name that was dropped last. kNotFound, kAlreadyExists.
  Status undrop(std::string_view name_space, std::string_view name);
  /// Makes a table by `fill`, in a folder that no table has and that it is called with, and gives it its name when
  /// `settle` has done the last there: all or nothing. Meanwhile no table of that name comes into being, from `settle`
  /// on not by any means; what a crash leaves goes by sweep_dropped. One at a time. kAlreadyExists.
  using Step = std::function<Status(const std::string& folder)>;
  Status adopt(std::string_view name_space, std::string_view name, const Step& fill, const Step& settle);
  /// By namespace, name and time.
  Result<std::vector<DroppedTable>> dropped() const;
  /// Deletes those that were dropped before `cutoff`; `dry_run`: and leaves them. Files are named below "tables/".
  Result<VacuumReport> sweep_dropped(Instant cutoff, bool dry_run);
  /// Lets go of a table that another process has taken away.
  void forget(std::string_view name_space, std::string_view name);

  /// Of those that exist, ascending.
  Result<std::vector<std::string>> name_spaces() const;
  Result<std::vector<std::string>> tables(std::string_view name_space) const;
  /// Those that were asked for.
  std::vector<table::LiveTable*> open_tables() const;
  std::uint64_t series() const;
  /// Bytes of segments of new rows, and of those that were made of others, since tables were opened.
  std::pair<std::uint64_t, std::uint64_t> segment_traffic() const;
  /// kResourceExhausted if the namespace may not have so many more series.
  Status check_room(std::string_view name_space, std::uint64_t series);

  /// The folder of a table, below the database's. kInvalidInput for names that cannot be.
  static Result<std::string> folder(std::string_view name_space, std::string_view name);

 private:
  Result<table::Environment> environment(std::string_view name_space, std::string_view name) const;
  Result<bool> exists(const std::string& folder) const;
  head::SeriesBudget& budget_of(std::string_view name_space);  // with mutex_
  Status move(std::string_view name_space, std::string_view name, const std::string& to, table::FlushLog& log);

  const std::shared_ptr<Storage> storage_;
  const Clock& clock_;
  ThreadPool& pool_;
  head::MemoryBudget& memory_;
  const std::uint64_t series_max_;
  const bool owner_;

  std::mutex adopting_;                                                        // held while folders have no table yet
  std::mutex opening_;                                                         // held while a table is opened or made
  mutable StripedSharedMutex mutex_;                                           // guards all below
  std::map<std::string, head::SeriesBudget, std::less<>> budgets_;             // by namespace
  std::unordered_map<std::string, std::unique_ptr<table::LiveTable>> tables_;  // by namespace, NUL, name
  std::vector<std::unique_ptr<table::LiveTable>> moved_;                       // who was using them still may be
};

}  // namespace marigram::db
