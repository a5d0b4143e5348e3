// marigram tag: names of versions.
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
  TagTexts texts;
};

Result<int> run(Context& context, const Options& options) {
  return run_tag(context, options.texts, [&](const OpenOptions& at) { return Table::open(options.table, at); });
}

}  // namespace

void add_tag(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "tag", "Name a version, which vacuum keeps then, or list the names",
                                      "marigram tag weather before-import 7");
  add_table(command, options->table);
  add_tag_options(command, options->texts);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
