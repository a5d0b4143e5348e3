// marigram db tag: names of versions of a table.
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
  TagTexts texts;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  return run_tag(context, options.texts,
                 [&](const OpenOptions& at) { return opened.database.open_table(named.name_space, named.table, at); });
}

}  // namespace

void add_db_tag(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "tag", "Name a version of a table, which vacuum keeps then, or list the names",
                  "marigram db tag metrics acme.cpu before-import 7");
  add_database(command, options->path);
  add_database_table(command, options->table);
  add_tag_options(command, options->texts);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
