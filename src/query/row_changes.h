// Rows of two versions side by side: those that only one of them has.
#pragma once

#include "table/batch_source.h"
#include "table/merge.h"
#include "table/scan.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace marigram::query {

struct ChangesSpec {
  std::shared_ptr<arrow::Schema> schema = {};  ///< of both
  table::KeyColumns keys = {};                 ///< in it
  std::vector<int> absent_tags = {};           ///< tags in it that are given out as null where they are empty
  std::string change = "change";               ///< name of the column that says what changed
  std::size_t batch_rows = 65'536;
  CancelToken cancel = {};
};

/// Rows that `before` has and `after` has not, as often as it has them more, are "removed", the others "added"; by
/// (series, time), those removed first. Both come by (series, time) with the columns of the schema in its order, tags
/// that a series lacks empty; null: no rows. Two values are the same if they are of the same bits, null, or not a
/// number. Memory: a batch of each side, and all rows of one series and time.
Result<table::ScanStream> row_changes(std::unique_ptr<table::BatchSource> before,
                                      std::unique_ptr<table::BatchSource> after, ChangesSpec spec);

}  // namespace marigram::query
