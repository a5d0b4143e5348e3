// marigram db vacuum: delete what no version that is kept has, in all tables of a database.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/vacuum.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  VacuumTexts texts;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const VacuumWanted wanted, parse_vacuum(context, options.texts));
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  MARIGRAM_ASSIGN(const VacuumReport report,
                  database.vacuum(wanted.older_than_seconds, options.texts.dry_run, wanted.history));
  MARIGRAM_TRY(database.close());
  MARIGRAM_TRY(print_vacuum(context, report, options.texts.dry_run, false));
  return kExitOk;
}

}  // namespace

void add_db_vacuum(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "vacuum", "Delete files of all tables that no commit refers to, and print their paths",
                  "marigram db vacuum metrics --history 7d --dry-run");
  add_database(command, options->path);
  add_vacuum_options(command, options->texts);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
