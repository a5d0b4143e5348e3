// What the commands of `db` have in common: how they open a database, and how their arguments name things in it.
#pragma once

#include "cli/command.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/tags.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::cli {

struct Context;

/// A database that is only read.
struct OpenedDatabase {
  Database database;
  std::optional<RecoveryReport> recovery;  ///< unset: another process owns it, so that only what it flushed is seen
};

/// Makes segments of what a crash left in the write-ahead log, if nobody owns the database, and opens it read-only, so
/// that it is in nobody's way. A remark says so if somebody owns it. kNotFound.
Result<OpenedDatabase> open_to_read(const Context& context, const std::string& path);
/// kNotFound; kConflict names the owner.
Result<Database> open_to_write(const std::string& path);
/// Adds to an error of opening what helps: that `db init` makes one.
template <typename T>
Result<T> explain_opening(Result<T> opened) {
  if (!opened && opened.error().code == ErrorCode::kNotFound)
    opened.error().message += "; `marigram db init` makes one";
  return opened;
}

/// The positional DB, and NAMESPACE.TABLE.
Option add_database(const Command& command, std::string& path);
Option add_database_table(const Command& command, std::string& table);
/// --where, as parse_conditions reads it.
Option add_conditions(const Command& command, std::vector<std::string>& conditions);
/// --from and --to, as parse_times reads them.
struct TimesOptions {
  std::string from;
  std::string to;
};
void add_times(const Command& command, TimesOptions& times);

struct DatabaseTable {
  std::string name_space;
  std::string table;
};
/// Cut at the first dot.
Result<DatabaseTable> parse_database_table(Context& context, const std::string& text);

/// `host=a`, `host!=a`, `host=~a.*`, `host!~a.*`.
Result<std::vector<TagMatcher>> parse_conditions(Context& context, const std::vector<std::string>& texts);

/// Nanoseconds since the epoch, both inclusive; an empty text is no bound.
struct Times {
  std::int64_t from_ns;
  std::int64_t to_ns;
};
Result<Times> parse_times(Context& context, const TimesOptions& times);

/// `cpu,core=0,host=a`.
std::string format_series(std::string_view table, const Tags& tags);

}  // namespace marigram::cli
