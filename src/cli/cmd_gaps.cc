// marigram gaps: every stretch of missing buckets.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/json_view.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/coverage.h>
#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <unistd.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace marigram::cli {

namespace {

struct Options {
  std::string table;
  std::string from;
  std::string to;
  std::uint64_t min_buckets = 1;
  std::vector<std::string> where;
};

Status print(Context& context, const Options& options, const TableInfo& info, const CoverageReport& report) {
  if (context.json) {
    Json list = Json::array();
    for (const BucketRange& gap : report.gaps) list.push_back(to_json(gap));
    return context.print({{"table", options.table}, {"bucket", info.bucket}, {"gaps", std::move(list)}});
  }
  TextTable table({{"from"}, {"to"}, {"buckets", Align::kRight}});
  std::uint64_t buckets = 0;
  for (const BucketRange& gap : report.gaps) {
    table.add_row({format_index_value(gap.from), format_index_value(gap.to), group_digits(gap.buckets)});
    buckets += gap.buckets;
  }
  if (!report.gaps.empty()) MARIGRAM_TRY(context.out.write(table.render(inspect_terminal(STDOUT_FILENO).color)));
  MARIGRAM_TRY(context.out.flush());
  note(fmt::format("{}, {} of {}", count_of(report.gaps.size(), "gap"), count_of(buckets, "bucket"), info.bucket));
  return {};
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table));
  const TableInfo info = table.info();
  CoverageRequest request;
  MARIGRAM_ASSIGN(const IndexRange range, parse_range(context, options.from, options.to, info));
  request.from = range.from;
  request.to = range.to;
  request.min_gap_buckets = options.min_buckets;
  MARIGRAM_ASSIGN(request.where, parse_where(context, options.where));
  MARIGRAM_ASSIGN(const CoverageReport report, table.coverage(request));
  MARIGRAM_TRY(print(context, options, info, report));
  return kExitOk;
}

}  // namespace

void add_gaps(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(app, context, "gaps", "List the stretches of missing buckets, in time order",
                                      "marigram gaps weather --where origin=JFK --min 3");
  add_table(command, options->table);
  command.option("--from", options->from, "TIME", "Begin of the range (default: where the data begin)");
  command.option("--to", options->to, "TIME", "End of the range, exclusive (default: where the data end)");
  command.option("--min", options->min_buckets, "BUCKETS", "Only gaps of at least so many buckets")
      .positive()
      .shows_default();
  add_where(command, options->where);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
