// marigram db flush: segments of what a crash left in the write-ahead log.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/text_table.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace marigram::cli {

namespace {

Result<int> run(Context& context, const std::string& path) {
  MARIGRAM_ASSIGN(Database database, open_to_write(path));
  const RecoveryReport recovered = database.recovery();
  MARIGRAM_TRY(database.close());
  if (context.json) {
    MARIGRAM_TRY(context.print({{"rows", recovered.points}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("flushed {} of {}\n", count_of(recovered.points, "row"), path)));
  }
  return kExitOk;
}

}  // namespace

void add_db_flush(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::string>();
  const Command command =
      add_command(app, context, "flush", "Make segments of the rows that only the write-ahead log holds",
                  "marigram db flush metrics");
  add_database(command, *path);
  command.runs([&context, path] { return run(context, *path); });
}

}  // namespace marigram::cli
