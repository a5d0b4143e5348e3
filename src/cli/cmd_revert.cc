// marigram revert: the rows as they were at a version.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/history.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <memory>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  RevertTexts texts;
};

Result<int> run(Context& context, const Options& options) {
  const OpenTable open = [&](const OpenOptions& at) { return Table::open(options.table, at); };
  return run_revert(context, options.texts, options.table, open, [&](std::uint64_t version) -> Result<std::uint64_t> {
    MARIGRAM_ASSIGN(Table table, open({}));
    return table.restore_version(version);
  });
}

}  // namespace

void add_revert(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "revert", "Make the rows of a table what they were at a version, by a new one",
                  "marigram revert weather before-import --dry-run");
  add_table(command, options->table);
  add_revert_options(command, options->texts);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
