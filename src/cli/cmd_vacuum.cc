// marigram vacuum: delete what no version that is kept has.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/vacuum.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  VacuumTexts texts;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const VacuumWanted wanted, parse_vacuum(context, options.texts));
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  MARIGRAM_ASSIGN(const VacuumReport report,
                  table.vacuum(wanted.older_than_seconds, options.texts.dry_run, wanted.history));
  MARIGRAM_TRY(print_vacuum(context, report, options.texts.dry_run, true));
  return kExitOk;
}

}  // namespace

void add_vacuum(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "vacuum", "Delete files that no commit refers to, and print their paths",
                  "marigram vacuum weather --older-than 7d --dry-run");
  add_table(command, options->table);
  add_vacuum_options(command, options->texts);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
