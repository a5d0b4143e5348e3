// As-of joins and aggregates on ours, and joins as zola does them. Each run is a process of its own that prints one
// JSON object; asof.py and aggregate.py run them, README.md says what they measure.
#include "bench_support.h"
#include "column_search.h"
#include "month.h"

#include <marigram/batch.h>
#include <marigram/table.h>

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

const std::map<std::string, AsofDirection> kDirections{
    {"backward", AsofDirection::kBackward}, {"forward", AsofDirection::kForward}, {"nearest", AsofDirection::kNearest}};
const std::map<std::string, SegmentFormat> kFormats{{"native", SegmentFormat::kNative},
                                                    {"parquet", SegmentFormat::kParquet}};

struct Options {
  std::string table;  // or a folder of columns
  std::string input;  // Arrow IPC
  AsofDirection direction = AsofDirection::kBackward;
  SegmentFormat format = SegmentFormat::kNative;
  std::string compression = "auto";
  std::string tag = "symbol";
  AggregateRequest aggregate = {};
  std::vector<std::string> aggregates = {};
  std::vector<std::int64_t> range_us = {};  // from, to; or none
  std::vector<std::string> where = {};      // values of the tag
  std::vector<std::string> rollups = {};    // intervals
  int repeat = 5;
};

std::vector<BatchPtr> read_batches(const std::string& path) {
  const auto file = need(arrow::io::ReadableFile::Open(path));
  return need(need(arrow::ipc::RecordBatchStreamReader::Open(file))->ToRecordBatches());
}

/// Runs `join`, which gives its result's batches, some times, and again for their sums.
template <typename Join>
Json measure(const Options& options, std::uint64_t ready_bytes, Join join) {
  std::vector<Duration> times;
  join();  // what is mapped is in memory from here on
  for (int i = 0; i < options.repeat; ++i) {
    const Stopwatch watch;
    join();
    times.push_back(watch.elapsed());
  }
  const std::uint64_t peak_bytes = peak_memory_bytes();
  Sums sums;
  for (const BatchPtr& batch : join()) sums.add(*batch);
  Json result{{"ready_bytes", ready_bytes}, {"peak_bytes", peak_bytes}, {"sums", sums.json()}};
  put_times(result, times);
  return result;
}

// ---- ours ----

Json make_table(const Options& options) {
  Table table = need(Table::create(options.table, {.time_column = "ts",
                                                   .tags = {{.name = options.tag, .type = "string"}},
                                                   .bucket = "1m",
                                                   .segments = options.format,
                                                   .compression = options.compression,
                                                   .duplicates = Duplicates::kAll}));
  const auto file = need(arrow::io::ReadableFile::Open(options.input));
  const auto batches = need(arrow::ipc::RecordBatchStreamReader::Open(file));
  while (const BatchPtr batch = need(batches->Next())) {
    ArrowArray array;
    ArrowSchema schema;
    need(arrow::ExportRecordBatch(*batch, &array, &schema));
    need(table.append(&schema, &array));
  }
  const CompactReport report = need(table.compact());
  return {{"rows", table.info().rows}, {"segments", table.info().segments}, {"compacted", report.before.segments}};
}

Json join_table(const Options& options) {
  const Table table = need(Table::open(options.table));
  const std::vector<BatchPtr> probes = read_batches(options.input);
  const AsofRequest request{.direction = options.direction};
  return measure(options, peak_memory_bytes(), [&] {
    ArrowArrayStream in;
    ArrowArrayStream out;
    need(arrow::ExportRecordBatchReader(need(arrow::RecordBatchReader::Make(probes)), &in));
    need(table.asof(&in, request, &out));
    return need(need(arrow::ImportRecordBatchReader(&out))->ToRecordBatches());
  });
}

Json aggregate_table(const Options& options) {
  const Table table = need(Table::open(options.table));
  AggregateRequest request = options.aggregate;
  for (const std::string& aggregate : options.aggregates) request.columns.push_back({.aggregate = aggregate});
  if (options.range_us.size() == 2) {
    request.from = Instant::from_units(options.range_us[0], TimeUnit::kMicro);
    request.to = Instant::from_units(options.range_us[1], TimeUnit::kMicro);
  }
  if (!options.where.empty()) request.where = {{.column = options.tag, .values = options.where}};
  QueryStatistics statistics;
  request.statistics = &statistics;
  Json result = measure(options, peak_memory_bytes(), [&] {
    ArrowArrayStream out;
    need(table.aggregate(request, &out));
    return need(need(arrow::ImportRecordBatchReader(&out))->ToRecordBatches());
  });
  result["blocks"] = {{"skipped", statistics.blocks_skipped},
                      {"answered", statistics.blocks_answered},
                      {"decoded", statistics.blocks_decoded}};
  return result;
}

/// Their sum, and the largest, by which it is greater.
double look_at(std::span<const double> numbers) {
  std::array<double, 16> sums{};
  std::array<double, 16> largest{};
  for (std::size_t at = 0; at + sums.size() <= numbers.size(); at += sums.size()) {
    for (std::size_t lane = 0; lane < sums.size(); ++lane) {
      sums[lane] += numbers[at + lane];
      largest[lane] = std::max(largest[lane], numbers[at + lane]);
    }
  }
  return std::accumulate(sums.begin(), sums.end(), *std::ranges::max_element(largest));
}

/// The bound of every aggregate: numbers in memory, looked at by all processors. Seconds a number.
Json look_at_numbers(const Options& options) {
  constexpr std::size_t kNumbers = std::size_t{1} << 26;
  const std::vector<double> numbers(kNumbers, 1.5);
  std::vector<double> found(std::max(1U, std::thread::hardware_concurrency()));
  const std::size_t part = kNumbers / found.size();
  std::vector<Duration> times;
  for (int i = 0; i < options.repeat; ++i) {
    const Stopwatch watch;
    {
      std::vector<std::jthread> threads;
      for (std::size_t at = 0; at < found.size(); ++at) {
        threads.emplace_back([&, at] { found[at] = look_at(std::span(numbers).subspan(at * part, part)); });
      }
    }
    const Duration all = watch.elapsed();
    times.push_back({.wall_s = all.wall_s / kNumbers, .cpu_s = all.cpu_s / kNumbers});
  }
  if (found.front() < 1) stop("the numbers are not there");
  Json result;
  put_times(result, times);
  return result;
}

Json keep_rollups(const Options& options) {
  Table table = need(Table::open(options.table));
  need(table.set_rollups({.intervals = options.rollups}));
  const Stopwatch watch;
  const RefreshReport report = need(table.refresh_rollups());
  Json result{{"rows", report.rows}};
  put_times(result, {watch.elapsed()});
  return result;
}

/// Rows in the middle of a table's range, one at a time, and after each a refresh; then series are deleted.
Json keep_up(const Options& options) {
  Table table = need(Table::open(options.table));
  std::vector<Duration> refreshes;
  std::vector<Duration> deletes;
  std::uint64_t rows = 0;
  for (int i = 0; i < options.repeat; ++i) {
    BatchBuilder late({{"ts", "timestamp[us]"}, {options.tag, "string"}, {"usage", "float64"}, {"requests", "int64"}});
    late.add({Instant::from_units(options.range_us.front() + i * 60'000'000, TimeUnit::kMicro), options.where.front(),
              50.0, std::int64_t{1}});
    need(append(table, need(late.finish())));
    const Stopwatch watch;
    rows = need(table.refresh_rollups()).rows;
    refreshes.push_back(watch.elapsed());
  }
  const std::uint64_t all = table.info().rows;
  const Stopwatch watch;
  const std::uint64_t gone = need(table.remove_rows({.where = {{.column = options.tag, .values = options.where}}}));
  deletes.push_back(watch.elapsed());
  Json result{{"rows", rows}, {"deleted", gone}, {"of", all}};
  put_times(result, refreshes);
  put_times(result["delete"], deletes);
  return result;
}

Json join_columns(const Options& options) {
  if (options.direction == AsofDirection::kNearest) stop("cannot search the nearest: there is no such method");
  const ColumnSearch search(options.table);
  const std::vector<BatchPtr> probes = read_batches(options.input);
  const bool backward = options.direction == AsofDirection::kBackward;
  return measure(options, peak_memory_bytes(), [&] {
    std::vector<BatchPtr> joined;
    for (const BatchPtr& batch : probes) joined.push_back(search.join(batch, backward));
    return joined;
  });
}

int run(int argc, char** argv) {
  CLI::App app("Measures joins and aggregates and prints JSON; see bench/README.md");
  app.require_subcommand(1);
  Options options;
  const auto add = [&](const char* name, const char* what, bool has_input = true) {
    auto* command = app.add_subcommand(name, what);
    command->add_option("table", options.table)->required();
    if (has_input) command->add_option("input", options.input)->required();
    command->add_option("--tag", options.tag);
    return command;
  };
  auto* make = add("make", "make a table of the batches of a file, a commit each, and compact it");
  make->add_option("--format", options.format)->transform(CLI::Transformer(kFormats));
  make->add_option("--compression", options.compression);
  auto* join = add("join", "join the probes of a file with a table");
  auto* columns = add("search", "the same with a folder of columns, by a binary search a probe");
  for (auto* command : {join, columns}) {
    command->add_option("--direction", options.direction)->transform(CLI::Transformer(kDirections));
    command->add_option("--repeat", options.repeat);
  }
  auto* aggregate = add("aggregate", "aggregate the rows of a table", false);
  aggregate->add_option("--agg", options.aggregates)->required();
  aggregate->add_option("--every-ns", options.aggregate.every.fixed);
  aggregate->add_flag("--by-series", options.aggregate.by_series);
  aggregate->add_option("--range-us", options.range_us, "from, to")->expected(2);
  aggregate->add_option("--where", options.where, "values of the tag");
  aggregate->add_option("--repeat", options.repeat);
  auto* roll = add("roll", "let a table keep rollups, and make them", false);
  roll->add_option("--set", options.rollups)->required()->delimiter(',');
  auto* upkeep = add("upkeep", "refresh rollups after a late row, then delete series", false);
  upkeep->add_option("--range-us", options.range_us, "when it is of")->required()->expected(1);
  upkeep->add_option("--where", options.where, "values of the tag")->required();
  upkeep->add_option("--repeat", options.repeat);
  auto* plain = app.add_subcommand("plain", "look at numbers in memory, the bound of aggregates");
  Month month;
  auto* life = app.add_subcommand("month", "a table through a month of flushes, compactions and refreshes");
  life->add_option("table", month.table)->required();
  life->add_option("--days", month.days);
  life->add_option("--series", month.series);
  CLI11_PARSE(app, argc, argv);
  const Json result = make->parsed()        ? make_table(options)
                      : roll->parsed()      ? keep_rollups(options)
                      : upkeep->parsed()    ? keep_up(options)
                      : life->parsed()      ? live_a_month(month)
                      : plain->parsed()     ? look_at_numbers(options)
                      : join->parsed()      ? join_table(options)
                      : aggregate->parsed() ? aggregate_table(options)
                                            : join_columns(options);
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  return marigram::bench::run(argc, argv);
}
