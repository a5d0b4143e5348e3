#include "write_load.h"

#include "measure.h"

#include <CLI/CLI.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <thread>
#include <utility>
#include <vector>

namespace marigram::bench {
namespace {

constexpr std::size_t kWalk = 4'096;

/// A walk of hundredths, from a generator that is a line in every language.
const std::array<double, kWalk>& walk() {
  static const auto values = [] {
    std::array<double, kWalk> steps{};
    std::uint64_t state = 20'240'101;
    std::int64_t at = 5'000;
    for (double& step : steps) {
      state = state * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
      at += static_cast<std::int64_t>((state >> 33U) % 101) - 50;
      step = static_cast<double>(at) / 100;
    }
    return steps;
  }();
  return values;
}

/// Batches for whoever comes, until they are used up or the time is.
class Batches {
 public:
  explicit Batches(const Load& load)
      : load_(load),
        end_(load.points / load.batch),
        until_(Clock::now() +
               std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(load.seconds))) {}

  /// Writes batch after batch; what was written.
  Totals write(Writer& writer) {
    std::vector<Sample> batch(load_.batch);
    Totals written;
    for (std::uint64_t count = 0; count % kCheck != 0 || Clock::now() < until_; ++count) {
      const std::uint64_t number = next_.fetch_add(1, std::memory_order_relaxed);
      if (number >= end_) break;
      for (std::size_t i = 0; i < batch.size(); ++i) {
        batch[i] = sample_at(number * batch.size() + i);
        written.sum += batch[i].value;
      }
      writer.write(batch);
      written.points += batch.size();
    }
    writer.finish();
    return written;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::uint64_t kCheck = 16;  // batches between two looks at the clock

  const Load& load_;
  const std::uint64_t end_;
  const Clock::time_point until_;
  std::atomic<std::uint64_t> next_ = 0;
};

/// All threads begin together; the time ends with the last.
Json write_load(Store& store, const Load& load) {
  std::vector<std::unique_ptr<Writer>> writers(static_cast<std::size_t>(load.threads));
  for (auto& writer : writers) writer = store.writer();
  walk();
  const std::uint64_t ready_bytes = peak_memory_bytes();
  std::vector<Totals> each(writers.size());
  const Stopwatch watch;
  Batches batches(load);
  {
    std::vector<std::jthread> threads;
    threads.reserve(writers.size());
    for (std::size_t i = 0; i < writers.size(); ++i) {
      threads.emplace_back([&, i] { each[i] = batches.write(*writers[i]); });
    }
  }
  const Duration duration = watch.elapsed();
  const std::uint64_t peak_bytes = peak_memory_bytes();
  writers.clear();
  Totals written;
  for (const Totals& totals : each) {
    written.points += totals.points;
    written.sum += totals.sum;
  }
  const Totals found = store.totals();
  if (found.points != written.points || std::abs(found.sum - written.sum) > 1e-6 * std::abs(written.sum)) {
    stop("wrote " + std::to_string(written.points) + " points with the sum " + std::to_string(written.sum) +
         ", found " + std::to_string(found.points) + " with " + std::to_string(found.sum));
  }
  return {{"setting", store.setting()}, {"points", written.points},   {"seconds", duration.wall_s},
          {"cpu_s", duration.cpu_s},    {"ready_bytes", ready_bytes}, {"peak_bytes", peak_bytes}};
}

const std::map<std::string, WriteDurability> kDurabilities{
    {"none", WriteDurability::kNone}, {"interval", WriteDurability::kInterval}, {"sync", WriteDurability::kSync}};

}  // namespace

std::string host_name(std::size_t series) {
  return "host" + std::to_string(series / kCpus);
}

std::string cpu_name(std::size_t series) {
  return "cpu" + std::to_string(series % kCpus);
}

Sample sample_at(std::uint64_t number) {
  const std::uint64_t series = number % kSeries;
  const std::uint64_t round = number / kSeries;
  return {.series = series,
          .time_ns = kBeginNs + static_cast<std::int64_t>(round) * kStepNs,
          .value = walk()[(series * 61 + round) % kWalk]};
}

int run_write_load(int argc, char** argv, const OpenStore& open) {
  CLI::App app("Writes the load of bench/README.md and prints JSON");
  Load load;
  app.add_option("folder", load.folder, "empty")->required()->check(CLI::ExistingDirectory);
  app.add_option("--durability", load.durability)->transform(CLI::CheckedTransformer(kDurabilities));
  app.add_option("--batch", load.batch)->check(CLI::IsMember({std::size_t{1}, kSeries}));
  app.add_option("--threads", load.threads)->check(CLI::Range(1, 1'000));
  app.add_option("--points", load.points, "at most");
  app.add_option("--seconds", load.seconds, "at most");
  CLI11_PARSE(app, argc, argv);
  const auto store = open(load);
  std::puts(write_load(*store, load).dump().c_str());
  return 0;
}

}  // namespace marigram::bench
