// marigram db restore: a database of a snapshot.
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
  std::string source;
  std::string path;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_TRY(Database::restore(options.source, options.path));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"snapshot", options.source}, {"database", options.path}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("restored {} from {}\n", options.path, options.source)));
  }
  return kExitOk;
}

}  // namespace

void add_db_restore(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App& command = add_command(app, context, "restore", "Make a database of a snapshot; all or nothing",
                                  "marigram db restore metrics-monday restored");
  command.add_option("PATH", options->source, "Folder of the snapshot")->required()->type_name("FOLDER");
  add_database(command, options->path)->description("Folder of the new database");
  command.callback([&context, options] { context.chosen = [&context, options] { return run(context, *options); }; });
}

}  // namespace marigram::cli
