#include "segment/covered_series.h"

#include "coverage/bucket_set.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace marigram::segment {
namespace {

bool strictly_ascending(std::span<const std::uint64_t> ids) {
  bool ascending = true;
  for (std::size_t i = 1; i < ids.size(); ++i) ascending &= ids[i] > ids[i - 1];
  return ascending;
}

}  // namespace

void CoveredSeries::add(std::span<const std::uint64_t> ids) {
  // Many rows share a bucket, and mostly stand together.
  std::vector<std::uint64_t> distinct;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i == 0 || ids[i] != ids[i - 1]) distinct.push_back(ids[i]);
  }
  set_.add_many(distinct);
}

std::optional<RepeatedBuckets> CoveredSeries::add_new(std::span<const std::uint64_t> ids) {
  if (ids.empty()) return std::nullopt;
  if (!strictly_ascending(ids) || (max_ && ids.front() <= *max_)) return add_any_order(ids);
  set_.add_many(ids);
  max_ = ids.back();
  return std::nullopt;
}

std::optional<RepeatedBuckets> CoveredSeries::add_any_order(std::span<const std::uint64_t> ids) {
  std::vector<std::uint64_t> sorted(ids.begin(), ids.end());
  std::ranges::sort(sorted);
  coverage::BucketSet added;
  added.add_many(sorted);
  std::optional<std::uint64_t> first = set_.first_common(added);
  std::uint64_t count = set_.overlap_size(added) + (sorted.size() - added.size());
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
    first = first ? std::min(*first, *twice) : *twice;
  }
  max_ = max_ ? std::max(*max_, sorted.back()) : sorted.back();
  set_.unite(added);
  if (!first) return std::nullopt;
  return RepeatedBuckets{.count = count, .first_id = *first};
}

}  // namespace marigram::segment
