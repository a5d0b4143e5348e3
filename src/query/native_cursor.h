// Aggregates of native segments where they lie: blocks whose statistics say enough are not read, those of levels of
// rollups are.
#pragma once

#include "query/aggregate_input.h"
#include "query/aggregation.h"
#include "query/native_segment.h"
#include "segment/index_bounds.h"

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace marigram::query {

/// What is asked of a segment. Immutable.
struct NativeQuestion {
  const NativeSegment& segment;
  const arrow::Schema& schema;  // with the fields as the table has them
  const std::vector<AggregateOf>& columns;
  const LevelRows* level = nullptr;  // of a segment of a level: how its rows are to be taken
  segment::IndexBounds bounds = {};
  std::vector<std::uint8_t> wanted = {};  // one a series of the segment: 1 if it is asked for
  bool grows = false;                     // the table: an empty tag is none
};

/// The blocks that the question is about, in all pages.
std::uint64_t count_blocks(const NativeQuestion& question);

/// Series [begin, end) of the segment, which must outlive the cursor, as must schema and columns.
std::unique_ptr<SeriesCursor> native_cursor(std::shared_ptr<const NativeQuestion> question, std::size_t begin,
                                            std::size_t end);

}  // namespace marigram::query
