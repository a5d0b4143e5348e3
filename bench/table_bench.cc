// Our side of the benches: each run measures one thing through the public API, in a process of its own so that peaks of
// memory are separate, and prints one JSON object. bench.py runs it, and the peers beside it; README.md says what each
// measurement is.
#include "bench_support.h"

#include <marigram/table.h>

#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/io/stdio.h>
#include <arrow/ipc/reader.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

std::shared_ptr<arrow::RecordBatchReader> open_rows(const std::string& path) {
  std::shared_ptr<arrow::io::InputStream> input;
  if (path == "-") {
    input = std::make_shared<arrow::io::StdinStream>();
  } else {
    input = need(arrow::io::ReadableFile::Open(path));
  }
  return need(arrow::ipc::RecordBatchStreamReader::Open(input));
}

struct AppendOptions {
  std::string table;
  std::string input;
  std::string time = "ts";
  std::string tag = "symbol";
  std::string bucket = "1s";
  std::string partition = "1d";
  bool one_commit = false;
};

Duration append_batch(Table& table, const arrow::RecordBatch& batch) {
  ArrowArray array;
  ArrowSchema schema;
  need(arrow::ExportRecordBatch(batch, &array, &schema));
  const Stopwatch watch;
  need(table.append(&schema, &array));
  return watch.elapsed();
}

Duration append_stream(Table& table, std::vector<std::shared_ptr<arrow::RecordBatch>> batches,
                       std::shared_ptr<arrow::Schema> schema) {
  auto reader = need(arrow::RecordBatchReader::Make(std::move(batches), std::move(schema)));
  ArrowArrayStream stream;
  need(arrow::ExportRecordBatchReader(std::move(reader), &stream));
  const Stopwatch watch;
  need(table.append(&stream));
  return watch.elapsed();
}

/// Creates the table and appends the input; reading the input is not part of the time.
Json measure_append(const AppendOptions& options) {
  auto rows = open_rows(options.input);
  const Stopwatch create_watch;
  Table table = need(Table::create(options.table, {.time_column = options.time,
                                                   .tags = {{.name = options.tag, .type = "string"}},
                                                   .bucket = options.bucket,
                                                   .partition = options.partition}));
  const double create_s = create_watch.elapsed().wall_s;
  std::vector<Duration> times;
  std::uint64_t ready_bytes = 0;
  if (options.one_commit) {
    auto batches = need(rows->ToRecordBatches());
    ready_bytes = peak_memory_bytes();
    times.push_back(append_stream(table, std::move(batches), rows->schema()));
  } else {
    while (auto batch = need(rows->Next())) {
      if (times.empty()) ready_bytes = peak_memory_bytes();
      times.push_back(append_batch(table, *batch));
    }
  }
  const TableInfo info = table.info();
  Json result{{"create_s", create_s},      {"commits", times.size()}, {"rows", info.rows},
              {"segments", info.segments}, {"version", info.version}, {"ready_bytes", ready_bytes}};
  put_times(result, times);
  return result;
}

struct ScanOptions {
  std::string table;
  ScanOrder order = ScanOrder::kTime;
  std::vector<std::string> ranges;  // <from>:<to> in microseconds; none: everything, once
  std::vector<std::string> columns;
  std::string symbol;  // empty: all
  int repeat = 3;
};

const std::map<std::string, ScanOrder> kOrders{
    {"time", ScanOrder::kTime}, {"series", ScanOrder::kSeries}, {"any", ScanOrder::kAny}};

std::vector<ScanRequest> scan_requests(const ScanOptions& options) {
  ScanRequest all{.columns = options.columns, .order = options.order};
  if (!options.symbol.empty()) all.where = {{.column = "symbol", .values = {options.symbol}}};
  if (options.ranges.empty()) return {all};
  std::vector<ScanRequest> requests;
  for (const std::string& range : options.ranges) {
    const auto colon = range.find(':');
    if (colon == std::string::npos) stop(fmt::format("cannot read range {}: want <from>:<to> in microseconds", range));
    ScanRequest request = all;
    request.from = Instant::from_units(std::stoll(range.substr(0, colon)), TimeUnit::kMicro);
    request.to = Instant::from_units(std::stoll(range.substr(colon + 1)), TimeUnit::kMicro);
    requests.push_back(std::move(request));
  }
  return requests;
}

/// Reads one scan to its end. The batches become Arrow C++ batches, as a user's would, and are dropped one by one.
Duration drain(const Table& table, const ScanRequest& request, Sums* sums) {
  const Stopwatch watch;
  ArrowArrayStream stream;
  need(table.scan(request, &stream));
  auto reader = need(arrow::ImportRecordBatchReader(&stream));
  while (auto batch = need(reader->Next())) {
    if (sums != nullptr) sums->add(*batch);
  }
  return watch.elapsed();
}

Json measure_scan(const ScanOptions& options) {
  const Stopwatch open_watch;
  const Table table = need(Table::open(options.table));
  const double open_s = open_watch.elapsed().wall_s;
  const auto requests = scan_requests(options);
  const std::uint64_t ready_bytes = peak_memory_bytes();
  const Duration first = drain(table, requests.front(), nullptr);  // with nothing cached in this process
  for (const auto& request : std::span(requests).subspan(1)) drain(table, request, nullptr);
  std::vector<Duration> times;
  for (int round = 0; round < options.repeat; ++round) {
    for (const auto& request : requests) times.push_back(drain(table, request, nullptr));
  }
  const std::uint64_t peak_bytes = peak_memory_bytes();
  Sums sums;
  for (const auto& request : requests) drain(table, request, &sums);
  Json result{{"open_s", open_s},
              {"first_s", first.wall_s},
              {"ready_bytes", ready_bytes},
              {"peak_bytes", peak_bytes},
              {"sums", sums.json()}};
  put_times(result, times);
  return result;
}

Json measure_open(const std::string& folder, int repeat, bool with_checkpoint) {
  if (with_checkpoint) {
    Table table = need(Table::open(folder));
    need(table.checkpoint());
  }
  std::vector<Duration> times;
  const std::uint64_t ready_bytes = peak_memory_bytes();
  TableInfo info;
  for (int round = 0; round < repeat; ++round) {
    const Stopwatch watch;
    const Table table = need(Table::open(folder));
    info = table.info();
    times.push_back(watch.elapsed());
  }
  Json result{{"ready_bytes", ready_bytes},
              {"sums", {{"version", info.version}}},
              {"rows", info.rows},
              {"segments", info.segments}};
  put_times(result, times);
  return result;
}

std::uint64_t gap_buckets(const CoverageReport& report) {
  std::uint64_t sum = 0;
  for (const auto& gap : report.gaps) sum += gap.buckets;
  return sum;
}

/// One series after the other, or all of them as one.
std::vector<CoverageReport> ask_coverage(const Table& table, bool by_series) {
  if (by_series) return need(table.coverage_by_series());
  std::vector<CoverageReport> one;
  one.push_back(need(table.coverage()));
  return one;
}

Json measure_coverage(const std::string& folder, int repeat, bool by_series) {
  const std::uint64_t ready_bytes = peak_memory_bytes();
  const Stopwatch first_watch;
  const Table table = need(Table::open(folder));
  std::vector<CoverageReport> reports = ask_coverage(table, by_series);
  const Duration first = first_watch.elapsed();
  std::vector<Duration> times;
  for (int round = 0; round < repeat; ++round) {
    const Stopwatch watch;
    const auto again = ask_coverage(table, by_series);
    times.push_back(watch.elapsed());
    if (again.size() != reports.size()) stop("the answers of two rounds differ");
  }
  const std::uint64_t peak_bytes = peak_memory_bytes();
  std::uint64_t covered = 0;
  std::uint64_t expected = 0;
  std::uint64_t gaps = 0;
  std::uint64_t missing = 0;
  std::uint64_t longest = 0;
  for (const auto& report : reports) {
    covered += report.covered_buckets;
    expected += report.expected_buckets;
    gaps += report.gaps.size();
    missing += gap_buckets(report);
    longest = std::max(longest, report.max_gap_buckets);
  }
  const Json sums{{"reports", reports.size()}, {"covered", covered}, {"expected", expected}, {"gaps", gaps},
                  {"missing", missing},        {"longest", longest}};
  Json result{{"first_s", first.wall_s}, {"ready_bytes", ready_bytes}, {"peak_bytes", peak_bytes}, {"sums", sums}};
  put_times(result, times);
  return result;
}

int run(int argc, char** argv) {
  CLI::App app("Measures one thing of the library and prints JSON; see bench/README.md");
  app.require_subcommand(1);

  AppendOptions append;
  auto* append_command = app.add_subcommand("append", "create a table and append an Arrow IPC stream to it");
  append_command->add_option("table", append.table)->required();
  append_command->add_option("input", append.input, "a file, or - for standard input")->required();
  append_command->add_option("--bucket", append.bucket);
  append_command->add_option("--partition", append.partition);
  append_command->add_flag("--one-commit", append.one_commit, "all batches at once; else each is a commit");

  ScanOptions scan;
  auto* scan_command = app.add_subcommand("scan", "read rows to Arrow batches");
  scan_command->add_option("table", scan.table)->required();
  scan_command->add_option("--order", scan.order)->transform(CLI::Transformer(kOrders));
  scan_command->add_option("--range", scan.ranges, "<from>:<to> in microseconds, may be repeated");
  scan_command->add_option("--column", scan.columns);
  scan_command->add_option("--symbol", scan.symbol);
  scan_command->add_option("--repeat", scan.repeat);

  std::string folder;
  int repeat = 3;
  bool with_checkpoint = false;
  bool by_series = false;
  auto* open_command = app.add_subcommand("open", "open a table and ask what it is");
  open_command->add_option("table", folder)->required();
  open_command->add_option("--repeat", repeat);
  open_command->add_flag("--checkpoint", with_checkpoint, "write a checkpoint first");
  auto* coverage_command = app.add_subcommand("coverage", "ratio and gaps");
  coverage_command->add_option("table", folder)->required();
  coverage_command->add_option("--repeat", repeat);
  coverage_command->add_flag("--by-series", by_series);

  CLI11_PARSE(app, argc, argv);
  Json result;
  if (append_command->parsed()) result = measure_append(append);
  if (scan_command->parsed()) result = measure_scan(scan);
  if (open_command->parsed()) result = measure_open(folder, repeat, with_checkpoint);
  if (coverage_command->parsed()) result = measure_coverage(folder, repeat, by_series);
  if (!result.contains("peak_bytes")) result["peak_bytes"] = peak_memory_bytes();
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  return marigram::bench::run(argc, argv);
}
