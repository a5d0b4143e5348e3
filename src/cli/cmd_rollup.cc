// marigram rollup: what a table keeps of its rows by interval.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/rollups.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  RollupChange change;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const RollupOptions wanted, parse_rollups(context, options.change.rollups));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  if (options.change.dry_run) {
    MARIGRAM_ASSIGN(const auto levels, table.rollups());
    MARIGRAM_TRY(print_rollups(context, options.table, levels, nullptr));
    return kExitOk;
  }
  if (options.change.chooses(wanted)) MARIGRAM_TRY(table.set_rollups(wanted));
  MARIGRAM_ASSIGN(const RefreshReport report, table.refresh_rollups(context.cancel));
  MARIGRAM_ASSIGN(const auto levels, table.rollups());
  MARIGRAM_TRY(print_rollups(context, options.table, levels, &report));
  return kExitOk;
}

}  // namespace

void add_rollup(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "rollup", "Bring a table's rollups up to its rows, and list them",
                                      "marigram rollup weather --set 1d,1mo --rollup-timezone America/New_York");
  add_table(command, options->table);
  add_rollup_change(command, options->change);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
