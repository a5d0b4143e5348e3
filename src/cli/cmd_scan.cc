// marigram scan: rows out.
#include "base/try.h"
#include "cli/arguments.h"
#include "cli/arrow_bridge.h"
#include "cli/batch_writer.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/exit_code.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/text_table.h"

#include <marigram/error.h>
#include <marigram/scan.h>
#include <marigram/table.h>

#include <unistd.h>

#include <fmt/format.h>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <CLI/CLI.hpp>

namespace marigram::cli {

namespace {

constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kTableRows = 40;            // of --format table without --limit
constexpr std::uint64_t kCountedRows = 10'000'000;  // a longer rest is not read only to be counted

struct Options {
  std::string table;
  std::string from;
  std::string to;
  std::vector<std::string> columns;
  std::vector<std::string> where;
  std::string order = "time";
  std::uint64_t limit = kNoLimit;
  std::string at;
  std::string format;
  std::string file;
};

// --format, else --json, else what the file's name says, else a table.
Result<std::string> choose_format(Context& context, const Options& options) {
  if (!options.format.empty()) return options.format;
  if (context.json) return "json";
  if (options.file.empty()) return "table";
  const std::string extension = std::filesystem::path(options.file).extension().string();
  if (extension == ".csv") return "csv";
  if (extension == ".json" || extension == ".jsonl" || extension == ".ndjson") return "json";
  if (extension == ".arrow" || extension == ".arrows") return "arrow";
  if (extension == ".parquet") return "parquet";
  if (extension == ".txt") return "table";
  return context.usage(
      fmt::format("cannot choose a format for {}: its name says none; add --format csv, json, arrow, parquet or table",
                  options.file));
}

// One of the choices of --order.
ScanOrder order_named(const std::string& name) {
  if (name == "series") return ScanOrder::kSeries;
  return name == "any" ? ScanOrder::kAny : ScanOrder::kTime;
}

Result<ScanRequest> make_request(Context& context, const Options& options, const TableInfo& info) {
  ScanRequest request;
  MARIGRAM_ASSIGN(const IndexRange range, parse_range(context, options.from, options.to, info));
  request.from = range.from;
  request.to = range.to;
  request.columns = options.columns;
  MARIGRAM_ASSIGN(request.where, parse_where(context, options.where));
  request.order = order_named(options.order);
  request.limit = options.limit;
  request.cancel = context.cancel;
  return request;
}

// Writes up to `limit` rows and returns how many.
Result<std::uint64_t> copy_rows(arrow::RecordBatchReader& reader, BatchWriter& writer, std::uint64_t limit) {
  std::uint64_t rows = 0;
  while (rows < limit) {
    auto batch = reader.Next();
    if (!batch.ok()) return std::unexpected(from_arrow(batch.status(), ""));
    if (*batch == nullptr) break;
    const std::uint64_t left = limit - rows;
    if (static_cast<std::uint64_t>((*batch)->num_rows()) > left) {
      *batch = (*batch)->Slice(0, static_cast<std::int64_t>(left));
    }
    MARIGRAM_TRY(writer.write(**batch));
    rows += static_cast<std::uint64_t>((*batch)->num_rows());
  }
  return rows;
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

Status check_binary(Context& context, const Options& options, const std::string& format) {
  if ((format == "arrow" || format == "parquet") && options.file.empty() && inspect_terminal(STDOUT_FILENO).present) {
    return context.usage(fmt::format("cannot print {} on a terminal; add -o FILE or redirect standard output", format));
  }
  return {};
}

Result<int> run(Context& context, const Options& options) {
  MARIGRAM_ASSIGN(const std::string format, choose_format(context, options));
  MARIGRAM_TRY(check_binary(context, options, format));
  MARIGRAM_ASSIGN(const OpenOptions version, parse_at(context, options.at));
  const InterruptGuard guard(context.cancel);
  MARIGRAM_ASSIGN(const Table table, Table::open(options.table, version));
  MARIGRAM_ASSIGN(ScanRequest request, make_request(context, options, table.info()));
  const bool abridged = format == "table" && options.limit == kNoLimit && options.file.empty();
  if (abridged) request.limit = kTableRows + 1;

  MARIGRAM_ASSIGN(auto reader, open_scan(table, request));
  if (!options.file.empty()) {
    MARIGRAM_ASSIGN(context.out, Output::file(options.file));
  }
  const bool color = options.file.empty() && inspect_terminal(STDOUT_FILENO).color;
  MARIGRAM_ASSIGN(auto writer, make_batch_writer(format, *reader->schema(), context.out, color));
  MARIGRAM_ASSIGN(const std::uint64_t rows, copy_rows(*reader, *writer, abridged ? kTableRows : kNoLimit));
  MARIGRAM_TRY(writer->finish());
  if (abridged && rows == kTableRows) {
    MARIGRAM_TRY(context.out.flush());
    MARIGRAM_TRY(note_rest(table, request, rows));
  }
  if (options.file.empty()) return kExitOk;
  MARIGRAM_TRY(context.out.finish());  // before it is called written
  note(fmt::format("wrote {} to {}", count_of(rows, "row"), options.file));
  return kExitOk;
}

}  // namespace

void add_scan(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App& command = add_command(
      app, context, "scan", "Print rows, or write them to a file",
      "marigram scan weather --from 2013-06-01 --to 2013-06-02 --where origin=JFK --columns time_hour,temp");
  add_table(command, options->table);
  command.add_option("--from", options->from, "Rows from this time or integer on")->type_name("TIME");
  command.add_option("--to", options->to, "Rows before this time or integer")->type_name("TIME");
  command.add_option("--columns", options->columns, "Columns, in this order (default: all)")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->take_all();
  add_where(command, options->where);
  add_choice(command, "--order", options->order, {"time", "series", "any"},
             "Rows by (time, series), by (series, time), or as the files have them, which is the quickest")
      ->capture_default_str();
  command.add_option("--limit", options->limit, "At most N rows (a table on standard output: 40 unless given)")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber.description(""));
  command.add_option("--at", options->at, "The table as of a version or a time")->type_name("VERSION|TIME");
  add_choice(
      command, "--format", options->format, {"table", "csv", "json", "arrow", "parquet"},
      "Aligned text, CSV, JSON lines, an Arrow IPC stream, or Parquet (default: by the file's name, else table)");
  command.add_option("-o,--output", options->file, "Write to a file, which appears whole or not at all")
      ->type_name("FILE");
  command.callback([&context, options] { context.chosen = [&context, options] { return run(context, *options); }; });
}

}  // namespace marigram::cli
