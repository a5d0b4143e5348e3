// The live segments of one version in order of time.
#pragma once

#include "log/table_state.h"
#include "model/table_meta.h"

#include <marigram/time.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace marigram::table {

using SegmentPtr = std::shared_ptr<const model::SegmentMeta>;

/// Segments that belong together, because their rows may interleave.
using Cluster = std::vector<SegmentPtr>;

/// Segments in (min, max, key) order, cut where no later one reaches back: of segments of different clusters one ends
/// before the other begins. O(segments).
std::vector<Cluster> cut_where_none_overlaps(std::span<const SegmentPtr> segments);

/// Whether all segments are of the cold tier.
bool is_cold(const Cluster& cluster);

/// Immutable.
class SegmentList {
 public:
  /// O(segments log segments).
  explicit SegmentList(const log::TableState& state);

  /// All of them, by (min, max, key).
  std::span<const SegmentPtr> all() const { return segments_; }
  /// The segments, by (min, max, key), from the first to the last that may have a row in [from, to): those between that
  /// end before `from` are among them. Bounds of the index's domain; unset: none. O(log segments).
  std::span<const SegmentPtr> between(const std::optional<IndexValue>& from, const std::optional<IndexValue>& to) const;

 private:
  std::vector<SegmentPtr> segments_;
  std::vector<IndexValue> begins_;   // min of each
  std::vector<IndexValue> reaches_;  // the largest max up to each
};

}  // namespace marigram::table
