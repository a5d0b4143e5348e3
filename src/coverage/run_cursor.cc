#include "coverage/run_cursor.h"

#include "coverage/bucket_set.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <roaring.h>

namespace marigram::coverage {

namespace croaring = ::roaring::api;

RunCursor::RunCursor(const BucketSet& set, IdRange range, Direction direction)
    : iterator_(croaring::roaring64_iterator_create(set.bits_)), range_(range), direction_(direction) {
  if (range.first > range.last) {
    wanted_ = 0;
    return;
  }
  if (direction == Direction::kUp) {
    if (range.first > 0) croaring::roaring64_iterator_move_equalorlarger(iterator_, range.first);
    return;
  }
  if (!croaring::roaring64_iterator_move_equalorlarger(iterator_, range.last)) {
    croaring::roaring64_iterator_reinit_last(set.bits_, iterator_);
  } else if (croaring::roaring64_iterator_value(iterator_) > range.last) {
    croaring::roaring64_iterator_previous(iterator_);
  }
}

RunCursor::~RunCursor() {
  croaring::roaring64_iterator_free(iterator_);
}

bool RunCursor::refill() {
  if (wanted_ == 0) return false;
  std::array<croaring::roaring64_range_closed_t, kBufferRuns> read;
  filled_ = direction_ == Direction::kUp
                ? croaring::roaring64_iterator_read_ranges(iterator_, read.data(), wanted_)
                : croaring::roaring64_iterator_read_prev_ranges(iterator_, read.data(), wanted_);
  for (std::size_t i = 0; i < filled_; ++i) buffer_[i] = {.first = read[i].min, .last = read[i].max};
  used_ = 0;
  wanted_ = filled_ < wanted_ ? 0 : std::min(2 * wanted_, kBufferRuns);
  return filled_ > 0;
}

}  // namespace marigram::coverage
