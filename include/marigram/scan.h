// What to read from a table.
#pragma once

#include <marigram/export.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marigram {

/// Asks a running operation to stop; copies share one flag. Thread-safe.
class CancelToken {
 public:
  void cancel() const { flag_->store(true, std::memory_order_relaxed); }
  bool cancelled() const { return flag_->load(std::memory_order_relaxed); }

 private:
  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

enum class ScanOrder {
  kTime,    ///< by (time, series)
  kSeries,  ///< by (series, time)
  kAny,     ///< segment after segment, each as its file has it: the quickest, nothing is sorted or merged
};

struct ScanRequest {
  std::optional<IndexValue> from = {};    ///< inclusive, exact to the nanosecond whatever the column's unit
  std::optional<IndexValue> to = {};      ///< exclusive, exact to the nanosecond
  std::vector<std::string> columns = {};  ///< in this order; empty: all, in the table's order
  std::vector<TagPredicate> where = {};   ///< all must match
  ScanOrder order = ScanOrder::kTime;
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  ///< at most this many rows
  std::size_t batch_rows = 65'536;                                  ///< at most this many rows a record batch, >= 1
  CancelToken cancel = {};
};

}  // namespace marigram
