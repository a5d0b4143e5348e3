// Tables that reject duplicates: which buckets the rows in the head cover.
#pragma once

#include "coverage/bucket_grid.h"
#include "coverage/bucket_set.h"
#include "head/series_set.h"
#include "model/index.h"

#include <marigram/error.h>
#include <marigram/tags.h>
#include <marigram/time.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>

namespace marigram::table {

/// `host=a,core=0`: a series in messages.
std::string format_tags(const Tags& tags);

/// Buckets of series, by number.
using CoveredBuckets = std::map<head::SeriesId, coverage::BucketSet>;

/// Thread-safe; of one series, one thread at a time.
class BucketGuard {
 public:
  /// What names a series in messages.
  using Naming = std::function<std::string(head::SeriesId)>;

  explicit BucketGuard(const model::IndexKind& kind) : grid_(Dialect::kV7, kind) {}

  /// What rows cover, of which `series` has a number each: a bucket twice is kOverlap.
  Result<CoveredBuckets> cover(std::span<const std::int64_t> times, TimeUnit unit,
                               std::span<const head::SeriesId> series, const Naming& naming,
                               const std::string& table) const;
  /// kOverlap if rows in the head cover some of that already. To be asked before the coverage of segments is taken:
  /// what a flush has made segments of is in that.
  Status check_head(const CoveredBuckets& added, const Naming& naming, const std::string& table) const;
  /// kOverlap if the two have a bucket in common; both are of that series.
  Status check(const coverage::BucketSet& added, const coverage::BucketSet& covered, const std::string& series,
               const std::string& table) const;
  void add(const CoveredBuckets& added);

  /// The rows so far are about to become segments, and are in those now.
  void close();
  void forget_closed();

 private:
  const coverage::BucketGrid grid_;
  mutable std::mutex mutex_;  // guards all below
  CoveredBuckets open_;
  CoveredBuckets closed_;
};

}  // namespace marigram::table
