// marigram verify: read everything and compare.
#include "base/try.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  bool repair = false;
};

// After a repair that changed something, a second look says what is left.
Result<VerifyReport> verify(const std::string& table, bool repair) {
  MARIGRAM_ASSIGN(VerifyReport report, Table::verify(table, repair));
  if (!repair || report.repaired.empty()) return report;
  MARIGRAM_ASSIGN(VerifyReport left, Table::verify(table, false));
  left.repaired = std::move(report.repaired);
  return left;
}

std::string render(const std::string& name, const VerifyReport& report) {
  std::string out;
  for (const std::string& line : report.repaired) out += fmt::format("repaired: {}\n", line);
  for (const std::string& line : report.problems) out += fmt::format("problem: {}\n", line);
  const std::string verdict =
      report.problems.empty() ? "sound" : fmt::format("{} left", count_of(report.problems.size(), "problem"));
  out += fmt::format("{}: {}; checked {}, {}, {}\n", name, verdict, count_of(report.commits, "commit"),
                     count_of(report.segments, "segment"), count_of(report.rows, "row"));
  return out;
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const VerifyReport report, verify(options.table, options.repair));
  if (context.json) {
    MARIGRAM_TRY(context.print({{"ok", report.problems.empty()},
                                {"commits", report.commits},
                                {"segments", report.segments},
                                {"rows", report.rows},
                                {"problems", report.problems},
                                {"repaired", report.repaired}}));
  } else {
    MARIGRAM_TRY(context.out.write(render(options.table, report)));
  }
  return report.problems.empty() ? kExitOk : kExitFailure;
}

}  // namespace

void add_verify(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "verify", "Read a whole table and compare log, segments, statistics and coverage",
                  "marigram verify weather --repair");
  add_table(command, options->table);
  command.flag("--repair", options->repair, "Write again what can be derived: coverage, a torn last commit, CURRENT");
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
