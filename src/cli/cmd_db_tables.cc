// marigram db tables: what a database holds.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <unistd.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string name_space;
};

struct Found {
  std::string name_space;
  std::string name;
  TableInfo info;
};

Result<std::vector<Found>> find_tables(const Database& database, const std::string& wanted) {
  std::vector<Found> found;
  MARIGRAM_ASSIGN(const auto name_spaces, database.list_namespaces());
  for (const std::string& name_space : name_spaces) {
    if (!wanted.empty() && name_space != wanted) continue;
    MARIGRAM_ASSIGN(const auto names, database.list_series(name_space));
    for (const std::string& name : names) {
      MARIGRAM_ASSIGN(const Table table, database.open_table(name_space, name));
      found.push_back({.name_space = name_space, .name = name, .info = table.info()});
    }
  }
  return found;
}

std::string render(const std::vector<Found>& tables) {
  TextTable table({{"namespace"}, {"table"}, {"rows", Align::kRight}, {"from"}, {"to"}});
  for (const auto& [name_space, name, info] : tables) {
    table.add_row({name_space, name, group_digits(info.rows), info.min ? format_index_value(*info.min) : "",
                   info.max ? format_index_value(*info.max) : ""});
  }
  return table.render(inspect_terminal(STDOUT_FILENO).color);
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  MARIGRAM_ASSIGN(const std::vector<Found> tables, find_tables(opened.database, options.name_space));
  if (!context.json) {
    MARIGRAM_TRY(context.out.write(render(tables)));
    return kExitOk;
  }
  Json list = Json::array();
  for (const auto& [name_space, name, info] : tables) {
    list.push_back({{"namespace", name_space},
                    {"table", name},
                    {"rows", info.rows},
                    {"from", to_json(info.min)},
                    {"to", to_json(info.max)}});
  }
  MARIGRAM_TRY(context.print({{"tables", std::move(list)}}));
  return kExitOk;
}

}  // namespace

void add_db_tables(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "tables", "List the tables of a database, or of one namespace",
                                      "marigram db tables metrics");
  add_database(command, options->path);
  command.option("NAMESPACE", options->name_space, "TEXT", "Only its tables");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
