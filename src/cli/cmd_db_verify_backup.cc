// marigram db verify-backup: read a snapshot, and compare each file with what was written.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
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

Result<int> run(Context& context, const std::string& path) {
  MARIGRAM_ASSIGN(const SnapshotVerifyReport report, Database::verify_snapshot(path));
  const bool ok = report.problems.empty();
  if (context.json) {
    MARIGRAM_TRY(
        context.print({{"ok", ok}, {"files", report.files}, {"bytes", report.bytes}, {"problems", report.problems}}));
    return ok ? kExitOk : kExitFailure;
  }
  for (const std::string& problem : report.problems) {
    MARIGRAM_TRY(context.out.write(fmt::format("problem: {}\n", problem)));
  }
  MARIGRAM_TRY(context.out.write(fmt::format("{}: {}; checked {}, {}\n", path,
                                             ok ? "sound" : count_of(report.problems.size(), "problem"),
                                             count_of(report.files, "file"), format_bytes(report.bytes))));
  return ok ? kExitOk : kExitFailure;
}

}  // namespace

void add_db_verify_backup(CLI::App& app, Context& context) {
  auto path = std::make_shared<std::string>();
  const Command command =
      add_command(app, context, "verify-backup", "Read a backup, and compare each file with what was written",
                  "marigram db verify-backup monday");
  command.option("PATH", *path, "FOLDER", "Folder of the backup").required();
  command.runs([&context, path] { return run(context, *path); });
}

}  // namespace marigram::cli
