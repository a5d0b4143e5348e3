// Collects the buckets of one series and notices a bucket that comes twice.
#pragma once

#include "coverage/bucket_set.h"

#include <cstdint>
#include <optional>
#include <span>

namespace marigram::segment {

/// Buckets met more than once: how many, and the smallest of them.
struct RepeatedBuckets {
  std::uint64_t count = 0;
  std::uint64_t first_id = 0;
};

class CoveredSeries {
 public:
  /// Adds ids in any order.
  void add(std::span<const std::uint64_t> ids);
  /// Adds ids that must all be new and distinct. What is repeated is returned; the set then holds them all the same.
  std::optional<RepeatedBuckets> add_new(std::span<const std::uint64_t> ids);

  coverage::BucketSet take() { return std::move(set_); }

 private:
  std::optional<RepeatedBuckets> add_any_order(std::span<const std::uint64_t> ids);

  coverage::BucketSet set_;
  std::optional<std::uint64_t> max_;  // of the set
};

}  // namespace marigram::segment
