// The range of index values that a request asks for, in the column's own unit.
#pragma once

#include "model/index.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <cstdint>
#include <optional>

namespace marigram::segment {

/// A closed range of raw column values. Raw values are the column's 64 bits; they are compared as keys: unsigned
/// integers in the order of the column's type (int64 and timestamps biased by 2^63, uint64 as they are).
class IndexBounds {
 public:
  /// Of the half-open range [from, to), exact to the nanosecond. `type` is the index column's. kInvalidInput if a bound
  /// is not of the index's domain.
  static Result<IndexBounds> make(const model::IndexKind& kind, const model::DataType& type,
                                  const std::optional<IndexValue>& from, const std::optional<IndexValue>& to);

  bool none() const { return none_; }
  bool all() const { return !none_ && low_ == 0 && high_ == UINT64_MAX; }
  /// Whether the closed range of raw values holds a wanted one, and whether it holds no other.
  bool intersects(std::int64_t raw_min, std::int64_t raw_max) const {
    return !none_ && key(raw_max) >= low_ && key(raw_min) <= high_;
  }
  bool contains(std::int64_t raw_min, std::int64_t raw_max) const {
    return !none_ && key(raw_min) >= low_ && key(raw_max) <= high_;
  }
  /// Whether a raw value lies before all wanted ones, or behind them.
  bool is_before(std::int64_t raw) const { return none_ || key(raw) < low_; }
  bool is_behind(std::int64_t raw) const { return none_ || key(raw) > high_; }
  /// Of a raw value.
  std::uint64_t key(std::int64_t raw) const { return static_cast<std::uint64_t>(raw) ^ bias_; }
  /// The closed range as keys, unless none().
  std::uint64_t first_key() const { return low_; }
  std::uint64_t last_key() const { return high_; }
  /// A value is wanted if `raw - first() <= span()` in unsigned arithmetic (unless none()).
  std::uint64_t first() const { return low_ ^ bias_; }
  std::uint64_t span() const { return high_ - low_; }

 private:
  std::uint64_t bias_ = 0;  // 2^63 for signed columns
  std::uint64_t low_ = 0;   // keys, inclusive
  std::uint64_t high_ = UINT64_MAX;
  bool none_ = false;
};

}  // namespace marigram::segment
