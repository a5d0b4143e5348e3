// marigram db revert: the rows of a table as they were at a version.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
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
  RevertTexts texts;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  // A dry run compares what there will be by then.
  MARIGRAM_TRY(database.flush());
  MARIGRAM_ASSIGN(const int code,
                  run_revert(
                      context, options.texts, options.table,
                      [&](const OpenOptions& at) { return database.open_table(named.name_space, named.table, at); },
                      [&](std::uint64_t version) {
                        return database.restore_table_version(named.name_space, named.table, version);
                      }));
  MARIGRAM_TRY(database.close());
  return code;
}

}  // namespace

void add_db_revert(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "revert", "Make the rows of a table what they were at a version, by a new one",
                  "marigram db revert metrics acme.cpu before-import --dry-run");
  add_database(command, options->path);
  add_database_table(command, options->table);
  add_revert_options(command, options->texts);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
