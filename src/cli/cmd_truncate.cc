// marigram truncate: no rows any more.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/history.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  bool dry_run = false;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  MARIGRAM_ASSIGN(const std::uint64_t rows, options.dry_run ? table.remove_rows({}, true) : table.truncate());
  MARIGRAM_TRY(print_truncated(context, options.table, rows, options.dry_run));
  return kExitOk;
}

}  // namespace

void add_truncate(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "truncate", "Delete all rows of a table, and say how many",
                                      "marigram truncate weather --dry-run");
  add_table(command, options->table);
  add_dry_run(command, options->dry_run, "Delete nothing, only say how many");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
