// A shared mutex for what many threads read all the time and few change: readers of different threads do not touch the
// same memory, which two processors else pass to and fro for each of them.
#pragma once

#include "base/cache_line.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <shared_mutex>

namespace marigram {

/// Use as std::shared_mutex, with std::shared_lock and std::lock_guard. A thread reads through one of several mutexes
/// of its own, or nearly so; who changes something locks them all, in order: some 20 ns each. Readers that come then
/// wait, so that they do not keep it off for ever.
class StripedSharedMutex {
 public:
  void lock() {
    changes_.lock();
    changing_.store(1);
    for (Stripe& stripe : stripes_) stripe.mutex.lock();
  }
  void unlock() {
    for (Stripe& stripe : stripes_) stripe.mutex.unlock();
    changing_.store(0);
    changing_.notify_all();
    changes_.unlock();
  }
  void lock_shared() {
    changing_.wait(1);
    stripes_[own_stripe()].mutex.lock_shared();
  }
  void unlock_shared() { stripes_[own_stripe()].mutex.unlock_shared(); }

 private:
  static constexpr std::size_t kStripes = 16;

  struct alignas(kCacheLineBytes) Stripe {
    std::shared_mutex mutex;
  };

  static std::size_t own_stripe() {
    static std::atomic<std::size_t> threads = 0;
    thread_local const std::size_t stripe = threads.fetch_add(1, std::memory_order_relaxed) % kStripes;
    return stripe;
  }

  std::mutex changes_;                       // held by who changes something
  std::atomic<std::uint32_t> changing_ = 0;  // 1: somebody does, or is about to
  std::array<Stripe, kStripes> stripes_;
};

}  // namespace marigram
