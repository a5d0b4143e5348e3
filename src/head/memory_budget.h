// How much memory heads may take, and who takes it.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <utility>

namespace marigram::head {

/// Counts what the heads of a database weigh. Thread-safe. Outlives all charges on it.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max()) : bytes_max_(bytes_max) {}

  void add(std::uint64_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void subtract(std::uint64_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::uint64_t bytes_max() const { return bytes_max_; }
  bool is_exceeded() const { return used() > bytes_max_; }

 private:
  const std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> used_ = 0;
};

/// What one object takes of a budget, until it goes.
class MemoryCharge {
 public:
  MemoryCharge() = default;
  MemoryCharge(MemoryBudget& budget, std::uint64_t bytes) : budget_(&budget), bytes_(bytes) { budget.add(bytes); }
  MemoryCharge(MemoryCharge&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryCharge& operator=(MemoryCharge&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MemoryCharge() {
    if (budget_ != nullptr) budget_->subtract(bytes_);
  }

  void grow(std::uint64_t bytes) {
    budget_->add(bytes);
    bytes_ += bytes;
  }
  std::uint64_t bytes() const { return bytes_; }

 private:
  MemoryBudget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

}  // namespace marigram::head
