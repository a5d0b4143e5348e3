// Batches of the write-ahead log, put back into the heads of their tables when a database is opened.
#pragma once

#include "db/catalogue.h"
#include "table/record.h"
#include "wal/wal.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <functional>
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

/// Takes the records of one log in order. Not thread-safe.
class Replay {
 public:
  /// `log`: the log's id. `make_room` is called before each record, with the position behind the one before.
  Replay(Catalogue& catalogue, std::string log, std::function<Status(wal::Lsn)> make_room)
      : catalogue_(catalogue), log_(std::move(log)), make_room_(std::move(make_room)) {}

  /// kCorruption: a record that refers to what its file does not define.
  Status take(wal::Lsn lsn, std::span<const std::byte> payload);
  /// The same for a log of which parts are lost: what cannot be understood is left out, table by table, and told.
  Result<std::vector<Error>> take_what_is_whole(wal::Lsn lsn, std::span<const std::byte> payload);
  const ReplayReport& report() const { return report_; }

 private:
  /// A table as the records of the current file number it, and its series and fields.
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
  std::uint64_t file_ = 0;
  std::map<std::uint64_t, Known> known_;  // by number, as the file has defined them so far
};

}  // namespace marigram::db
