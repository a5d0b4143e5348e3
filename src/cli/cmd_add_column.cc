// marigram add-column: more columns for the rows to come.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::vector<std::string> columns;
};

Result<int> run(Context& context, const Options& options) {
  std::vector<ColumnInfo> columns;
  for (const std::string& text : options.columns) {
    MARIGRAM_ASSIGN(auto column, parse_column(context, "NAME:TYPE", text));
    columns.push_back(std::move(column));
  }
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  MARIGRAM_ASSIGN(const std::uint64_t version, table.add_columns(columns));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"version", version}, {"added", to_json(columns)}}));
  } else {
    MARIGRAM_TRY(context.out.write(
        fmt::format("added {} to {}: version {}\n", count_of(columns.size(), "column"), options.table, version)));
  }
  return kExitOk;
}

}  // namespace

void add_add_column(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "add-column", "Add nullable columns; rows written before read null",
                                      "marigram add-column weather solar_radiation:float64");
  add_table(command, options->table);
  command.option("COLUMN", options->columns, "NAME:TYPE", "Name and type of each new column").required();
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
