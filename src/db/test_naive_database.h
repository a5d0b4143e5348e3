// What a database holds, and what it may hold after a crash.
#pragma once

#include "db/test_naive_table.h"

#include <marigram/database.h>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace marigram::db::testing {

using Tables = std::map<std::string, NaiveTable>;

/// Rows that came to a table, or went.
struct Change {
  std::string table;
  std::variant<NaiveRows, Selection> what;
  bool logged = false;   // it is in the write-ahead log, or may be
  bool lasting = false;  // no crash takes it away
};

/// A change, or a flush, that met a crash: it may have happened or not.
struct UnderWay {
  std::optional<Change> change = {};
  bool flush = false;  // rows in memory may have become segments, table by table
};

class NaiveDatabase {
 public:
  explicit NaiveDatabase(Duplicates policy) : policy_(policy) {}

  /// As it is seen; empty if there is no such table.
  NaiveTable& table(const std::string& name) { return table_of(now_, name); }

  void inserted(const std::string& table, NaiveRows rows, Durability durability);
  /// Returns how many rows went.
  std::uint64_t removed(const std::string& table, const Selection& selection);
  /// All that there is lasts.
  void flushed();
  /// After a crash: takes what was found for what there is, and it lasts. Says what is wrong with it; empty: nothing.
  /// What was found is under Duplicates::kAll, so that nothing hides.
  std::string settle(Tables found, const UnderWay& under_way);

 private:
  NaiveTable& table_of(Tables& tables, const std::string& name) const {
    return tables.try_emplace(name, policy_).first->second;
  }
  /// What was flushed, and then the changes that happened.
  template <typename Happened>
  Tables tables_after(const std::vector<Change>& changes, Happened happened) const;
  bool is_beginning_of_log(const std::vector<Change>& changes, Tables lasting, const Tables& found) const;
  /// `under_way`: of the changes the last, or none.
  bool is_amidst_flush(const std::vector<Change>& changes, const Change* under_way, const Tables& found) const;

  Duplicates policy_;
  Tables flushed_;
  std::vector<Change> since_;  // in their order
  Tables now_;
};

}  // namespace marigram::db::testing
