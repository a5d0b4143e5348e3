// marigram db retention: how long a table of a database keeps its rows and rollups.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/retention.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string table;
  RetentionChange change;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const auto rules, parse_rules(context, options.change));
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  const InterruptGuard guard(context.cancel);
  if (options.change.dry_run) {
    MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
    MARIGRAM_ASSIGN(const Table table, opened.database.open_table(named.name_space, named.table));
    MARIGRAM_ASSIGN(const ExpiryReport report, table.preview_expiry(rules));
    MARIGRAM_TRY(print_retention(context, options.table, table.retention(), report, true));
    return kExitOk;
  }
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  if (rules) MARIGRAM_TRY(database.set_retention(named.name_space, named.table, *rules));
  MARIGRAM_ASSIGN(const ExpiryReport report, database.expire(named.name_space, named.table, context.cancel));
  MARIGRAM_ASSIGN(const Table table, database.open_table(named.name_space, named.table));
  MARIGRAM_TRY(database.close());
  MARIGRAM_TRY(print_retention(context, options.table, table.retention(), report, false));
  return kExitOk;
}

}  // namespace

void add_db_retention(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "retention", "Drop what is older than a table of a database keeps it",
                  "marigram db retention metrics acme.cpu --keep rows=7d,1m=30d");
  add_database(command, options->path);
  add_database_table(command, options->table);
  add_retention_change(command, options->change);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
