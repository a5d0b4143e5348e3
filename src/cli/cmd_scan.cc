// marigram scan: rows out.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/history.h"
#include "cli/interrupt.h"
#include "cli/row_output.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/scan.h>
#include <marigram/table.h>

#include <fmt/format.h>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>

namespace marigram::cli {

namespace {

constexpr std::uint64_t kCountedRows = 10'000'000;  // a longer rest is not read only to be counted

struct Options {
  std::string table;
  std::string from;
  std::string to;
  std::vector<std::string> columns;
  std::vector<std::string> where;
  std::string order = "time";
  std::string at;
  RowOutputOptions output;
};

Result<ScanRequest> make_request(Context& context, const Options& options, const TableInfo& info) {
  ScanRequest request;
  MARIGRAM_ASSIGN(const IndexRange range, parse_range(context, options.from, options.to, info));
  request.from = range.from;
  request.to = range.to;
  request.columns = options.columns;
  MARIGRAM_ASSIGN(request.where, parse_where(context, options.where));
  request.order = order_named(options.order);
  request.cancel = context.cancel;
  return request;
}

// Rows of the request beyond those shown. Reads the time column alone, and only so far.
Status note_rest(const Table& table, ScanRequest request, std::uint64_t shown) {
  const TableInfo info = table.info();
  std::uint64_t rows = info.rows;
  if (request.from || request.to || !request.where.empty()) {
    request.columns = {info.time_column};
    request.limit = shown + kCountedRows + 1;
    MARIGRAM_ASSIGN(auto reader, open_scan(table, request));
    rows = 0;
    while (true) {
      auto batch = reader->Next();
      if (!batch.ok()) return std::unexpected(from_arrow(batch.status(), ""));
      if (*batch == nullptr) break;
      rows += static_cast<std::uint64_t>((*batch)->num_rows());
    }
  }
  const bool cut = rows > shown + kCountedRows && rows != info.rows;
  if (rows > shown) {
    note(
        fmt::format("{}{} more; --limit N shows N", cut ? "over " : "", count_of(rows - shown - (cut ? 1 : 0), "row")));
  }
  return {};
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const RowOutput output, choose_row_output(context, options.output));
  MARIGRAM_ASSIGN(const OpenOptions version, parse_at(context, options.at));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table, version));
  MARIGRAM_ASSIGN(ScanRequest request, make_request(context, options, table.info()));
  request.limit = output.rows_wanted(options.output.limit);
  MARIGRAM_ASSIGN(auto reader, open_scan(table, request));
  MARIGRAM_ASSIGN(const RowsWritten written, write_rows(context, output, *reader));
  if (written.more) MARIGRAM_TRY(note_rest(table, request, written.rows));
  return kExitOk;
}

}  // namespace

void add_scan(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  const Command command = add_command(
      app, context, "scan", "Print rows, or write them to a file",
      "marigram scan weather --from 2013-06-01 --to 2013-06-02 --where origin=JFK --columns time_hour,temp");
  add_table(command, options->table);
  command.option("--from", options->from, "TIME", "Rows from this time or integer on");
  command.option("--to", options->to, "TIME", "Rows before this time or integer");
  command.names("--columns", options->columns, "NAME,...", "Columns, in this order (default: all)");
  add_where(command, options->where);
  add_order(command, options->order);
  add_limit(command, options->output);
  add_at(command, options->at);
  add_row_format(command, options->output);
  command.runs([&context, options] { return run(context, *options); });
}

}  // namespace marigram::cli
