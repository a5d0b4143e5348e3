// What it takes to open a database: after a crash, and with a million series; and to ask it for the last hour. Each
// command is a process of its own that prints one JSON object; bench.py runs them.
#include "bench_support.h"
#include "load_points.h"
#include "recent.h"

#include <marigram/database.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

/// Keeps all rows in memory and in the log.
DatabaseOptions without_flush() {
  DatabaseOptions options;
  options.durability = Durability::kInterval;
  options.memory_bytes = options.flush_bytes = std::uint64_t{1} << 40;
  options.flush_age = std::chrono::hours(24);
  return options;
}

/// Writes the load until the log has so many bytes, and leaves as a crash does, once all is on disk.
void write_log(const std::string& folder, std::uint64_t bytes) {
  Database database = need(Database::open(folder, without_flush()));
  std::vector<Point> points = points_from(0);
  std::uint64_t written = 0;
  while (database.metrics().wal_bytes < bytes) {
    set_samples(points, written);
    written += points.size();
    need(database.insert_batch(kTenant, kTable, points));
  }
  points.front().time_ns += kStepNs;
  need(database.insert_batch(kTenant, kTable, std::span(points).first(1), Durability::kSync));
  fmt::print("{}\n", Json{{"points", written + 1}, {"bytes", database.metrics().wal_bytes}}.dump());
  std::fflush(stdout);
  std::raise(SIGKILL);
}

Json measure_recovery(const std::string& folder) {
  const std::uint64_t ready_bytes = peak_memory_bytes();
  const Stopwatch watch;
  const Database database = need(Database::open(folder));
  const Duration time = watch.elapsed();
  const RecoveryReport& report = database.recovery();
  return {{"seconds", time.wall_s},     {"cpu_s", time.cpu_s},
          {"points", report.points},    {"flushes", database.metrics().flushes},
          {"ready_bytes", ready_bytes}, {"peak_bytes", peak_memory_bytes()}};
}

/// One point a series; a multiple of kSeries.
Json make_series(const std::string& folder, std::size_t series) {
  Database database = need(Database::open(folder, without_flush()));
  const std::uint64_t ready_bytes = peak_memory_bytes();
  const Stopwatch watch;
  for (std::size_t begin = 0; begin < series; begin += kSeries) {
    need(database.insert_batch(kTenant, kTable, points_from(begin)));
  }
  const Duration time = watch.elapsed();
  const DatabaseMetrics metrics = database.metrics();
  const std::uint64_t peak_bytes = peak_memory_bytes();
  need(database.close());
  return {{"seconds", time.wall_s},
          {"series", metrics.series},
          {"series_bytes", metrics.series_bytes},
          {"row_bytes", metrics.memory_bytes},
          {"ready_bytes", ready_bytes},
          {"peak_bytes", peak_bytes}};
}

/// Opens the database and reads the last series: what is made when it is first needed is part of the time.
Json open_series(const std::string& folder, std::size_t series) {
  const std::uint64_t ready_bytes = peak_memory_bytes();
  const Stopwatch watch;
  const Database database = need(Database::open(folder));
  const double open_s = watch.elapsed().wall_s;
  QueryRequest request;
  for (const Tag& tag : tags_of(series - 1)) request.where.push_back({.name = tag.name, .value = tag.value});
  BatchStream rows = need(database.query(kTenant, kTable, request));
  const auto batch = need(rows.next());
  const Duration time = watch.elapsed();
  if (!batch || batch->rows() != 1) stop("cannot find the last series");
  const DatabaseMetrics metrics = database.metrics();
  return {{"seconds", time.wall_s},           {"open_s", open_s},           {"cpu_s", time.cpu_s},
          {"series", metrics.series},         {"ready_bytes", ready_bytes}, {"series_bytes", metrics.series_bytes},
          {"peak_bytes", peak_memory_bytes()}};
}

int run(int argc, char** argv) {
  CLI::App app("Measures databases and prints JSON; see bench/README.md");
  app.require_subcommand(1);
  std::string folder;
  std::uint64_t bytes = std::uint64_t{1} << 30;
  std::size_t series = 1'000'000;
  auto* log = app.add_subcommand("log", "write a log, and be killed");
  log->add_option("folder", folder)->required();
  log->add_option("--bytes", bytes);
  auto* recover = app.add_subcommand("recover", "open after that");
  recover->add_option("folder", folder)->required();
  auto* make = app.add_subcommand("make-series", "write a point a series");
  make->add_option("folder", folder)->required();
  make->add_option("--series", series);
  auto* open = app.add_subcommand("open-series", "open that, and read the last series");
  open->add_option("folder", folder)->required();
  open->add_option("--series", series);
  Recent recent;
  auto* last = app.add_subcommand("recent", "ask for the last hour, also while it is written");
  last->add_option("folder", recent.folder)->required();
  last->add_option("--per-second", recent.per_second, "points to write meanwhile");
  last->add_option("--seconds", recent.seconds);
  CLI11_PARSE(app, argc, argv);
  if (log->parsed()) write_log(folder, bytes);
  Json result;
  if (recover->parsed()) result = measure_recovery(folder);
  if (make->parsed()) result = make_series(folder, series);
  if (open->parsed()) result = open_series(folder, series);
  if (last->parsed()) result = measure_recent(recent);
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace marigram::bench

int main(int argc, char** argv) {
  return marigram::bench::run(argc, argv);
}
