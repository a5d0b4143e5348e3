// Walks a bucket set run by run, in either direction, without touching single ids.
#pragma once

#include "coverage/bucket_set.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace roaring::api {
struct roaring64_iterator_s;
}

namespace marigram::coverage {

/// Yields the maximal runs of a set inside a closed range, cut at the range's ends, ascending (kUp) or descending
/// (kDown). The set must outlive the cursor unchanged. A step costs O(1) amortised over runs and containers.
class RunCursor {
 public:
  enum class Direction { kUp, kDown };

  RunCursor(const BucketSet& set, IdRange range, Direction direction);
  ~RunCursor();
  RunCursor(const RunCursor&) = delete;
  RunCursor& operator=(const RunCursor&) = delete;

  /// The next run; unset at the end. Inline: walking runs is what coverage questions spend their time on.
  std::optional<IdRange> next() {
    if (used_ == filled_ && !refill()) return std::nullopt;
    // Past the range's far end there is nothing to yield, now and later: the runs are in order.
    const IdRange run = buffer_[used_];
    if (run.first > range_.last || run.last < range_.first) return std::nullopt;
    ++used_;
    return IdRange{.first = std::max(run.first, range_.first), .last = std::min(run.last, range_.last)};
  }

 private:
  static constexpr std::size_t kBufferRuns = 64;

  bool refill();  // false at the end

  roaring::api::roaring64_iterator_s* iterator_;  // owned
  IdRange range_;
  Direction direction_;
  std::array<IdRange, kBufferRuns> buffer_;
  std::size_t used_ = 0;
  std::size_t filled_ = 0;
  std::size_t wanted_ = 4;  // grows: most questions need a few runs, the others all
};

}  // namespace marigram::coverage
