// marigram aggregate: aggregates of a table's rows.
#include "base/interval_text.h"
#include "base/try.h"
#include "cli/aggregate_options.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/explain.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/row_output.h"

#include <marigram/aggregate.h>
#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::vector<std::string> aggregates;
  std::string every;
  std::string timezone;
  std::string origin;
  FillTexts fill;
  std::vector<std::string> by;
  bool by_series = false;
  std::string from;
  std::string to;
  std::vector<std::string> where;
  bool explain = false;
  std::string at;
  RowOutputOptions output;
};

/// A number of steps where the index is an integer.
Result<Interval> parse_every(Context& context, const Options& options, const TableInfo& info) {
  const std::string& text = options.every;
  if (info.index_type == "timestamp") {
    const auto every = parse_interval(text, !options.timezone.empty());
    if (!every) return context.usage("cannot read --every: " + every.error().message);
    return *every;
  }
  std::int64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error == std::errc() && rest == text.data() + text.size() && count > 0) return Interval(count);
  return context.usage(fmt::format("cannot read --every \"{}\"; want a number of 1 or more, as {} has integers", text,
                                   info.time_column));
}

Result<AggregateRequest> make_request(Context& context, const Options& options, const TableInfo& info) {
  AggregateRequest request;
  MARIGRAM_ASSIGN(request.columns, parse_aggregates(context, options.aggregates));
  MARIGRAM_ASSIGN(const IndexRange range, parse_range(context, options.from, options.to, info));
  request.from = range.from;
  request.to = range.to;
  MARIGRAM_ASSIGN(request.where, parse_where(context, options.where));
  if (!options.every.empty()) {
    MARIGRAM_ASSIGN(request.every, parse_every(context, options, info));
  } else if (!options.timezone.empty() || !options.origin.empty() || !options.fill.fill.empty()) {
    return context.usage("cannot use --timezone, --origin or --fill: they are for --every");
  }
  MARIGRAM_ASSIGN(request.fill, parse_fill(context, options.fill));
  request.timezone = options.timezone;
  if (!options.origin.empty()) {
    MARIGRAM_ASSIGN(request.origin, parse_index_value(context, "--origin", options.origin, info));
  }
  request.by = options.by;
  request.by_series = options.by_series;
  request.cancel = context.cancel;
  return request;
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const RowOutput output, choose_row_output(context, options.output));
  MARIGRAM_ASSIGN(const OpenOptions version, parse_at(context, options.at));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table, version));
  MARIGRAM_ASSIGN(AggregateRequest request, make_request(context, options, table.info()));
  request.limit = output.rows_wanted(options.output.limit);
  QueryStatistics statistics;
  request.statistics = &statistics;
  MARIGRAM_ASSIGN(auto reader, open_aggregate(table, request));
  MARIGRAM_ASSIGN(const RowsWritten written, write_rows(context, output, *reader));
  reader.reset();  // tells the statistics
  if (written.more) note("there are more rows; --limit N shows N");
  if (options.explain) explain(statistics);
  return kExitOk;
}

}  // namespace

void add_aggregate(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "aggregate", "Print aggregates of rows, by groups of series and intervals",
                  "marigram aggregate weather --agg 'avg(temp)' --agg 'max(wind_gust)' --every 1d --by origin");
  add_table(command, options->table);
  add_aggregates(command, options->aggregates);
  command.option("--every", options->every, "WIDTH",
                 "For each interval: a number of s, m, h, d, w, mo or y, or of an integer index");
  command.option("--timezone", options->timezone, "ZONE", "By the clocks of this IANA zone (default: UTC)");
  command.option("--origin", options->origin, "TIME", "Intervals begin here (default: 1970-01-01, weeks on Monday)");
  add_fill(command, options->fill);
  command.names("--by", options->by, "TAG,...", "For each combination of these tags (default: of all series together)");
  command.flag("--by-series", options->by_series, "For each series");
  command.option("--from", options->from, "TIME", "Of rows from this time or integer on");
  command.option("--to", options->to, "TIME", "Of rows before this time or integer");
  add_where(command, options->where);
  add_explain(command, options->explain);
  add_limit(command, options->output);
  add_at(command, options->at);
  add_row_format(command, options->output);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
