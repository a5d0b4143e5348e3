// Batches of the write-ahead log, put back into the heads of their tables when a database is opened.
#pragma once

#include "base/thread_pool.h"
#include "db/catalogue.h"
#include "table/record.h"
#include "wal/wal.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace marigram::db {

struct ReplayReport {
  std::uint64_t batches = 0;
  std::uint64_t points = 0;   ///< that were not in segments yet
  std::uint64_t orphans = 0;  ///< sections of tables that are no more
};

/// Tidies the heads of tables behind the back of the thread that fills them: the latter is half of the work. Not
/// thread-safe.
class TidyBehind {
 public:
  explicit TidyBehind(ThreadPool& pool) : pool_(pool) {}
  ~TidyBehind();
  TidyBehind(const TidyBehind&) = delete;
  TidyBehind& operator=(const TidyBehind&) = delete;

  /// `rows` have arrived, and these shards are to be tidied: now, or together with others once a thread is free. Waits
  /// if too many rows have arrived meanwhile.
  void tidy(table::LiveTable& table, head::ShardSet shards, std::size_t rows);

 private:
  using Work = std::map<table::LiveTable*, head::ShardSet>;

  static void run(const Work& work);

  ThreadPool& pool_;
  std::future<void> running_;
  Work waiting_;
  std::size_t rows_ahead_ = 0;  // since running_ began
};

/// Takes the records of one log in order. Not thread-safe.
class Replay {
 public:
  /// `log`: the log's id. `make_room` is called before each record, with the position behind the one before.
  Replay(Catalogue& catalogue, ThreadPool& pool, std::string log, std::function<Status(wal::Lsn)> make_room)
      : catalogue_(catalogue), log_(std::move(log)), make_room_(std::move(make_room)), tidy_(pool) {}

  /// kCorruption: a record that refers to what its epoch does not define.
  Status take(wal::Lsn lsn, std::span<const std::byte> payload);
  /// The same for a log of which parts are lost: what cannot be understood is left out, table by table, and told.
  Result<std::vector<Error>> take_what_is_whole(wal::Lsn lsn, std::span<const std::byte> payload);
  const ReplayReport& report() const { return report_; }

 private:
  /// A table as the records of the current epoch number it, and its series and fields.
  struct Known {
    table::TableDefinition definition = {};
    table::LiveTable* table = nullptr;                               // null: it is no more
    std::unordered_map<head::SeriesId, head::SeriesId> series = {};  // of the record, in the table
    std::vector<std::optional<std::uint32_t>> fields = {};           // by number in the record; unset: it is no more
  };

  Result<table::Record> begin(wal::Lsn lsn, std::span<const std::byte> payload);
  Status take(wal::Lsn lsn, table::RecordSection& section);
  Status define(Known& known, const table::RecordSection& section);
  Result<table::LiveTable*> find_table(const table::TableDefinition& definition);
  Status apply(Known& known, wal::Lsn lsn, table::RecordSection& section);

  Catalogue& catalogue_;
  const std::string log_;
  const std::function<Status(wal::Lsn)> make_room_;
  ReplayReport report_;
  std::uint64_t epoch_ = 0;
  std::map<std::uint64_t, Known> known_;  // by number, as the epoch has defined them so far
  TidyBehind tidy_;
};

}  // namespace marigram::db
