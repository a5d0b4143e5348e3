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

#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  bool tiered = false;
};

Result<int> run(Context& context, const Options& options) {
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(Database database, open_to_write(options.path));
  MARIGRAM_ASSIGN(const CompactReport report, database.compact({.tiered = options.tiered, .cancel = context.cancel}));
  MARIGRAM_TRY(database.close());
  if (context.json) {
    MARIGRAM_TRY(context.print({{"segments_before", report.before.segments},
                                {"segments_after", report.after.segments},
                                {"bytes_before", report.before.bytes},
                                {"bytes_after", report.after.bytes}}));
  } else {
    MARIGRAM_TRY(context.out.write(fmt::format(
        "compacted {}: {} ({}) became {} ({})\n", options.path, count_of(report.before.segments, "segment"),
        format_bytes(report.before.bytes), group_digits(report.after.segments), format_bytes(report.after.bytes))));
  }
  return kExitOk;
}

}  // namespace

void add_db_compact(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App& command = add_command(app, context, "compact", "Merge small and overlapping segments of all tables",
                                  "marigram db compact metrics");
  add_database(command, options->path);
  add_tiered(command, options->tiered);
  command.callback([&context, options] { context.chosen = [&context, options] { return run(context, *options); }; });
}

}  // namespace marigram::cli
