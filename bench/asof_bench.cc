// As-of joins on ours, and as zola does them: a binary search in mapped columns for each probe. Each run is a process
// of its own that prints one JSON object; asof.py runs them, README.md says what they measure.
#include "bench_support.h"

#include <marigram/table.h>

#include <arrow/api.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr std::int64_t kDayUs = 86'400'000'000;
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
                                                   .tags = {{.name = "symbol", .type = "string"}},
                                                   .bucket = "1m",
                                                   .segments = options.format,
                                                   .compression = options.compression,
                                                   .duplicates = Duplicates::kAll}));
  for (const BatchPtr& batch : read_batches(options.input)) {
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

// ---- zola's method ----

/// A day's rows by (symbol, time), column by column, and where each symbol's are; mapped.
struct Day {
  std::span<const std::int64_t> symbols;
  std::span<const std::int64_t> begins;  // and the end of the last
  std::span<const std::int64_t> times;
  std::span<const double> bid;
  std::span<const double> ask;
};

template <typename T>
std::span<const T> map_column(const std::filesystem::path& path, std::vector<std::shared_ptr<arrow::Buffer>>& mapped) {
  const auto file = need(arrow::io::MemoryMappedFile::Open(path.string(), arrow::io::FileMode::READ));
  mapped.push_back(need(file->Read(need(file->GetSize()))));
  return {reinterpret_cast<const T*>(mapped.back()->data()),
          static_cast<std::size_t>(mapped.back()->size()) / sizeof(T)};
}

std::map<std::int64_t, Day> map_days(const std::string& folder, std::vector<std::shared_ptr<arrow::Buffer>>& mapped) {
  std::map<std::int64_t, Day> days;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto& path = entry.path();
    days[std::stoll(path.filename().string())] = {.symbols = map_column<std::int64_t>(path / "symbols", mapped),
                                                  .begins = map_column<std::int64_t>(path / "begins", mapped),
                                                  .times = map_column<std::int64_t>(path / "times", mapped),
                                                  .bid = map_column<double>(path / "bid", mapped),
                                                  .ask = map_column<double>(path / "ask", mapped)};
  }
  return days;
}

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

std::size_t find(const Day& day, std::int64_t symbol, std::int64_t time, bool backward) {
  const auto found = std::ranges::lower_bound(day.symbols, symbol);
  if (found == day.symbols.end() || *found != symbol) return kNone;
  const auto i = static_cast<std::size_t>(found - day.symbols.begin());
  const auto begin = static_cast<std::size_t>(day.begins[i]);
  const auto own = day.times.subspan(begin, static_cast<std::size_t>(day.begins[i + 1]) - begin);
  if (backward) {
    const auto row = static_cast<std::size_t>(std::ranges::upper_bound(own, time) - own.begin());
    return row == 0 ? kNone : begin + row - 1;
  }
  const auto row = static_cast<std::size_t>(std::ranges::lower_bound(own, time) - own.begin());
  return row == own.size() ? kNone : begin + row;
}

/// Of its own day, or of the next one that there is in that direction.
std::pair<const Day*, std::size_t> look_up(const std::map<std::int64_t, Day>& days, std::int64_t symbol,
                                           std::int64_t time, bool backward) {
  auto at = days.find(time / kDayUs);
  if (at == days.end()) return {nullptr, kNone};
  const std::size_t row = find(at->second, symbol, time, backward);
  if (row != kNone) return {&at->second, row};
  if (backward ? at == days.begin() : std::next(at) == days.end()) return {nullptr, kNone};
  at = backward ? std::prev(at) : std::next(at);
  return {&at->second, find(at->second, symbol, time, backward)};
}

BatchPtr search(const std::map<std::int64_t, Day>& days, const BatchPtr& probes, bool backward) {
  const auto& symbols = static_cast<const arrow::Int64Array&>(*probes->GetColumnByName("number"));
  const auto& times = static_cast<const arrow::TimestampArray&>(*probes->GetColumnByName("ts"));
  arrow::DoubleBuilder bid;
  arrow::DoubleBuilder ask;
  arrow::TimestampBuilder matched(times.type(), arrow::default_memory_pool());
  need(bid.Reserve(probes->num_rows()));
  need(ask.Reserve(probes->num_rows()));
  need(matched.Reserve(probes->num_rows()));
  for (std::int64_t i = 0; i < probes->num_rows(); ++i) {
    const auto [day, row] = look_up(days, symbols.Value(i), times.Value(i), backward);
    if (row == kNone) {
      bid.UnsafeAppendNull();
      ask.UnsafeAppendNull();
      matched.UnsafeAppendNull();
    } else {
      bid.UnsafeAppend(day->bid[row]);
      ask.UnsafeAppend(day->ask[row]);
      matched.UnsafeAppend(day->times[row]);
    }
  }
  arrow::ArrayVector columns = probes->columns();
  for (auto* builder : std::initializer_list<arrow::ArrayBuilder*>{&bid, &ask, &matched})
    columns.push_back(need(builder->Finish()));
  arrow::FieldVector fields = probes->schema()->fields();
  for (const char* name : {"bid", "ask"}) fields.push_back(arrow::field(name, arrow::float64()));
  fields.push_back(arrow::field("matched_time", times.type()));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), probes->num_rows(), std::move(columns));
}

Json join_columns(const Options& options) {
  if (options.direction == AsofDirection::kNearest) stop("cannot search the nearest: there is no such method");
  std::vector<std::shared_ptr<arrow::Buffer>> mapped;
  const std::map<std::int64_t, Day> days = map_days(options.table, mapped);
  const std::vector<BatchPtr> probes = read_batches(options.input);
  const bool backward = options.direction == AsofDirection::kBackward;
  return measure(options, peak_memory_bytes(), [&] {
    std::vector<BatchPtr> joined;
    for (const BatchPtr& batch : probes) joined.push_back(search(days, batch, backward));
    return joined;
  });
}

int run(int argc, char** argv) {
  CLI::App app("Measures as-of joins and prints JSON; see bench/README.md");
  app.require_subcommand(1);
  Options options;
  const auto add = [&](const char* name, const char* what) {
    auto* command = app.add_subcommand(name, what);
    command->add_option("table", options.table)->required();
    command->add_option("input", options.input)->required();
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
  CLI11_PARSE(app, argc, argv);
  const Json result = make->parsed()   ? make_table(options)
                      : join->parsed() ? join_table(options)
                                       : join_columns(options);
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  return marigram::bench::run(argc, argv);
}
