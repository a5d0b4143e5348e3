// Order of scanned rows: sorting what one segment gives, merging what several give, leaving out what others replaced.
#pragma once

#include "model/index.h"
#include "table/batch_source.h"

#include <marigram/scan.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace marigram::table {

/// The columns that order rows, as positions in the batches of a scan.
struct KeyColumns {
  int index = 0;
  std::vector<int> tags;  // in the table's order
};

/// Reads its source to the end, then gives the rows in order, `batch_rows` at a time. Rows of equal keys keep their
/// order. Holds all rows of the source.
std::unique_ptr<BatchSource> sort_source(std::unique_ptr<BatchSource> source, KeyColumns keys, ScanOrder order,
                                         std::size_t batch_rows);

/// Merges sources that are each in order. Holds one batch a source; gives at most `batch_rows` rows at a time, fewer
/// where a long run of one source is given out without a copy. Rows of equal keys come in the order of the sources. A
/// source that is out of order is kCorruption. O(log sources) a run.
std::unique_ptr<BatchSource> merge_sources(std::vector<std::unique_ptr<BatchSource>> sources, KeyColumns keys,
                                           ScanOrder order, std::size_t batch_rows);

/// Of rows of equal series and time, which must stand together in the source, gives the last one. Holds one batch.
std::unique_ptr<BatchSource> last_rows(std::unique_ptr<BatchSource> source, KeyColumns keys);

}  // namespace marigram::table
