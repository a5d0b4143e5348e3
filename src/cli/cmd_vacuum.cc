// marigram vacuum: delete what no commit refers to.
#include "base/bucket_width.h"
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <charconv>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::string older_than = "7d";
  std::string history;
  bool dry_run = false;
};

/// A number of versions, or an age; empty: everything.
Result<History> parse_history(Context& context, const std::string& text) {
  History history;
  if (text.empty()) return history;
  std::uint64_t versions = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), versions);
  if (error == std::errc() && end == text.data() + text.size() && versions > 0) {
    history.versions = versions;
    return history;
  }
  const auto seconds = parse_duration_seconds(text);
  if (!seconds)
    return context.usage(fmt::format("cannot read --history: {}; or a number of versions", seconds.error().message));
  history.seconds = *seconds;
  return history;
}

Result<int> run(Context& context, const Options& options) {
  const auto seconds = parse_duration_seconds(options.older_than);
  if (!seconds) return context.usage(fmt::format("cannot read --older-than: {}", seconds.error().message));
  MARIGRAM_ASSIGN(const History history, parse_history(context, options.history));
  MARIGRAM_ASSIGN(Table table, Table::open(options.table));
  MARIGRAM_ASSIGN(const VacuumReport report, table.vacuum(*seconds, options.dry_run, history));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"dry_run", options.dry_run},
                                {"files", report.files},
                                {"bytes", report.bytes},
                                {"oldest", report.oldest},
                                {"paths", report.paths}}));
    return kExitOk;
  }
  for (const std::string& path : report.paths) MARIGRAM_TRY(context.out.write(path + "\n"));
  MARIGRAM_TRY(context.out.flush());
  note(fmt::format("{} {}, {}", options.dry_run ? "would delete" : "deleted", count_of(report.files, "file"),
                   format_bytes(report.bytes)));
  return kExitOk;
}

}  // namespace

void add_vacuum(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(app, context, "vacuum", "Delete files that no commit refers to, and print their paths",
                  "marigram vacuum weather --older-than 7d --dry-run");
  add_table(command, options->table);
  command
      .add_option("--older-than", options->older_than,
                  "Spare younger files: longer than the longest import may take (a number of s, m, h or d)")
      ->type_name("AGE")
      ->capture_default_str();
  command
      .add_option("--history", options->history,
                  "Give up versions before the newest so many, or before those of so long ago (default: keep all)")
      ->type_name("VERSIONS|AGE");
  add_dry_run(command, options->dry_run, "Delete nothing, only print");
  command.callback([&context, options] { context.chosen = [&context, options] { return run(context, *options); }; });
}

}  // namespace marigram::cli
