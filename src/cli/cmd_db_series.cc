// marigram db series: tag tuples of tables.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"

#include <marigram/database.h>
#include <marigram/error.h>
#include <marigram/tags.h>

#include <fmt/format.h>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string of;
  std::vector<std::string> where;
};

struct Series {
  std::string table;
  Tags tags;
};

/// Of a table, or of all tables of a namespace.
Result<std::vector<Series>> find_series(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const std::vector<TagMatcher> where, parse_conditions(context, options.where));
  const std::size_t dot = options.of.find('.');
  const std::string name_space = options.of.substr(0, dot);
  std::vector<std::string> tables;
  if (dot != std::string::npos) {
    MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.of));
    tables.push_back(named.table);
  }
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  if (dot == std::string::npos) {
    MARIGRAM_ASSIGN(tables, opened.database.list_series(name_space));
  }
  std::vector<Series> series;
  for (const std::string& table : tables) {
    MARIGRAM_ASSIGN(std::vector<Tags> sets, opened.database.list_tag_sets(name_space, table, where));
    for (Tags& tags : sets) series.push_back({.table = table, .tags = std::move(tags)});
  }
  return series;
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const std::vector<Series> found, find_series(context, options));
  if (!context.json) {
    for (const auto& [table, tags] : found) MARIGRAM_TRY(context.out.write(format_series(table, tags) + "\n"));
    return kExitOk;
  }
  Json list = Json::array();
  for (const auto& [table, tags] : found) {
    Json names = Json::object();
    for (const Tag& tag : tags) names[tag.name] = tag.value;
    list.push_back({{"table", table}, {"tags", std::move(names)}});
  }
  MARIGRAM_TRY(context.print({{"series", std::move(list)}}));
  return kExitOk;
}

}  // namespace

void add_db_series(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "series", "List the series of a table, or of all tables of a namespace",
                  "marigram db series metrics acme.cpu --where host=a1");
  add_database(command, options->path);
  command.option("NAMESPACE[.TABLE]", options->of, "TEXT", "Whose series").required();
  add_conditions(command, options->where);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
