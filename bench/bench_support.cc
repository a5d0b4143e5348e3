#include "bench_support.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace marigram::bench {
namespace {

/// int64 and timestamps have the same layout.
std::uint64_t sum_integers(const arrow::Array& column) {
  const auto values = column.data()->GetValues<std::int64_t>(1);
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (column.IsValid(i)) sum += static_cast<std::uint64_t>(values[i]);
  }
  return sum;
}

double sum_floats(const arrow::Array& column) {
  const auto values = column.data()->GetValues<double>(1);
  double sum = 0;
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (column.IsValid(i)) sum += values[i];
  }
  return sum;
}

std::uint64_t text_bytes(const arrow::StringArray& column) {
  return static_cast<std::uint64_t>(column.total_values_length());
}

std::uint64_t text_bytes(const arrow::DictionaryArray& column) {
  if (column.dictionary()->type_id() != arrow::Type::STRING)
    stop("cannot sum a dictionary of another type than string");
  const auto& texts = static_cast<const arrow::StringArray&>(*column.dictionary());
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (column.IsValid(i)) sum += static_cast<std::uint64_t>(texts.value_length(column.GetValueIndex(i)));
  }
  return sum;
}

}  // namespace

void stop(const std::string& message) {
  fmt::print(stderr, "table_bench: {}\n", message);
  std::exit(1);
}

void need(const arrow::Status& status) {
  if (!status.ok()) stop(status.ToString());
}

Duration Stopwatch::now() {
  const auto seconds = [](clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  };
  return {.wall_s = seconds(CLOCK_MONOTONIC), .cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

Duration Stopwatch::elapsed() const {
  const Duration end = now();
  return {.wall_s = end.wall_s - begin_.wall_s, .cpu_s = end.cpu_s - begin_.cpu_s};
}

void put_times(Json& result, const std::vector<Duration>& durations) {
  result["times_s"] = Json::array();
  result["cpu_s"] = Json::array();
  for (const Duration& duration : durations) {
    result["times_s"].push_back(duration.wall_s);
    result["cpu_s"].push_back(duration.cpu_s);
  }
}

std::uint64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    unsigned long long kib = 0;
    if (std::sscanf(line.c_str(), "VmHWM: %llu kB", &kib) == 1) return kib * 1024;
  }
  return 0;
}

void Sums::add(const arrow::RecordBatch& batch) {
  rows_ += static_cast<std::uint64_t>(batch.num_rows());
  for (int i = 0; i < batch.num_columns(); ++i) {
    const arrow::Array& column = *batch.column(i);
    const std::string& name = batch.column_name(i);
    switch (column.type_id()) {
      case arrow::Type::INT64:
      case arrow::Type::TIMESTAMP:
        integers_[name] += sum_integers(column);
        break;
      case arrow::Type::DOUBLE:
        floats_[name] += sum_floats(column);
        break;
      case arrow::Type::STRING:
        text_bytes_[name] += text_bytes(static_cast<const arrow::StringArray&>(column));
        break;
      case arrow::Type::DICTIONARY:
        text_bytes_[name] += text_bytes(static_cast<const arrow::DictionaryArray&>(column));
        break;
      default:
        stop(fmt::format("cannot sum column {}: got type {}", name, column.type()->ToString()));
    }
  }
}

Json Sums::json() const {
  Json sums{{"rows", rows_}};
  for (const auto& [name, sum] : integers_) sums[name] = sum;
  for (const auto& [name, sum] : floats_) sums[name] = sum;
  for (const auto& [name, sum] : text_bytes_) sums[name] = sum;
  return sums;
}

}  // namespace marigram::bench
