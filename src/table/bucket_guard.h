// Tables that reject duplicates: which buckets the rows in the head cover.
#pragma once

#include "coverage/bucket_grid.h"
#include "coverage/coverage_map.h"
#include "model/index.h"
#include "table/incoming.h"

#include <marigram/error.h>

#include <mutex>
#include <string>

namespace marigram::table {

/// Thread-safe; of one series, one thread at a time.
class BucketGuard {
 public:
  explicit BucketGuard(const model::IndexKind& kind) : grid_(Dialect::kV7, kind) {}

  /// What incoming rows cover: a bucket twice is kOverlap.
  Result<coverage::CoverageMap> cover(const IncomingRows& rows, const head::SeriesDictionary& series,
                                      const std::string& table) const;
  /// kOverlap if rows in the head cover some of that already. To be asked before the coverage of segments is taken:
  /// what a flush has made segments of is in that.
  Status check_head(const coverage::CoverageMap& added, const LiveSchema& schema, const std::string& table) const;
  /// kOverlap if `covered` has some of that.
  Status check(const coverage::CoverageMap& added, const coverage::CoverageMap& covered, const LiveSchema& schema,
               const std::string& table) const;
  void add(const coverage::CoverageMap& added);

  /// The rows so far are about to become segments, and are in those now.
  void close();
  void forget_closed();

 private:
  const coverage::BucketGrid grid_;
  mutable std::mutex mutex_;  // guards all below
  coverage::CoverageMap open_;
  coverage::CoverageMap closed_;
};

}  // namespace marigram::table
