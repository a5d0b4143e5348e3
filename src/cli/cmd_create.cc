// marigram create: an empty table.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/create_options.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  CreateOptions create;
  bool growing = false;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(TableOptions table_spec, table_options(context, options.create));
  table_spec.growing = options.growing;
  MARIGRAM_ASSIGN(const Table table, Table::create(options.table, table_spec));
  const TableInfo info = table.info();
  if (context.json) {
    MARIGRAM_TRY(
        context.print({{"table", options.table}, {"version", info.version}, {"dialect", dialect_name(info.dialect)}}));
  } else {
    MARIGRAM_TRY(context.out.write(
        fmt::format("created table {} ({}, buckets of {})\n", options.table, dialect_name(info.dialect), info.bucket)));
  }
  return kExitOk;
}

}  // namespace

void add_create(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "create", "Make an empty table",
                                      "marigram create weather --time time_hour --tag origin --bucket 1h");
  add_table(command, options->table);
  add_create_options(command, options->create);
  command.declared("--time").required();
  command.flag("--growing", options->growing,
               "Tags may be added later, and series lack some; fields are declared or added, not adopted");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
