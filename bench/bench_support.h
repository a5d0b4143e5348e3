// What every measurement of table_bench shares: clock, memory, sums of Arrow batches, JSON.
#pragma once

#include <marigram/error.h>

#include <arrow/record_batch.h>
#include <arrow/result.h>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace marigram::bench {

using Json = nlohmann::ordered_json;

/// Ends the program with the message on stderr.
[[noreturn]] void stop(const std::string& message);

/// The value, or the end of the program: a measurement of a failure is none.
template <typename T>
T need(Result<T> result) {
  if (!result) stop(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
template <typename T>
T need(arrow::Result<T> result) {
  if (!result.ok()) stop(result.status().ToString());
  return *std::move(result);
}
void need(const arrow::Status& status);

/// Time on the wall, and of all processors together: the second says what the work costs when others use the machine.
struct Duration {
  double wall_s = 0;
  double cpu_s = 0;
};

class Stopwatch {
 public:
  Duration elapsed() const;

 private:
  static Duration now();
  Duration begin_ = now();
};

/// Adds the durations to `result` as "times_s" and "cpu_s".
void put_times(Json& result, const std::vector<Duration>& durations);

/// The most memory this process has held at a time, in bytes (VmHWM, which counts mapped files as they are touched).
std::uint64_t peak_memory_bytes();

/// Sums that do not depend on the order of rows, to tell whether two programs read the same data: integers and times
/// modulo 2^64, floats as they come, strings by their bytes. Nulls count as 0.
class Sums {
 public:
  void add(const arrow::RecordBatch& batch);
  Json json() const;

 private:
  std::uint64_t rows_ = 0;
  std::map<std::string, std::uint64_t> integers_;
  std::map<std::string, double> floats_;
  std::map<std::string, std::uint64_t> text_bytes_;
};

}  // namespace marigram::bench
