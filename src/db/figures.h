// Figures of a running database: rates and latencies.
#pragma once

#include <marigram/database.h>

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>

namespace marigram::db {

/// A histogram of durations: four buckets for each doubling, from a microsecond on. Thread-safe.
class Latencies {
 public:
  void add(std::chrono::nanoseconds duration) {
    const double micros = std::max(1.0, static_cast<double>(duration.count()) / 1e3);
    const auto bucket = static_cast<std::size_t>(std::log2(micros) * kPerDoubling);
    counts_[std::min(bucket, counts_.size() - 1)].fetch_add(1, std::memory_order_relaxed);
  }
  /// Upper ends of the buckets in which they lie: too great by 19 % at most.
  Quantiles quantiles() const {
    Quantiles all;
    for (const auto& count : counts_) all.count += count.load(std::memory_order_relaxed);
    all.p50 = at(all.count, 0.5);
    all.p90 = at(all.count, 0.9);
    all.p99 = at(all.count, 0.99);
    return all;
  }

 private:
  static constexpr int kPerDoubling = 4;

  double at(std::uint64_t all, double share) const {
    const double wanted = static_cast<double>(all) * share;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size() && all > 0; ++i) {
      seen += counts_[i].load(std::memory_order_relaxed);
      if (static_cast<double>(seen) >= wanted) return std::exp2((static_cast<double>(i) + 1) / kPerDoubling) / 1e6;
    }
    return 0;
  }

  std::array<std::atomic<std::uint64_t>, 128> counts_{};
};

/// How quickly a count grows, over some ten seconds. Thread-safe.
class Rate {
 public:
  /// To be called about once a second.
  void note(std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    samples_.push_back({std::chrono::steady_clock::now(), count});
    if (samples_.size() > kSamples) samples_.pop_front();
  }
  double per_second(std::uint64_t count) const {
    const std::lock_guard lock(mutex_);
    if (samples_.empty()) return 0;
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - samples_.front().time;
    return time.count() > 0 ? static_cast<double>(count - samples_.front().count) / time.count() : 0;
  }

 private:
  struct Sample {
    std::chrono::steady_clock::time_point time;
    std::uint64_t count = 0;
  };
  static constexpr std::size_t kSamples = 10;

  mutable std::mutex mutex_;
  std::deque<Sample> samples_;  // guarded by mutex_; oldest first
};

}  // namespace marigram::db
