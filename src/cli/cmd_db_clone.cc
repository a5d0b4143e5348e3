// marigram db clone: a table that begins as another one is, or was.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string from;
  std::string to;
  std::string at;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const DatabaseTable from, parse_database_table(context, options.from));
  MARIGRAM_ASSIGN(const DatabaseTable to, parse_database_table(context, options.to));
  if (from.name_space != to.name_space) {
    return context.usage(fmt::format("cannot clone {} to {}: want both in one namespace", options.from, options.to));
  }
  MARIGRAM_ASSIGN(const OpenOptions at, parse_at(context, options.at));
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  MARIGRAM_TRY(database.clone_table(from.name_space, from.table, to.table, at));
  MARIGRAM_TRY(database.close());
  if (context.json) {
    MARIGRAM_TRY(context.print({{"table", options.from}, {"clone", options.to}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("cloned {} to {}\n", options.from, options.to)));
  }
  return kExitOk;
}

}  // namespace

void add_db_clone(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "clone", "Make a table of another one; files are shared, not copied",
                  "marigram db clone metrics acme.cpu acme.trial --at 2026-01-01");
  add_database(command, options->path);
  add_database_table(command, options->from);
  command.option("NEW", options->to, "NAMESPACE.TABLE", "The new table, of the same namespace").required();
  command.option("--at", options->at, "VERSION|TIME|NAME", "As it was at a version, a time or a named version");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
