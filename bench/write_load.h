// The load of the write benches, one for ours and for every peer: 1,000 series, a point of each every ten seconds,
// written by some threads in batches of one point or of a round of all series. A program is a Store and its Writers;
// the rest, from the command line to the JSON, is here. peers/ugnos says the same in Rust.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace marigram::bench {

inline constexpr std::size_t kHosts = 100;
inline constexpr std::size_t kCpus = 10;  // a host
inline constexpr std::size_t kSeries = kHosts * kCpus;
inline constexpr std::int64_t kBeginNs = 1'704'067'200'000'000'000;  // 2024-01-01
inline constexpr std::int64_t kStepNs = 10'000'000'000;
inline constexpr std::chrono::milliseconds kSyncInterval{100};

std::string host_name(std::size_t series);
std::string cpu_name(std::size_t series);

/// What a write that has returned can rely on: nothing, to be durable within kSyncInterval, to be durable.
enum class WriteDurability { kNone, kInterval, kSync };

struct Load {
  std::filesystem::path folder;  ///< empty and there
  WriteDurability durability = WriteDurability::kSync;
  std::size_t batch = kSeries;     ///< points: 1, or kSeries
  int threads = 1;                 ///< each with a writer of its own
  std::uint64_t points = kSeries;  ///< to write, whole batches
  double seconds = 10;             ///< or until so much time has gone
};

struct Sample {
  std::size_t series = 0;
  std::int64_t time_ns = 0;
  double value = 0;  ///< a walk, in hundredths
};

/// Point `number` of the load, which goes round by round.
Sample sample_at(std::uint64_t number);

/// What is in a store, to be compared with what was written.
struct Totals {
  std::uint64_t points = 0;
  double sum = 0;
};

/// One thread's way into a store.
class Writer {
 public:
  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  virtual ~Writer() = default;

  /// A round of all series in order, or one point. Returns when the batch is as durable as the load says.
  virtual void write(std::span<const Sample> batch) = 0;
  /// After the last batch, still in the time.
  virtual void finish() {}
};

class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  /// Which of the program's settings gives the durability, for the table.
  virtual std::string setting() const = 0;
  virtual std::unique_ptr<Writer> writer() = 0;
  /// Reads all back; all writers are gone.
  virtual Totals totals() = 0;
};

using OpenStore = std::function<std::unique_ptr<Store>(const Load&)>;

/// Reads a load from the words of a command line, writes it, compares what is there afterwards, and prints JSON:
/// setting, points, seconds, cpu_s, ready_bytes, peak_bytes. The main function of a peer.
int run_write_load(int argc, char** argv, const OpenStore& open);

}  // namespace marigram::bench
