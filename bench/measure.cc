#include "measure.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>

namespace marigram::bench {

void stop(const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, message.c_str());
  std::exit(1);
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

}  // namespace marigram::bench
