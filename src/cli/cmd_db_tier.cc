// marigram db tier: what becomes of old rows of a table of a database.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/tiers.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string table;
  TierTexts texts;
  bool dry_run = false;
};

bool changes(const TierTexts& texts) {
  return !(texts.after + texts.segments + texts.compression + texts.root).empty();
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  if (options.dry_run && changes(options.texts)) {
    return context.usage("cannot try out other tiers: --dry-run says what moves by those there are");
  }
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  if (changes(options.texts)) {
    MARIGRAM_ASSIGN(const Table before, database.open_table(named.name_space, named.table));
    TierOptions wanted = change_tiers(options.texts, before.tiers());
    wanted.root = options.texts.root;  // of the database, where the table's is a folder below
    if (wanted.root.empty() && !before.tiers().root.empty()) wanted.root = before.tiers().root;
    MARIGRAM_TRY(database.set_tiers(named.name_space, named.table, wanted));
  }
  MARIGRAM_ASSIGN(const TierReport report,
                  database.move_cold(named.name_space, named.table, options.dry_run, context.cancel));
  MARIGRAM_ASSIGN(const Table table, database.open_table(named.name_space, named.table));
  MARIGRAM_TRY(database.close());
  MARIGRAM_TRY(print_tiers(context, options.table, table.tiers(), table.tier_usage(), report, options.dry_run));
  return kExitOk;
}

}  // namespace

void add_db_tier(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "tier", "Move old rows of a table of a database to its cold tier",
                                      "marigram db tier metrics acme.cpu --cold-after 30d");
  add_database(command, options->path);
  add_database_table(command, options->table);
  add_tier_options(command, options->texts);
  add_dry_run(command, options->dry_run, "Change nothing, only say what would move");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
