// marigram db init: an empty database.
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
#include <utility>

namespace marigram::cli {

namespace {

Result<int> run(Context& context, const std::string& path) {
  const auto there = Database::open(path, {.create = false, .read_only = true});
  if (there) return fail(ErrorCode::kAlreadyExists, fmt::format("cannot make a database at {}: there is one", path));
  if (there.error().code != ErrorCode::kNotFound) return std::unexpected(there.error());
  MARIGRAM_ASSIGN(Database database, Database::open(path));
  MARIGRAM_TRY(database.close());
  if (context.json) {
    MARIGRAM_TRY(context.print({{"database", path}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("made database {}\n", path)));
  }
  return kExitOk;
}

}  // namespace

void add_db_init(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::string>();
  const Command command = add_command(app, context, "init", "Make an empty database", "marigram db init metrics");
  add_database(command, *path);
  command.runs([&context, path] { return run(context, *path); });
}

}  // namespace marigram::cli
