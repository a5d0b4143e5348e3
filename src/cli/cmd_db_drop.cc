// marigram db drop, undrop and rename: tables come and go, and change their names.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/text_table.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string table;
  std::string to;
  bool dry_run = false;
};

Status say(Context& context, const nlohmann::ordered_json& json, const std::string& text) {
  return context.json ? context.print(json) : context.out.write(text);
}

Result<int> drop(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  if (options.dry_run) {
    MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
    MARIGRAM_ASSIGN(const Table table, opened.database.open_table(named.name_space, named.table));
    const std::uint64_t rows = table.info().rows;
    MARIGRAM_TRY(say(context, {{"dropped", false}, {"rows", rows}},
                     fmt::format("would drop {} with {}\n", options.table, count_of(rows, "row"))));
    return kExitOk;
  }
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  MARIGRAM_TRY(database.drop_table(named.name_space, named.table));
  MARIGRAM_TRY(database.close());
  MARIGRAM_TRY(
      say(context, {{"dropped", true}},
          fmt::format("dropped {}; `marigram db undrop` has it back until a vacuum sweeps it away\n", options.table)));
  return kExitOk;
}

Result<int> list_dropped(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  MARIGRAM_ASSIGN(const auto tables, opened.database.list_dropped_tables());
  nlohmann::ordered_json json = {{"dropped", nlohmann::ordered_json::array()}};
  TextTable text({{"namespace"}, {"table"}, {"dropped"}});
  for (const DroppedTable& table : tables) {
    const std::string time = format_rfc3339(table.dropped);
    json["dropped"].push_back({{"namespace", table.name_space}, {"table", table.table}, {"time", time}});
    text.add_row({table.name_space, table.table, time});
  }
  MARIGRAM_TRY(say(context, json, text.render(false)));
  return kExitOk;
}

Result<int> undrop(Context& context, const Options& options) {
  if (options.table.empty()) return list_dropped(context, options);
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  MARIGRAM_TRY(database.undrop_table(named.name_space, named.table));
  MARIGRAM_TRY(database.close());
  MARIGRAM_TRY(say(context, {{"undropped", true}}, fmt::format("{} is back\n", options.table)));
  return kExitOk;
}

Result<int> rename(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const DatabaseTable from, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(const DatabaseTable to, parse_database_table(context, options.to));
  if (from.name_space != to.name_space) {
    return context.usage(fmt::format("cannot rename {} to {}: a table stays in its namespace; `db clone` copies it",
                                     options.table, options.to));
  }
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  MARIGRAM_TRY(database.rename_table(from.name_space, from.table, to.table));
  MARIGRAM_TRY(database.close());
  MARIGRAM_TRY(say(context, {{"from", options.table}, {"to", options.to}},
                   fmt::format("{} is now {}\n", options.table, options.to)));
  return kExitOk;
}

}  // namespace

void add_db_drop(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "drop", "Take a table away, to be had back until vacuum",
                                      "marigram db drop metrics acme.cpu");
  add_database(command, options->path);
  add_database_table(command, options->table);
  add_dry_run(command, options->dry_run, "Change nothing, only say what would go");
  command.runs([&context, options] { return drop(context, *options); });
}

void add_db_undrop(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "undrop", "Have a table back that was dropped, or list those",
                                      "marigram db undrop metrics acme.cpu");
  add_database(command, options->path);
  command.option("NAMESPACE.TABLE", options->table, "TEXT", "The table (default: list those that can be had back)");
  command.runs([&context, options] { return undrop(context, *options); });
}

void add_db_rename(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "rename", "Give a table another name in its namespace",
                                      "marigram db rename metrics acme.cpu acme.cpu_load");
  add_database(command, options->path);
  add_database_table(command, options->table);
  command.option("NEW", options->to, "TEXT", "NAMESPACE.TABLE, as it is called from now on").required();
  command.runs([&context, options] { return rename(context, *options); });
}

}  // namespace marigram::cli
