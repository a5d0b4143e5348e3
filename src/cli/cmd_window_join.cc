// marigram window-join: rows of a file, each with aggregates of the rows of a table around it.
#include "base/try.h"
#include "cli/aggregate_options.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/probes.h"
#include "cli/row_output.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/window_join.h>

#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  ProbeOptions probes;
  std::string before;
  std::string after;
  std::vector<std::string> aggregates;
  std::vector<std::string> where;
  std::string at;
  RowOutputOptions output;
};

Result<WindowJoinRequest> make_request(Context& context, const Options& options, const TableInfo& info) {
  WindowJoinRequest request;
  if (options.before.empty() && options.after.empty()) {
    return context.usage("cannot tell how wide a window is; want --before, --after or both");
  }
  if (!options.before.empty()) {
    MARIGRAM_ASSIGN(request.before, parse_distance(context, "--before", options.before, info));
  }
  if (!options.after.empty()) {
    MARIGRAM_ASSIGN(request.after, parse_distance(context, "--after", options.after, info));
  }
  MARIGRAM_ASSIGN(request.columns, parse_aggregates(context, options.aggregates));
  MARIGRAM_ASSIGN(request.where, parse_where(context, options.where));
  request.cancel = context.cancel;
  return request;
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const RowOutput output, choose_row_output(context, options.output));
  MARIGRAM_ASSIGN(const OpenOptions version, parse_at(context, options.at));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table, version));
  MARIGRAM_ASSIGN(const WindowJoinRequest request, make_request(context, options, table.info()));
  MARIGRAM_ASSIGN(const ReaderPtr joined, join_probes(context, options.probes, table.info(), [&](const auto& probes) {
                    return open_window_join(table, probes, request);
                  }));
  MARIGRAM_TRY(write_rows(context, output, *joined));
  return kExitOk;
}

}  // namespace

void add_window_join(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "window-join", "Add aggregates of the rows around it to each row of a file",
                  "marigram window-join trades --probes orders.csv --before 5m --agg 'vwap(price,size)' --agg count");
  add_table(command, options->table);
  add_probes(command, options->probes);
  const auto add_distance = [&](const char* option, std::string& distance, const char* help) {
    command.option(option, distance, "DISTANCE", help);
  };
  add_distance("--before", options->before,
               "Rows from so long before the probe on: a number of ns, us, ms, s, m, h or d, or of an integer index");
  add_distance("--after", options->after, "Rows up to so long after it");
  add_aggregates(command, options->aggregates);
  add_where(command, options->where);
  add_limit(command, options->output);
  add_at(command, options->at);
  add_row_format(command, options->output);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
