#include "table/bucket_guard.h"

#include "base/try.h"

#include <marigram/series.h>

#include <fmt/format.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace marigram::table {
namespace {

std::unexpected<Error> overlap(const std::string& table, const std::string& series, std::uint64_t buckets,
                               const coverage::BucketGrid& grid, std::uint64_t id, std::string_view by) {
  const std::string bucket =
      fmt::format("[{}, {})", format_index_value(grid.start_of(id)), format_index_value(grid.end_of(id)));
  return std::unexpected(
      Error{.code = ErrorCode::kOverlap,
            .message = fmt::format("cannot insert into {}: bucket {}{}{} is covered {}; insert rows of other buckets, "
                                   "or create the table with another policy on duplicates",
                                   table, bucket, series.empty() ? "" : " of series ", series, by),
            .detail = OverlapInfo{.buckets = buckets, .series = series, .example = bucket}});
}

void unite(CoveredBuckets& into, const CoveredBuckets& from) {
  for (const auto& [series, set] : from) into[series].unite(set);
}

}  // namespace

std::string format_tags(const Tags& tags) {
  std::string text;
  for (const Tag& tag : tags) text += (text.empty() ? "" : ",") + tag.name + "=" + tag.value;
  return text;
}

Result<CoveredBuckets> BucketGuard::cover(std::span<const std::int64_t> times, TimeUnit unit,
                                          std::span<const head::SeriesId> series, const Naming& naming,
                                          const std::string& table) const {
  std::vector<std::uint64_t> ids(times.size());
  MARIGRAM_TRY(grid_.ids_of(times, unit, ids));
  CoveredBuckets covered;
  for (std::size_t row = 0; row < ids.size(); ++row) {
    coverage::BucketSet& set = covered[series[row]];
    if (set.contains(ids[row])) {
      return overlap(table, naming(series[row]), 1, grid_, ids[row], "twice by the batch itself");
    }
    set.add(ids[row]);
  }
  return covered;
}

Status BucketGuard::check_head(const CoveredBuckets& added, const Naming& naming, const std::string& table) const {
  const std::lock_guard lock(mutex_);
  for (const CoveredBuckets* covered : {&open_, &closed_}) {
    for (const auto& [series, set] : added) {
      const auto there = covered->find(series);
      if (there != covered->end()) MARIGRAM_TRY(check(set, there->second, naming(series), table));
    }
  }
  return {};
}

Status BucketGuard::check(const coverage::BucketSet& added, const coverage::BucketSet& covered,
                          const std::string& series, const std::string& table) const {
  const std::uint64_t common = covered.overlap_size(added);
  if (common == 0) return {};
  return overlap(table, series, common, grid_, *covered.first_common(added), "by the table already");
}

void BucketGuard::add(const CoveredBuckets& added) {
  const std::lock_guard lock(mutex_);
  unite(open_, added);
}

void BucketGuard::close() {
  const std::lock_guard lock(mutex_);
  unite(closed_, open_);
  open_.clear();
}

void BucketGuard::forget_closed() {
  const std::lock_guard lock(mutex_);
  closed_.clear();
}

}  // namespace marigram::table
