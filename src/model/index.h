// What orders a table: its index column, the tags that split it into series, and the bucket grid of its coverage.
#pragma once

#include "base/bucket_width.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace marigram::model {

/// A timestamp index: buckets of `bucket`, aligned to the epoch in UTC. `timezone` is recorded, not used.
struct TimestampIndex {
  BucketWidth bucket = {};
  std::optional<std::string> timezone = {};

  friend bool operator==(const TimestampIndex&, const TimestampIndex&) = default;
};

/// A signed integer index: buckets of `step`.
struct Int64Index {
  std::uint64_t step = 1;  // >= 1

  friend bool operator==(const Int64Index&, const Int64Index&) = default;
};

/// An unsigned integer index: buckets of `step`.
struct UInt64Index {
  std::uint64_t step = 1;  // >= 1

  friend bool operator==(const UInt64Index&, const UInt64Index&) = default;
};

using IndexKind = std::variant<TimestampIndex, Int64Index, UInt64Index>;

struct IndexSpec {
  std::string column = {};
  std::vector<std::string> tags = {};  // in table order; "entity_columns" on disk
  IndexKind kind = {};

  friend bool operator==(const IndexSpec&, const IndexSpec&) = default;
};

/// "timestamp", "int64", "uint64".
const char* index_kind_name(const IndexKind& kind);
/// "1h", or the step in decimal.
std::string format_bucket(const IndexKind& kind);
/// Column and tag names are non-empty and distinct; widths are >= 1. kInvalidInput.
Status validate_index(const IndexSpec& spec);
/// a < b, quickly for times.
inline bool is_before(const IndexValue& a, const IndexValue& b) {
  const auto* time = std::get_if<Instant>(&a);
  const auto* other = std::get_if<Instant>(&b);
  return time != nullptr && other != nullptr ? *time < *other : a < b;
}

/// Whether the value is of the index's domain.
bool value_matches(const IndexKind& kind, const IndexValue& value);

}  // namespace marigram::model
