// marigram db backup: a snapshot of a database that is in use, alone or on top of an earlier one.
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
  std::string target;
  std::string base;
};

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  MARIGRAM_ASSIGN(const SnapshotReport report, opened.database.snapshot(options.target, {.base = options.base}));
  if (context.json) {
    nlohmann::ordered_json json{{"database", options.path}, {"snapshot", options.target}};
    json["base"] = options.base.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(options.base);
    json["tables"] = report.tables;
    json["rows"] = report.rows;
    json["files"] = report.files;
    json["bytes"] = report.bytes;
    json["shared_files"] = report.shared_files;
    json["shared_bytes"] = report.shared_bytes;
    MARIGRAM_TRY(context.print(json));
    return kExitOk;
  }
  std::string shared;
  if (!options.base.empty()) {
    shared = fmt::format("; of these {}, {} are shared with {}", count_of(report.shared_files, "file"),
                         format_bytes(report.shared_bytes), options.base);
  }
  MARIGRAM_TRY(context.out.write(fmt::format("backed up {} to {}: {}, {}, {}, {}{}\n", options.path, options.target,
                                             count_of(report.tables, "table"), count_of(report.rows, "row"),
                                             count_of(report.files, "file"), format_bytes(report.bytes), shared)));
  return kExitOk;
}

}  // namespace

void add_db_backup(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "backup", "Copy a database to a new folder, which is a database too, and compare",
                  "marigram db backup metrics tuesday --base monday");
  command.alias("snapshot");
  add_database(command, options->path);
  command.option("PATH", options->target, "FOLDER", "The new folder").required();
  command.option("--base", options->base, "FOLDER",
                 "An earlier backup of it, with which files are shared that have not changed; it may be deleted");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
