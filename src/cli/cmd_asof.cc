// marigram asof: rows of a file joined to the rows of a table before or after them.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/column_plan.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/import_rows.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/row_output.h"
#include "cli/row_source.h"
#include "cli/time_format.h"

#include <marigram/asof.h>
#include <marigram/error.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arrow/record_batch.h>
#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::string probes;
  std::vector<std::string> map;
  std::string direction = "backward";
  bool strict = false;
  std::string tolerance;
  std::vector<std::string> columns;
  std::vector<std::string> last_non_null;
  std::vector<std::string> where;
  std::string suffix;
  std::string matched_time = "matched_time";
  std::string at;
  RowOutputOptions output;
};

/// Nanoseconds a unit; 0 if there is no such unit.
std::uint64_t unit_ns(std::string_view unit) {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {
      {"ns", 1},           {"us", 1'000},          {"ms", 1'000'000},      {"s", kSecond},
      {"m", 60 * kSecond}, {"h", 3'600 * kSecond}, {"d", 86'400 * kSecond}};
  const auto* const found = std::ranges::find(kUnits, unit, &std::pair<std::string_view, std::uint64_t>::first);
  return found == std::end(kUnits) ? 0 : found->second;
}

/// Nanoseconds, or steps of an integer index.
Result<std::uint64_t> parse_tolerance(Context& context, const std::string& text, const TableInfo& info) {
  const bool is_time = info.index_type == "timestamp";
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  const std::uint64_t unit = is_time ? unit_ns({rest, end}) : (rest == end ? 1 : 0);
  if (error == std::errc() && unit > 0 && !__builtin_mul_overflow(count, unit, &count)) return count;
  return context.usage(
      fmt::format("cannot read --tolerance \"{}\"; want a number{}", text,
                  is_time ? " of ns, us, ms, s, m, h or d, as 5s" : fmt::format(", as {} has", info.time_column)));
}

Result<AsofRequest> make_request(Context& context, const Options& options, const TableInfo& info) {
  AsofRequest request;
  if (options.direction == "forward") request.direction = AsofDirection::kForward;
  if (options.direction == "nearest") request.direction = AsofDirection::kNearest;
  request.allow_exact_matches = !options.strict;
  if (!options.tolerance.empty()) {
    MARIGRAM_ASSIGN(request.tolerance, parse_tolerance(context, options.tolerance, info));
  }
  request.columns = options.columns;
  request.ignore_nulls = options.last_non_null;
  request.suffix = options.suffix;
  request.matched_time = options.matched_time;
  MARIGRAM_ASSIGN(request.where, parse_where(context, options.where));
  request.cancel = context.cancel;
  return request;
}

/// The probes bring columns of their own; times and tags are the table's. Times of Parquet files keep their unit, texts
/// are read to the nanosecond if the table has them, else to the microsecond.
TableShape shape_of(const TableInfo& info) {
  TableShape shape{.time_column = info.time_column,
                   .index_type = info.index_type,
                   .unit = {},
                   .keeps_unit = true,
                   .timezone = info.timezone,
                   .tags = info.tags,
                   .growing = info.growing,
                   .schema = nullptr};
  if (info.unit) shape.unit = info.unit == TimeUnit::kNano ? TimeUnit::kNano : TimeUnit::kMicro;
  return shape;
}

Result<int> run(Context& context, const Options& options) {
  ColumnOptions columns;
  MARIGRAM_ASSIGN(columns.map, parse_pairs(context, "--map", options.map, false));
  MARIGRAM_ASSIGN(const RowOutput output, choose_row_output(context, options.output));
  MARIGRAM_ASSIGN(const OpenOptions version, parse_at(context, options.at));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table, version));
  const TableInfo info = table.info();
  MARIGRAM_ASSIGN(const AsofRequest request, make_request(context, options, info));
  MARIGRAM_ASSIGN(const auto source, open_source(context.cancel, options.probes, ""));
  const std::string name = options.probes == "-" ? "standard input" : options.probes;
  MARIGRAM_ASSIGN(ColumnPlan plan, plan_columns(columns, shape_of(info), *source, name));
  MARIGRAM_TRY(start_source(*source, plan));
  Progress progress("read " + name, source->bytes_total());
  const auto probes =
      std::make_shared<ImportRows>(*source, std::move(plan), TimeFormat(), name, context.cancel, progress);
  auto joined = open_asof(table, probes, request);
  progress.clear();
  if (!joined) return std::unexpected(probes->error() ? *probes->error() : joined.error());
  MARIGRAM_TRY(write_rows(context, output, **joined));
  return kExitOk;
}

}  // namespace

void add_asof(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App& command =
      add_command(app, context, "asof", "Join rows of a file to the last row before each of them, or the next",
                  "marigram asof quotes --probes trades.csv --tolerance 5s --columns bid,ask");
  add_table(command, options->table);
  command
      .add_option("--probes", options->probes,
                  "CSV, JSON lines or Parquet with the table's tags and time; - is standard input")
      ->type_name("FILE")
      ->required();
  add_repeated(command, "--map", options->map, "OLD=NEW", "Rename a column of the probes");
  add_choice(command, "--direction", options->direction, {"backward", "forward", "nearest"},
             "The last row up to each probe, the first from it on, or the nearer of the two")
      ->capture_default_str();
  command.add_flag("--strict", options->strict, "Pass over rows of the probe's own time");
  command
      .add_option("--tolerance", options->tolerance,
                  "How far a row may be: a number of ns, us, ms, s, m, h or d, or of an integer index")
      ->type_name("DISTANCE");
  const auto add_names = [&](const char* option, std::vector<std::string>& names, const char* help) {
    command.add_option(option, names, help)->type_name("NAME,...")->delimiter(',')->allow_extra_args(false)->take_all();
  };
  add_names("--columns", options->columns, "Columns of the table, in this order (default: all but tags and time)");
  add_names("--last-non-null", options->last_non_null, "Of these, take each from the nearest row that has a value");
  add_where(command, options->where);
  command.add_option("--suffix", options->suffix, "Put behind the names of columns that the probes have too")
      ->type_name("TEXT");
  command.add_option("--matched-time", options->matched_time, "Name of the column with the time of the row")
      ->type_name("NAME")
      ->capture_default_str();
  add_limit(command, options->output);
  command.add_option("--at", options->at, "The table as of a version or a time")->type_name("VERSION|TIME");
  add_row_format(command, options->output);
  command.callback([&context, options] { context.chosen = [&context, options] { return run(context, *options); }; });
}

}  // namespace marigram::cli
