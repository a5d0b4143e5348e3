// marigram asof: rows of a file joined to the rows of a table before or after them.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/explain.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/probes.h"
#include "cli/row_output.h"

#include <marigram/asof.h>
#include <marigram/error.h>
#include <marigram/table.h>

#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  ProbeOptions probes;
  std::string direction = "backward";
  bool strict = false;
  std::string tolerance;
  std::vector<std::string> columns;
  std::vector<std::string> last_non_null;
  std::vector<std::string> where;
  std::string suffix;
  std::string matched_time = "matched_time";
  bool explain = false;
  std::string at;
  RowOutputOptions output;
};

Result<AsofRequest> make_request(Context& context, const Options& options, const TableInfo& info) {
  AsofRequest request;
  if (options.direction == "forward") request.direction = AsofDirection::kForward;
  if (options.direction == "nearest") request.direction = AsofDirection::kNearest;
  request.allow_exact_matches = !options.strict;
  if (!options.tolerance.empty()) {
    MARIGRAM_ASSIGN(request.tolerance, parse_distance(context, "--tolerance", options.tolerance, info));
  }
  request.columns = options.columns;
  request.ignore_nulls = options.last_non_null;
  request.suffix = options.suffix;
  request.matched_time = options.matched_time;
  MARIGRAM_ASSIGN(request.where, parse_where(context, options.where));
  request.cancel = context.cancel;
  return request;
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const RowOutput output, choose_row_output(context, options.output));
  MARIGRAM_ASSIGN(const OpenOptions version, parse_at(context, options.at));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table, version));
  MARIGRAM_ASSIGN(AsofRequest request, make_request(context, options, table.info()));
  AsofStatistics statistics;
  request.statistics = &statistics;
  MARIGRAM_ASSIGN(const ReaderPtr joined, join_probes(context, options.probes, table.info(), [&](const auto& probes) {
                    return open_asof(table, probes, request);
                  }));
  MARIGRAM_TRY(write_rows(context, output, *joined));
  if (options.explain) explain(statistics);
  return kExitOk;
}

}  // namespace

void add_asof(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "asof", "Join rows of a file to the last row before each of them, or the next",
                  "marigram asof quotes --probes trades.csv --tolerance 5s --columns bid,ask");
  add_table(command, options->table);
  add_probes(command, options->probes);
  command
      .choice("--direction", options->direction, {"backward", "forward", "nearest"},
              "The last row up to each probe, the first from it on, or the nearer of the two")
      .shows_default();
  command.flag("--strict", options->strict, "Pass over rows of the probe's own time");
  command.option("--tolerance", options->tolerance, "DISTANCE",
                 "How far a row may be: a number of ns, us, ms, s, m, h or d, or of an integer index");
  command.names("--columns", options->columns, "NAME,...",
                "Columns of the table, in this order (default: all but tags and time)");
  command.names("--last-non-null", options->last_non_null, "NAME,...",
                "Of these, take each from the nearest row that has a value");
  add_where(command, options->where);
  command.option("--suffix", options->suffix, "TEXT", "Put behind the names of columns that the probes have too");
  command.option("--matched-time", options->matched_time, "NAME", "Name of the column with the time of the row")
      .shows_default();
  add_explain(command, options->explain);
  add_limit(command, options->output);
  add_at(command, options->at);
  add_row_format(command, options->output);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
