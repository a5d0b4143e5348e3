// marigram db truncate: a table without rows.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/history.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string table;
  bool dry_run = false;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  MARIGRAM_ASSIGN(const std::uint64_t rows, options.dry_run ? database.remove(named.name_space, named.table, {}, true)
                                                            : database.truncate_table(named.name_space, named.table));
  MARIGRAM_TRY(database.close());
  MARIGRAM_TRY(print_truncated(context, options.table, rows, options.dry_run));
  return kExitOk;
}

}  // namespace

void add_db_truncate(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "truncate", "Delete all rows of a table, and say how many",
                                      "marigram db truncate metrics acme.cpu --dry-run");
  add_database(command, options->path);
  add_database_table(command, options->table);
  add_dry_run(command, options->dry_run, "Delete nothing, only say how many");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
