// marigram db query: rows out of a database, or aggregates of them.
#include "base/interval_text.h"
#include "base/try.h"
#include "cli/aggregate_options.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/database_access.h"
#include "cli/exit_code.h"
#include "cli/explain.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/row_output.h"
#include "cli/text_table.h"
#include "model/aggregate.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string path;
  std::string table;
  TimesOptions times;
  std::vector<std::string> where;
  std::vector<std::string> fields;
  std::string aggregate;
  std::string every;
  std::string timezone;
  std::string origin;
  FillTexts fill;
  std::vector<std::string> by;
  bool by_series = false;
  std::string order = "time";
  std::string at;
  bool explain = false;
  RowOutputOptions output;
};

Status set_aggregate(Context& context, const Options& options, QueryRequest& request) {
  if (options.aggregate.empty()) {
    if (options.explain) return context.usage("cannot explain rows: --explain is for aggregates; add --agg");
    if (options.every.empty() && options.by.empty() && !options.by_series) return {};
    return context.usage("cannot group rows: --every, --by and --by-series are for aggregates; add --agg");
  }
  if (const auto known = model::parse_aggregate(options.aggregate); !known) return context.usage(known.error().message);
  request.aggregate = options.aggregate;
  request.by = options.by;
  request.by_series = options.by_series;
  if (options.every.empty()) {
    if (options.timezone.empty() && options.origin.empty() && options.fill.fill.empty()) return {};
    return context.usage("cannot use --timezone, --origin or --fill: they are for --every");
  }
  const auto every = parse_interval(options.every, !options.timezone.empty());
  if (!every) return context.usage(fmt::format("cannot read --every: {}", every.error().message));
  request.every = *every;
  request.timezone = options.timezone;
  MARIGRAM_ASSIGN(request.fill, parse_fill(context, options.fill));
  if (options.origin.empty()) return {};
  const auto origin = parse_rfc3339(options.origin);
  if (!origin) return context.usage(fmt::format("cannot read --origin: {}", origin.error().message));
  MARIGRAM_ASSIGN(request.origin_ns, to_units_floor(*origin, TimeUnit::kNano));
  return {};
}

Result<QueryRequest> make_request(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const Times times, parse_times(context, options.times));
  QueryRequest request{.from_ns = times.from_ns, .to_ns = times.to_ns};
  MARIGRAM_ASSIGN(request.where, parse_conditions(context, options.where));
  request.fields = options.fields;
  MARIGRAM_TRY(set_aggregate(context, options, request));
  request.order = order_named(options.order);
  MARIGRAM_ASSIGN(request.at, parse_at(context, options.at));
  request.cancel = context.cancel;
  return request;
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const RowOutput output, choose_row_output(context, options.output));
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(QueryRequest request, make_request(context, options));
  request.limit = output.rows_wanted(options.output.limit);
  QueryStatistics statistics;
  request.statistics = &statistics;
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  MARIGRAM_ASSIGN(auto reader, open_query(opened.database, named.name_space, named.table, request));
  MARIGRAM_ASSIGN(const RowsWritten written, write_rows(context, output, *reader));
  reader.reset();  // tells the statistics
  if (written.more) note("there are more rows; --limit N shows N");
  if (options.explain) explain(statistics);
  return kExitOk;
}

void add_choice_of_aggregate(const Command& command, Options& options) {
  command.option(
      "--agg", options.aggregate, "NAME",
      "Instead of rows: count, sum, avg, min, max, first, last, stddev, median, p99 and the like, rate or delta");
  command.option("--every", options.every, "WIDTH",
                 "An aggregate for each interval: a number of s, m, h, d, w, mo or y");
  command.option("--timezone", options.timezone, "ZONE", "By the clocks of this IANA zone (default: UTC)");
  command.option("--origin", options.origin, "TIME", "Intervals begin here (default: 1970-01-01, weeks on Monday)");
  add_fill(command, options.fill);
  command.names("--by", options.by, "TAG,...",
                "Aggregates for each combination of these tags (default: of all series together)");
  command.flag("--by-series", options.by_series, "Aggregates for each series");
}

/// What is asked for of a table.
void add_question(const Command& command, Options& options) {
  add_database(command, options.path);
  add_database_table(command, options.table);
  add_times(command, options.times);
  add_conditions(command, options.where);
  command.names("--field", options.fields, "NAME,...", "Fields, in this order (default: all)");
  add_choice_of_aggregate(command, options);
}

/// The query is run, and what it read is printed in place of its rows.
Result<int> run_explain(Context& context, const Options& options) {
  if (options.aggregate.empty())
    return context.usage("cannot explain rows: what is explained are aggregates; add --agg");
  MARIGRAM_ASSIGN(const DatabaseTable named, parse_database_table(context, options.table));
  MARIGRAM_ASSIGN(QueryRequest request, make_request(context, options));
  QueryStatistics statistics;
  request.statistics = &statistics;
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const OpenedDatabase opened, open_to_read(context, options.path));
  std::uint64_t rows = 0;
  {
    MARIGRAM_ASSIGN(BatchStream stream, opened.database.query(named.name_space, named.table, request));
    while (true) {
      MARIGRAM_ASSIGN(const std::optional<Batch> batch, stream.next());
      if (!batch) break;
      rows += batch->rows();
    }
  }
  if (!context.json) {
    MARIGRAM_TRY(context.out.write(
        fmt::format("result: {}\n{}\n", count_of(rows, "row"), fmt::join(describe(statistics), "\n"))));
    return kExitOk;
  }
  nlohmann::ordered_json json = {{"rows", rows},
                                 {"rollups", nlohmann::ordered_json::array()},
                                 {"segments", statistics.segments},
                                 {"segments_read", statistics.segments_read},
                                 {"blocks_skipped", statistics.blocks_skipped},
                                 {"blocks_answered", statistics.blocks_answered},
                                 {"blocks_decoded", statistics.blocks_decoded},
                                 {"rows_scanned", statistics.rows_scanned}};
  for (const RollupUse& use : statistics.rollups) {
    json["rollups"].push_back({{"interval", use.interval}, {"rows", use.rows}});
  }
  MARIGRAM_TRY(context.print(json));
  return kExitOk;
}

}  // namespace

void add_db_query(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "query", "Print rows of a table, or aggregates of them",
                  "marigram db query metrics acme.cpu --where host=a1 --agg avg --every 1h --by core");
  add_question(command, *options);
  add_explain(command, options->explain);
  add_order(command, options->order);
  add_at(command, options->at);
  add_limit(command, options->output);
  add_row_format(command, options->output);
  command.runs([&context, options] { return run(context, *options); });
}

void add_db_explain(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command =
      add_command(app, context, "explain", "Say what a query of aggregates reads: levels of rollups, segments, blocks",
                  "marigram db explain metrics acme.cpu --agg max --every 1h");
  add_question(command, *options);
  command.runs([&context, options] { return run_explain(context, *options); });
}

}  // namespace marigram::cli
