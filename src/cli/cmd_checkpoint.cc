// marigram checkpoint: fold the log into one file.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace marigram::cli {

namespace {

Result<int> run(Context& context, const std::string& name) {
  MARIGRAM_ASSIGN(Table table, Table::open(name));
  MARIGRAM_TRY(table.checkpoint());
  const std::uint64_t version = table.info().version;
  if (context.json) {
    MARIGRAM_TRY(context.print({{"table", name}, {"version", version}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("checkpointed {} at version {}\n", name, version)));
  }
  return kExitOk;
}

}  // namespace

void add_checkpoint(CLI::App& app, Context& context) {
  auto table = std::make_shared<std::string>();
  const Command command =
      add_command(app, context, "checkpoint", "Fold the log into one file, so that opening stays quick",
                  "marigram checkpoint weather");
  add_table(command, *table);
  command.runs([&context, table] { return run(context, *table); });
}

}  // namespace marigram::cli
