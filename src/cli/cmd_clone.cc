// marigram clone: a table that begins as another one is, or was.
#include "base/try.h"
#include "cli/arguments.h"
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

struct Options {
  std::string table;
  std::string target;
  std::string at;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const OpenOptions at, parse_at(context, options.at));
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table, at));
  const std::uint64_t version = table.info().version;
  MARIGRAM_TRY(table.clone(options.target));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"table", options.table}, {"clone", options.target}, {"version", version}}));
  } else {
    MARIGRAM_TRY(
        context.out.write(fmt::format("cloned {} at version {} to {}\n", options.table, version, options.target)));
  }
  return kExitOk;
}

}  // namespace

void add_clone(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "clone", "Make a table of another one; files are shared, not copied",
                  "marigram clone weather trial --at 3");
  add_table(command, options->table);
  command.option("PATH", options->target, "FOLDER", "Folder of the new table").required();
  command.option("--at", options->at, "VERSION|TIME|NAME", "As it was at a version, a time or a named version");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
