// marigram db rollup: what a table of a database keeps of its rows by interval.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/rollups.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string table;
  RollupChange change;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const RollupOptions wanted, parse_rollups(context, options.change.rollups));
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  const InterruptGuard guard(context.cancel);
  if (options.change.dry_run) {
    MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
    MARIGRAM_ASSIGN(const Table table, opened.database.open_table(named.name_space, named.table));
    MARIGRAM_ASSIGN(const auto levels, table.rollups());
    MARIGRAM_TRY(print_rollups(context, options.table, levels, nullptr));
    return kExitOk;
  }
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  if (options.change.chooses(wanted)) {
    MARIGRAM_TRY(database.set_rollups(named.name_space, named.table, wanted));
  }
  MARIGRAM_ASSIGN(const RefreshReport report, database.refresh_rollups(named.name_space, named.table, context.cancel));
  MARIGRAM_ASSIGN(const Table table, database.open_table(named.name_space, named.table));
  MARIGRAM_ASSIGN(const auto levels, table.rollups());
  MARIGRAM_TRY(database.close());
  MARIGRAM_TRY(print_rollups(context, options.table, levels, &report));
  return kExitOk;
}

}  // namespace

void add_db_rollup(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "rollup", "Bring the rollups of a table up to its rows, and list them",
                  "marigram db rollup metrics acme.cpu --set 1m,1h,1d");
  add_database(command, options->path);
  add_database_table(command, options->table);
  add_rollup_change(command, options->change);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
