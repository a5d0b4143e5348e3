// Scan: which segments, in what order, merged how.
#pragma once

#include "table/batch_source.h"
#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <memory>

namespace arrow {
class Schema;
}

namespace marigram::table {

/// The rows of a scan and their schema (which a scan without rows has too).
struct ScanStream {
  std::shared_ptr<arrow::Schema> schema;
  std::unique_ptr<BatchSource> rows;
};

/// kInvalidInput: from >= to, bounds of another domain than the index, batch_rows 0, a predicate on what is no tag;
/// kNotFound: a column that the table lacks. Reads the version that the engine has now; segments are opened as the
/// stream reaches them. The engine must outlive the stream.
Result<ScanStream> scan(const Engine& engine, const ScanRequest& request);

/// Whether the segment may hold rows that the predicates and the half-open range ask for.
bool segment_may_match(const model::SegmentMeta& segment, const model::IndexSpec& index,
                       const std::optional<IndexValue>& from, const std::optional<IndexValue>& to,
                       const std::vector<TagPredicate>& where);

/// kInvalidInput: bounds of another domain, from >= to; kNotFound: a predicate on what is no tag.
Status check_range_and_tags(const model::IndexSpec& index, const std::optional<IndexValue>& from,
                            const std::optional<IndexValue>& to, const std::vector<TagPredicate>& where);

/// Whether the series is one that the predicates ask for.
bool series_matches(const SeriesKey& series, const model::IndexSpec& index, const std::vector<TagPredicate>& where);

}  // namespace marigram::table
