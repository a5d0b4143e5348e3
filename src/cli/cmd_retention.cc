// marigram retention: how long a table keeps its rows and rollups.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/retention.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  RetentionChange change;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const auto rules, parse_rules(context, options.change));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  if (options.change.dry_run) {
    MARIGRAM_ASSIGN(const ExpiryReport report, table.preview_expiry(rules));
    MARIGRAM_TRY(print_retention(context, options.table, table.retention(), report, true));
    return kExitOk;
  }
  if (rules) MARIGRAM_TRY(table.set_retention(*rules));
  MARIGRAM_ASSIGN(const ExpiryReport report, table.expire(context.cancel));
  MARIGRAM_TRY(print_retention(context, options.table, table.retention(), report, false));
  return kExitOk;
}

}  // namespace

void add_retention(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "retention", "Drop what is older than a table keeps it",
                                      "marigram retention metrics --keep rows=7d,1m=30d,1h=1y");
  add_table(command, options->table);
  add_retention_change(command, options->change);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
