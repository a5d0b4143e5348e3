// The bucket grid: maps index values to the ids that coverage files store, and back.
//
// Ids (checked against both reference implementations):
// - v1 timestamp: id = floor(seconds / width); before 1970 all rows share id 0; ids end at 2^32 - 1.
// - v7 timestamp and int64: ordinal = floor(value / width) as int64, id = ordinal XOR 2^63 (negative ones sort first).
// - v7 uint64: id = value / step.
#pragma once

#include "model/index.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <cstdint>
#include <span>

namespace marigram::coverage {

class BucketGrid {
 public:
  BucketGrid(Dialect dialect, const model::IndexKind& kind);

  /// The id of the bucket that holds `value`. kInvalidInput: wrong domain, or beyond the last id of v1.
  Result<std::uint64_t> id_of(const IndexValue& value) const;
  /// First value of bucket `id`, and first value after it. Both saturate at the domain's ends: where an integer
  /// domain's last value begins a bucket of its own, that bucket's end is that value. v1: bucket 0 starts at 1970.
  IndexValue start_of(std::uint64_t id) const;
  IndexValue end_of(std::uint64_t id) const;
  /// The last id whose bucket starts before `end`: the bucket of the last instant (1 ns, 1 step of an integer) before
  /// it.
  Result<std::uint64_t> last_id_before(const IndexValue& end) const;

  /// Width of a bucket: seconds, or steps of an integer index.
  std::uint64_t width() const { return width_; }
  /// Id of the domain's last value.
  std::uint64_t max_id() const;

  /// Ids of `values` (column values in `unit`; integers for an integer index, uint64 ones bit for bit; no nulls) into
  /// `ids` (same length): the bulk path of appends. kInvalidInput beyond the last id of v1.
  Status ids_of(std::span<const std::int64_t> values, TimeUnit unit, std::span<std::uint64_t> ids) const;

 private:
  enum class Rule { kV1Time, kV7Time, kInt64, kUInt64 };

  Result<std::uint64_t> id_of_int64(std::int64_t value) const;

  Rule rule_;
  std::uint64_t width_;  // seconds or steps
};

}  // namespace marigram::coverage
