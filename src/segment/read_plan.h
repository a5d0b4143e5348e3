// A read request, resolved against a table's schema and a file's.
#pragma once

#include "model/index.h"
#include "model/schema.h"
#include "segment/index_bounds.h"
#include "segment/prune.h"
#include "segment/reader.h"
#include "segment/segment_file.h"
#include "segment/tag_filter.h"

#include <marigram/error.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace arrow {
class DataType;
class Schema;
}  // namespace arrow

namespace marigram::segment {

struct PlannedColumn {
  std::string name;
  std::shared_ptr<arrow::DataType> type;  // the table's
  bool nullable = true;
  int field = -1;         // among the file's top-level fields; -1: the file lacks it
  int leaf = -1;          // to be read as a flat column; -1: by Arrow's reader
  bool text_tag = false;  // its value is empty, not null, in a file that lacks it
};

/// Not to be moved once made: conditions point to bounds and filters.
struct ReadPlan {
  static Result<std::unique_ptr<const ReadPlan>> make(const SegmentFile& file, const model::Schema& schema,
                                                      const model::IndexSpec& index, const ReadRequest& request);

  std::vector<PlannedColumn> columns;  // every column needed, once
  std::size_t index_column = 0;        // in `columns`
  IndexBounds bounds;
  std::vector<TagFilter> filters;
  std::vector<std::size_t> filter_columns;  // in `columns`, one a filter
  std::vector<std::size_t> output;          // in `columns`, as requested
  std::shared_ptr<arrow::Schema> output_schema;
  std::vector<LeafCondition> conditions;  // what statistics can decide; the index first, if it can be judged by them
  bool none = false;                      // no row can match
};

}  // namespace marigram::segment
