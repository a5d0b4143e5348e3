// marigram delete: rows of a table gone for good.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::string from;
  std::string to;
  std::vector<std::string> where;
  std::vector<std::string> fields;
  bool dry_run = false;
};

Result<int> run(Context& context, const Options& options) {
  if (options.from.empty() && options.to.empty() && options.where.empty() && options.fields.empty()) {
    return context.usage("cannot delete rows: all of them would go; say which by --from, --to, --where or --if");
  }
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  const TableInfo info = table.info();
  MARIGRAM_ASSIGN(const IndexRange range, parse_range(context, options.from, options.to, info));
  RowSelection selection{.from = range.from, .to = range.to};
  MARIGRAM_ASSIGN(selection.where, parse_where(context, options.where));
  MARIGRAM_ASSIGN(selection.fields, parse_field_conditions(context, options.fields, info));
  MARIGRAM_ASSIGN(const std::uint64_t rows, table.remove_rows(selection, options.dry_run));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"version", table.info().version}, {"rows", rows}, {"dry_run", options.dry_run}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format("{} {} of {}\n", options.dry_run ? "would delete" : "deleted",
                                               count_of(rows, "row"), options.table)));
  }
  return kExitOk;
}

}  // namespace

void add_delete(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "delete", "Delete rows of a table for good, and say how many",
                                      "marigram delete weather --to 2013-02-01 --where origin=JFK --if 'temp>150'");
  add_table(command, options->table);
  command.option("--from", options->from, "TIME", "Rows from this time or integer on");
  command.option("--to", options->to, "TIME", "Rows before this time or integer");
  add_where(command, options->where);
  add_field_conditions(command, options->fields);
  add_dry_run(command, options->dry_run, "Delete nothing, only say how many");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
