// The one way of rows into a database: checked, into the write-ahead log, into the heads of their tables.
#pragma once

#include "base/cache_line.h"
#include "base/try.h"
#include "db/catalogue.h"
#include "db/known_points.h"
#include "db/points.h"
#include "head/memory_budget.h"
#include "model/rows.h"
#include "table/live_schema.h"
#include "table/live_table.h"
#include "wal/wal.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::db {

/// Writers wait here while heads take more memory than they may. Thread-safe.
class MemoryGate {
 public:
  MemoryGate(head::MemoryBudget& memory, std::chrono::milliseconds timeout) : memory_(memory), timeout_(timeout) {}

  /// Returns once there is memory; kResourceExhausted if there is none in time. `ask` is called to have some freed.
  Status pass(const std::function<void()>& ask);
  /// Some was freed.
  void freed() { freed_.notify_all(); }

 private:
  head::MemoryBudget& memory_;
  const std::chrono::milliseconds timeout_;
  std::mutex mutex_;
  std::condition_variable freed_;
};

/// Thread-safe.
class WritePath {
 public:
  /// What is borrowed outlives it; `log` is null in memory. `wake`: to have rows flushed, soon.
  WritePath(Catalogue& catalogue, MemoryGate& gate, wal::Wal* log, const DatabaseOptions& options,
            std::function<void()> wake);

  /// All rows or none; see Database::insert for errors.
  Status write(std::string_view name_space, const model::WriteBatch& batch, Durability durability);
  /// The same of what known_points() and batch_of() take.
  template <typename Points>
  Status write_points(std::string_view name_space, std::string_view table, const Points& points,
                      Durability durability) {
    if (table::LiveTable* const open = catalogue_.find_open(name_space, table)) {
      MARIGRAM_ASSIGN(auto rows, known_points(*open, points));
      if (rows) return write_part({.table = open, .rows = std::move(*rows)}, durability);
    }
    MARIGRAM_ASSIGN(const model::WriteBatch batch, batch_of(table, points, widen_));
    return write(name_space, batch, durability);
  }

  std::uint64_t points() const { return points_.load(std::memory_order_relaxed); }

 private:
  struct Part {
    table::LiveTable* table = nullptr;
    table::IncomingRows rows;
    std::optional<head::Head::Lock> lock = {};
    head::ShardSet untidy = 0;
  };

  /// Rows that may come in. Without `fitting`: their table is to be made.
  struct Checked {
    const model::TableRows& rows;
    table::LiveTable* table = nullptr;
    std::optional<table::FittingRows> fitting = {};
  };

  Status write_part(Part part, Durability durability);
  Status write_parts(std::span<Part> parts, Durability durability);
  Result<std::vector<Part>> admit(std::string_view name_space, const model::WriteBatch& batch);
  Result<Checked> check(std::string_view name_space, const model::TableRows& rows);
  Status check_new(std::string_view name_space, const model::TableRows& rows);
  Result<Part> admit(std::string_view name_space, Checked checked);
  Status place(std::span<Part> parts, bool logged);
  Result<wal::Placed> append_to_log(std::span<const Part> parts, table::RecordWriter& record);

  Catalogue& catalogue_;
  MemoryGate& gate_;
  wal::Wal* const log_;
  const TableOptions new_tables_;
  const table::LiveSchema new_schema_;  // of new_tables_
  const bool widen_;
  const std::function<void()> wake_;
  const wal::Lsn began_;                                            // where in the log this process began to write
  std::atomic<wal::Lsn> file_ = 0;                                  // of the log, that took a record last
  alignas(kCacheLineBytes) std::atomic<std::uint64_t> points_ = 0;  // each write changes it
};

/// What tables are that are made by their first insert: they have a time, and take what comes.
TableOptions options_of_new_tables(const DatabaseOptions& options);

}  // namespace marigram::db
