#include "table/segment_list.h"

#include "model/index.h"
#include "model/tiers.h"

#include <algorithm>
#include <cstddef>

namespace marigram::table {

bool is_cold(const Cluster& cluster) {
  return std::ranges::all_of(cluster, [](const SegmentPtr& segment) { return model::is_cold(segment->path); });
}

std::vector<Cluster> cut_where_none_overlaps(std::span<const SegmentPtr> segments) {
  std::vector<Cluster> clusters;
  std::optional<IndexValue> reach;  // the last value of the current cluster
  for (const SegmentPtr& segment : segments) {
    if (!reach || *reach < segment->min) {
      clusters.emplace_back();
      reach = segment->max;
    }
    clusters.back().push_back(segment);
    if (*reach < segment->max) reach = segment->max;
  }
  return clusters;
}

SegmentList::SegmentList(const log::TableState& state) : segments_(log::ordered_segments(state)) {
  begins_.reserve(segments_.size());
  reaches_.reserve(segments_.size());
  for (const SegmentPtr& segment : segments_) {
    begins_.push_back(segment->min);
    reaches_.push_back(reaches_.empty() ? segment->max : std::max(reaches_.back(), segment->max, model::is_before));
  }
}

std::span<const SegmentPtr> SegmentList::between(const std::optional<IndexValue>& from,
                                                 const std::optional<IndexValue>& to) const {
  const auto first = from ? std::ranges::lower_bound(reaches_, *from, model::is_before) - reaches_.begin() : 0;
  const auto last =
      to ? std::ranges::lower_bound(begins_, *to, model::is_before) - begins_.begin() : std::ssize(begins_);
  if (first >= last) return {};
  return std::span(segments_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
}

}  // namespace marigram::table
