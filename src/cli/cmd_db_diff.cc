// marigram db diff: what changed from one version of a table to another.
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
  DiffTexts texts;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  return run_diff(context, options.texts,
                  [&](const OpenOptions& at) { return opened.database.open_table(named.name_space, named.table, at); });
}

}  // namespace

void add_db_diff(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "diff", "Print the rows that one version of a table has and another has not",
                  "marigram db diff metrics acme.cpu 7 12 --count");
  add_database(command, options->path);
  add_database_table(command, options->table);
  add_diff_options(command, options->texts);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
