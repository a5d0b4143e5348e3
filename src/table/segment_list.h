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

/// Immutable.
class SegmentList {
 public:
  /// O(segments log segments).
  explicit SegmentList(const log::TableState& state);

  /// The segments, by (min, max, key), from the first to the last that may have a row in [from, to): those between that
  /// end before `from` are among them. Bounds of the index's domain; unset: none. O(log segments).
  std::span<const SegmentPtr> between(const std::optional<IndexValue>& from, const std::optional<IndexValue>& to) const;

 private:
  std::vector<SegmentPtr> segments_;
  std::vector<IndexValue> begins_;   // min of each
  std::vector<IndexValue> reaches_;  // the largest max up to each
};

}  // namespace marigram::table
