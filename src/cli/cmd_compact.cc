// marigram compact: fewer and larger segments, all of one format.
#include "base/try.h"
#include "cli/command.h"
#include "cli/compact.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::string segments;
  std::string compression;
  CompactTexts texts;
};

nlohmann::ordered_json to_json(const CompactReport::Total& total) {
  return {{"segments", total.segments}, {"rows", total.rows}, {"bytes", total.bytes}};
}

std::string summary(const CompactReport& report, const Options& options) {
  if (report.before.segments == 0) {
    return fmt::format("nothing to gain in {}: version {}\n", options.table, report.version);
  }
  const std::string done = summary_of(report, options.table, options.texts.dry_run);
  return options.texts.dry_run ? done + "\n" : fmt::format("{}: version {}\n", done, report.version);
}

/// Makes a version only if something changes.
Status choose_segments(Table& table, const Options& options) {
  const TableInfo info = table.info();
  const SegmentFormat format = options.segments.empty() ? info.segment_format : segments_named(options.segments);
  std::optional<std::string> compression;
  if (!options.compression.empty() && options.compression != info.compression) compression = options.compression;
  if (format != info.segment_format || compression) MARIGRAM_TRY(table.set_segments(format, compression));
  return {};
}

Result<int> run(Context& context, const Options& options) {
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  MARIGRAM_TRY(choose_segments(table, options));
  MARIGRAM_ASSIGN(
      const CompactReport report,
      table.compact({.tiered = options.texts.tiered, .dry_run = options.texts.dry_run, .cancel = context.cancel}));
  if (context.json) {
    nlohmann::ordered_json answer = {{"version", report.version}, {"before", to_json(report.before)}};
    if (!options.texts.dry_run) answer["after"] = to_json(report.after);
    answer["dry_run"] = options.texts.dry_run;
    MARIGRAM_TRY(context.print(answer));
  } else {
    MARIGRAM_TRY(context.out.write(summary(report, options)));
  }
  return kExitOk;
}

}  // namespace

void add_compact(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "compact", "Merge small and overlapping segments, or change their format",
                  "marigram compact weather --segments native");
  add_table(command, options->table);
  command.choice("--segments", options->segments, {"parquet", "native"},
                 "What files rows are kept in from now on; those that are there are written anew");
  add_compression(command, "--compression", options->compression, "Of native segments from now on");
  add_compact_options(command, options->texts);
  command.declared("--dry-run").excludes("--segments").excludes("--compression");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
