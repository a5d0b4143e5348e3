// marigram db compact: fewer and larger segments.
#include "base/try.h"
#include "cli/command.h"
#include "cli/compact.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  CompactTexts texts;
};

Result<int> run(Context& context, const Options& options) {
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  MARIGRAM_ASSIGN(
      const CompactReport report,
      database.compact({.tiered = options.texts.tiered, .dry_run = options.texts.dry_run, .cancel = context.cancel}));
  MARIGRAM_TRY(database.close());
  if (context.json) {
    nlohmann::ordered_json answer = {{"segments_before", report.before.segments},
                                     {"bytes_before", report.before.bytes}};
    if (!options.texts.dry_run) {
      answer["segments_after"] = report.after.segments;
      answer["bytes_after"] = report.after.bytes;
    }
    answer["dry_run"] = options.texts.dry_run;
    MARIGRAM_TRY(context.print(answer));
  } else {
    MARIGRAM_TRY(context.out.write(summary_of(report, options.path, options.texts.dry_run) + "\n"));
  }
  return kExitOk;
}

}  // namespace

void add_db_compact(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "compact", "Merge small and overlapping segments of all tables",
                                      "marigram db compact metrics");
  add_database(command, options->path);
  add_compact_options(command, options->texts);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
