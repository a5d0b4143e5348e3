// marigram tier: what becomes of old rows of a table.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/tiers.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  TierTexts texts;
  bool dry_run = false;
};

Result<int> run(Context& context, const Options& options) {
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  const TierOptions wanted = change_tiers(options.texts, table.tiers());
  if (wanted != table.tiers()) {
    if (options.dry_run)
      return context.usage("cannot try out other tiers: --dry-run says what moves by those there are");
    MARIGRAM_TRY(table.set_tiers(wanted));
  }
  MARIGRAM_ASSIGN(const TierReport report, table.move_cold(options.dry_run, context.cancel));
  MARIGRAM_TRY(print_tiers(context, options.table, table.tiers(), table.tier_usage(), report, options.dry_run));
  return kExitOk;
}

}  // namespace

void add_tier(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "tier", "Move old rows of a table to its cold tier",
                                      "marigram tier metrics --cold-after 30d");
  add_table(command, options->table);
  add_tier_options(command, options->texts);
  add_dry_run(command, options->dry_run, "Change nothing, only say what would move");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
