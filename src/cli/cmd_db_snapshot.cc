// marigram db snapshot: a copy of a database that is in use.
#include "base/try.h"
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

#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string target;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  MARIGRAM_TRY(opened.database.snapshot(options.target));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"database", options.path}, {"snapshot", options.target}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("copied {} to {}\n", options.path, options.target)));
  }
  return kExitOk;
}

}  // namespace

void add_db_snapshot(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App& command = add_command(app, context, "snapshot", "Copy a database to a new folder, which is a database too",
                                  "marigram db snapshot metrics metrics-monday");
  add_database(command, options->path);
  command.add_option("PATH", options->target, "The new folder")->required()->type_name("FOLDER");
  command.callback([&context, options] { context.chosen = [&context, options] { return run(context, *options); }; });
}

}  // namespace marigram::cli
