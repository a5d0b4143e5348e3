// How many series the tables of one namespace may have together, so that runaway tags end in an error and not in an
// exhausted memory.
#pragma once

#include <marigram/error.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace marigram::head {

/// More than this no table can number.
inline constexpr std::uint64_t kSeriesMax = (std::uint64_t{1} << 31) - 1;

/// Thread-safe. Outlives the dictionaries that draw on it.
class SeriesBudget {
 public:
  /// `max` beyond kSeriesMax is kSeriesMax.
  SeriesBudget(std::string name_space, std::uint64_t max);

  /// All of them or none: kResourceExhausted names the namespace, its limit and the way out.
  Status take(std::uint64_t count);
  /// Whether as many could be taken now; the same error.
  Status check(std::uint64_t count) const;
  void give_back(std::uint64_t count);

  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::uint64_t max() const { return max_; }

 private:
  std::unexpected<Error> refuse(std::uint64_t count, std::uint64_t used) const;

  std::string namespace_;
  std::uint64_t max_;
  std::atomic<std::uint64_t> used_ = 0;
};

}  // namespace marigram::head
