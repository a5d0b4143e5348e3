// marigram diff: what changed from one version to another.
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
  DiffTexts texts;
};

Result<int> run(Context& context, const Options& options) {
  return run_diff(context, options.texts, [&](const OpenOptions& at) { return Table::open(options.table, at); });
}

}  // namespace

void add_diff(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "diff", "Print the rows that one version has and another has not",
                                      "marigram diff weather before-import 12 --from 2013-06-01 --count");
  add_table(command, options->table);
  add_diff_options(command, options->texts);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
