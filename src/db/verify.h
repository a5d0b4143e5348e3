// Verify of a whole database: its tables, and what a crash left in the write-ahead log.
#pragma once

#include "db/core.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marigram::db {

struct TableFindings {
  std::string name_space = {};
  std::string name = {};
  VerifyReport report = {};
};

struct LogFindings {
  std::uint64_t files = 0;
  std::uint64_t batches = 0;                 ///< whole ones, whether or not segments contain them
  std::vector<std::string> problems = {};    ///< each names file and offset; empty: the log is sound
  std::optional<std::string> torn_end = {};  ///< where, and how much: opening cuts what a crash tore
  std::uint64_t saved_rows = 0;              ///< by a repair: those that were not in segments
  std::vector<std::string> lost = {};        ///< by a repair: what were problems
  std::vector<std::string> repaired = {};
};

struct DatabaseFindings {
  std::vector<TableFindings> tables = {};
  /// Unset: somebody owns the database, and the log is theirs. `owner` says who.
  std::optional<LogFindings> log = {};
  std::string owner = {};

  /// No problems are left.
  bool is_sound() const;
};

/// Reads everything; changes nothing unless `repair`. Problems are findings, not errors.
///
/// A repair mends the tables as Table::verify does. Of a damaged log it makes segments of every whole batch, in order,
/// and sets the log's files aside in their folder as `<file>.damaged-<time>`, so that nothing is destroyed and the next
/// log begins anew. A batch that refers to what a lost one defined is lost too, table by table. Each step may be
/// interrupted and done again.
///
/// kNotFound: there is no database. kConflict for a repair while somebody owns it. Time: linear in all bytes.
Result<DatabaseFindings> verify(const Surroundings& surroundings, bool repair);

}  // namespace marigram::db
