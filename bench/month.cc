#include "month.h"

#include "bench_support.h"

#include <marigram/batch.h>
#include <marigram/table.h>

#include <arrow/api.h>
#include <arrow/c/bridge.h>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

std::uint64_t bytes_in(const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

std::uint64_t live_bytes(const Table& table) {
  std::uint64_t bytes = 0;
  for (const TierUsage& tier : table.tier_usage()) bytes += tier.bytes;
  return bytes;
}

/// Rows of all series between two times.
Batch rows_of(const Month& month, std::int64_t from_s, std::int64_t to_s) {
  BatchBuilder rows({{"ts", "timestamp[us]"}, {"host", "string"}, {"usage", "float64"}, {"requests", "int64"}});
  for (std::int64_t series = 0; series < month.series; ++series) {
    const std::string host = fmt::format("host_{:04}", series);
    for (std::int64_t at = from_s; at < to_s; at += month.step_s) {
      const double usage = 50 + 40 * std::sin(static_cast<double>(at) / 9'000 + static_cast<double>(series));
      rows.add({Instant{.seconds = at}, host, std::round(usage * 100) / 100, at / month.step_s % 997 + series});
    }
  }
  return need(rows.finish());
}

std::uint64_t append_flush(Table& table, const Batch& rows) {
  const std::uint64_t before = live_bytes(table);
  ArrowSchema schema;
  ArrowArray array;
  need(rows.export_to(&schema, &array));
  need(table.append(&schema, &array));
  return live_bytes(table) - before;
}

/// An hour's average and most of each series, from rollups: the quickest of some.
std::pair<std::uint64_t, double> ask_by_hour(const Table& table) {
  AggregateRequest request{.columns = {{.aggregate = "avg(usage)"}, {.aggregate = "max(usage)"}}, .by_series = true};
  request.every.fixed = 3'600'000'000'000;
  std::pair<std::uint64_t, double> best{0, std::numeric_limits<double>::max()};
  for (int i = 0; i < 11; ++i) {
    const Stopwatch watch;
    ArrowArrayStream out;
    need(table.aggregate(request, &out));
    best.first = static_cast<std::uint64_t>(need(need(arrow::ImportRecordBatchReader(&out))->ToTable())->num_rows());
    best.second = std::min(best.second, watch.elapsed().wall_s);
  }
  return best;
}

}  // namespace

Json live_a_month(const Month& month) {
  constexpr int kFlushesACompaction = 6;
  constexpr int kFlushesARefresh = 6;
  TableOptions options;
  options.time_column = "ts";
  options.unit = TimeUnit::kMicro;
  options.tags = {{.name = "host", .type = "string"}};
  options.fields = {{.name = "usage", .type = "float64"}, {.name = "requests", .type = "int64"}};
  options.bucket = "1m";
  options.segments = SegmentFormat::kNative;
  options.duplicates = Duplicates::kLast;
  options.rollups.intervals = {"5m", "1h", "1d"};
  Table table = need(Table::create(month.table, options));
  const std::int64_t end =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count() /
      86'400 * 86'400;
  std::uint64_t rows = 0;
  std::uint64_t written = 0;
  std::uint64_t rewritten = 0;
  std::uint64_t rollups = 0;
  int flushes = 0;
  const Stopwatch watch;
  for (std::int64_t at = end - month.days * 86'400; at < end; at += month.flush_s) {
    const Batch batch = rows_of(month, at, at + month.flush_s);
    rows += batch.rows();
    written += append_flush(table, batch);
    ++flushes;
    if (flushes % kFlushesARefresh == 0) {
      const std::uint64_t before = live_bytes(table);
      need(table.refresh_rollups());
      rollups += live_bytes(table) - before;
    }
    if (flushes % kFlushesACompaction == 0) rewritten += need(table.compact({.tiered = true})).after.bytes;
  }
  const Duration lived = watch.elapsed();
  const std::uint64_t segments = table.info().segments;
  const std::uint64_t disk = bytes_in(month.table);
  need(table.vacuum(0, false, {.versions = 1}));
  const std::uint64_t kept = bytes_in(month.table);
  const std::uint64_t live = live_bytes(table);
  need(table.refresh_rollups());
  const auto [hours, asked_s] = ask_by_hour(table);
  need(table.set_retention({{.keep = {{"rows", "7d"}, {"5m", "30d"}}}}));
  need(table.expire());
  need(table.vacuum(0, false, {.versions = 1}));
  Json result{{"rows", rows},           {"flushes", flushes},
              {"segments", segments},   {"written", written},
              {"rewritten", rewritten}, {"rollups", rollups},
              {"disk", disk},           {"kept", kept},
              {"live", live},           {"retained", bytes_in(month.table)},
              {"hours", hours},         {"asked_s", asked_s}};
  put_times(result, {lived});
  return result;
}

}  // namespace marigram::bench
