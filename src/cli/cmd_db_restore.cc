// marigram db restore: a database of a backup, or of a part of one.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/text_table.h"
#include "db/core.h"
#include "db/restore.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string source;
  std::string path;
  std::string name_space;
  std::string table;
  TimesOptions times;
  bool dry_run = false;
};

Result<RestoreReport> restore(const Options& options, const RestoreOptions& wanted) {
  if (!options.dry_run) return Database::restore(options.source, options.path, wanted);
  MARIGRAM_ASSIGN(const db::Surroundings source, db::surroundings_of(options.source));
  return db::preview_restore(*source.storage, wanted);
}

Result<int> run(Context& context, const Options& options) {
  RestoreOptions wanted{.name_space = options.name_space};
  if (!options.table.empty()) {
    if (!options.name_space.empty()) return context.usage("cannot use --namespace: --table names the namespace too");
    MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
    wanted.name_space = named.name_space;
    wanted.table = named.table;
  }
  MARIGRAM_ASSIGN(const Times times, parse_times(context, options.times));
  wanted.from_ns = times.from_ns;
  wanted.to_ns = times.to_ns;
  MARIGRAM_ASSIGN(const RestoreReport report, restore(options, wanted));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"snapshot", options.source},
                                {"database", options.path},
                                {"dry_run", options.dry_run},
                                {"tables", report.tables},
                                {"rows", report.rows},
                                {"files", report.files},
                                {"bytes", report.bytes}}));
  } else {
    MARIGRAM_TRY(context.out.write(
        fmt::format("{} {} from {}: {}, {}, {}, {}\n", options.dry_run ? "would restore" : "restored", options.path,
                    options.source, count_of(report.tables, "table"), count_of(report.rows, "row"),
                    count_of(report.files, "file"), format_bytes(report.bytes))));
  }
  return kExitOk;
}

}  // namespace

void add_db_restore(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "restore", "Make a database of a backup, or of a part; all or nothing",
                  "marigram db restore monday restored --table acme.cpu --from 2026-01-01");
  command.option("PATH", options->source, "FOLDER", "Folder of the backup").required();
  add_database(command, options->path).says("Folder of the new database");
  command.option("--namespace", options->name_space, "NAMESPACE", "Only the tables of this namespace");
  command.option("--table", options->table, "NAMESPACE.TABLE", "Only this table");
  add_times(command, options->times);
  add_dry_run(command, options->dry_run, "Make nothing, only say how much would be copied");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
