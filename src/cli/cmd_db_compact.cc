// marigram db compact: fewer and larger segments.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
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
  bool tiered = false;
  bool dry_run = false;
};

std::string summary(const CompactReport& report, const Options& options) {
  const std::string before =
      fmt::format("{} ({})", count_of(report.before.segments, "segment"), format_bytes(report.before.bytes));
  if (options.dry_run) return fmt::format("would rewrite {} of {}\n", before, options.path);
  return fmt::format("compacted {}: {} became {} ({})\n", options.path, before, group_digits(report.after.segments),
                     format_bytes(report.after.bytes));
}

Result<int> run(Context& context, const Options& options) {
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  MARIGRAM_ASSIGN(const CompactReport report,
                  database.compact({.tiered = options.tiered, .dry_run = options.dry_run, .cancel = context.cancel}));
  MARIGRAM_TRY(database.close());
  if (context.json) {
    nlohmann::ordered_json answer = {{"segments_before", report.before.segments},
                                     {"bytes_before", report.before.bytes}};
    if (!options.dry_run) {
      answer["segments_after"] = report.after.segments;
      answer["bytes_after"] = report.after.bytes;
    }
    answer["dry_run"] = options.dry_run;
    MARIGRAM_TRY(context.print(answer));
  } else {
    MARIGRAM_TRY(context.out.write(summary(report, options)));
  }
  return kExitOk;
}

}  // namespace

void add_db_compact(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "compact", "Merge small and overlapping segments of all tables",
                                      "marigram db compact metrics");
  add_database(command, options->path);
  add_tiered(command, options->tiered);
  add_dry_run(command, options->dry_run, "Change nothing, only say how much would be rewritten");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
