// marigram db delete: rows gone for good.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/text_table.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string table;
  TimesOptions times;
  std::vector<std::string> where;
  std::vector<std::string> fields;
  bool dry_run = false;
};

Result<int> run(Context& context, const Options& options) {
  if (options.times.from.empty() && options.times.to.empty() && options.where.empty() && options.fields.empty()) {
    return context.usage("cannot delete rows: all of them would go; say which by --from, --to, --where or --if");
  }
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(const Times times, parse_times(context, options.times));
  Selection selection{.from_ns = times.from_ns, .to_ns = times.to_ns};
  MARIGRAM_ASSIGN(selection.where, parse_conditions(context, options.where));
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  if (!options.fields.empty()) {
    MARIGRAM_ASSIGN(const Table table, database.open_table(named.name_space, named.table));
    MARIGRAM_ASSIGN(selection.fields, parse_field_conditions(context, options.fields, table.info()));
  }
  MARIGRAM_ASSIGN(const std::uint64_t rows, database.remove(named.name_space, named.table, selection, options.dry_run));
  MARIGRAM_TRY(database.close());
  if (context.json) {
    MARIGRAM_TRY(context.print({{"rows", rows}, {"dry_run", options.dry_run}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("{} {} of {}\n", options.dry_run ? "would delete" : "deleted",
                                               count_of(rows, "row"), options.table)));
  }
  return kExitOk;
}

}  // namespace

void add_db_delete(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "delete", "Delete rows of a table for good, and say how many",
                                      "marigram db delete metrics acme.cpu --to 2025-12-31 --where host=a1");
  add_database(command, options->path);
  add_database_table(command, options->table);
  add_times(command, options->times);
  add_conditions(command, options->where);
  add_field_conditions(command, options->fields);
  add_dry_run(command, options->dry_run, "Delete nothing, only say how many");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
