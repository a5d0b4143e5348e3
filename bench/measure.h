// What every program of the benches shares, ours and the peers': clock, memory, JSON.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace marigram::bench {

using Json = nlohmann::ordered_json;

/// Ends the program with the message on stderr.
[[noreturn]] void stop(const std::string& message);

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

}  // namespace marigram::bench
