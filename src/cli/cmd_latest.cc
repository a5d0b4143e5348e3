// marigram latest: the last row of each series, or the first.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/explain.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/row_output.h"

#include <marigram/error.h>
#include <marigram/latest.h>
#include <marigram/table.h>

#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  bool first = false;
  std::string on;
  std::vector<std::string> columns;
  std::vector<std::string> last_non_null;
  std::vector<std::string> where;
  bool explain = false;
  std::string at;
  RowOutputOptions output;
};

Result<LatestRequest> make_request(Context& context, const Options& options, const TableInfo& info) {
  LatestRequest request{.edge = options.first ? SeriesEdge::kFirst : SeriesEdge::kLast};
  if (!options.on.empty()) {
    MARIGRAM_ASSIGN(request.on, parse_index_value(context, "--on", options.on, info));
  }
  request.columns = options.columns;
  request.ignore_nulls = options.last_non_null;
  MARIGRAM_ASSIGN(request.where, parse_where(context, options.where));
  request.cancel = context.cancel;
  return request;
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const RowOutput output, choose_row_output(context, options.output));
  MARIGRAM_ASSIGN(const OpenOptions version, parse_at(context, options.at));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table, version));
  MARIGRAM_ASSIGN(LatestRequest request, make_request(context, options, table.info()));
  AsofStatistics statistics;
  request.statistics = &statistics;
  MARIGRAM_ASSIGN(const auto reader, open_latest(table, request));
  MARIGRAM_TRY(write_rows(context, output, *reader));
  if (options.explain) explain(statistics);
  return kExitOk;
}

}  // namespace

void add_latest(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "latest", "Print the last row of each series, or the first",
                                      "marigram latest weather --on 2013-06-01 --columns temp,humid");
  add_table(command, options->table);
  command.flag("--first", options->first, "The first row of each, not the last");
  command.option("--on", options->on, "TIME", "The last up to this time or integer; with --first the first from it on");
  command.names("--columns", options->columns, "NAME,...", "Fields, in this order (default: all)");
  command.names("--last-non-null", options->last_non_null, "NAME,...",
                "Of these, take each from the nearest row that has a value");
  add_where(command, options->where);
  add_explain(command, options->explain);
  add_limit(command, options->output);
  add_at(command, options->at);
  add_row_format(command, options->output);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
