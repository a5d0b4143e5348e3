// The tombstones of one version: which rows of which segment they hide.
#pragma once

#include "io/object_store.h"
#include "log/table_state.h"
#include "model/table_meta.h"
#include "model/tombstone.h"
#include "table/hidden_rows.h"

#include <marigram/error.h>

#include <memory>
#include <vector>

namespace marigram::table {

/// Whether rows of the table may be hidden: no program that knows nothing of tombstones may read it anyway.
bool may_have_tombstones(const log::TableState& state);

/// Whether the segment may have rows that the tombstone hides.
bool may_hide(const model::Tombstone& tombstone, const model::SegmentMeta& segment, const model::IndexSpec& index);

/// Immutable; thread-safe.
class TombstoneList {
 public:
  /// Reads the points that tombstones name. kNotFound, kCorruption.
  static Result<std::shared_ptr<const TombstoneList>> load(const io::ObjectStore& store, const log::TableState& state);

  bool empty() const { return loaded_.empty(); }
  /// The rows of the segment that are hidden; null: none. O(tombstones).
  std::shared_ptr<const HiddenRows> of(const model::SegmentMeta& segment) const;

 private:
  struct Loaded {
    std::shared_ptr<const model::Tombstone> tombstone;
    HiddenRows rows;
  };

  model::IndexSpec index_;
  std::vector<Loaded> loaded_;
};

}  // namespace marigram::table
