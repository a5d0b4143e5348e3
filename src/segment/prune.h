// Which rows of a row group can match a request, judged by statistics alone.
#pragma once

#include "segment/index_bounds.h"
#include "segment/row_range.h"
#include "segment/segment_file.h"
#include "segment/tag_filter.h"

#include <marigram/error.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace marigram::segment {

/// A condition on a leaf column that its statistics can decide.
struct LeafCondition {
  int leaf = 0;
  const IndexBounds* bounds = nullptr;  // one of the two
  const TagFilter* filter = nullptr;
};

struct PruneResult {
  RowRanges rows;           // that may match; none: the row group can be skipped
  bool all_within = false;  // the row group's index values are known to be wanted, all of them and none null
  std::uint64_t pages = 0;  // of the first condition's column; 0 without a page index
  std::uint64_t pages_kept = 0;
};

/// Conditions on columns without statistics or page index prune nothing. May throw as Parquet does.
Result<PruneResult> prune(const SegmentFile& file, int row_group, const std::vector<LeafCondition>& conditions);

}  // namespace marigram::segment
