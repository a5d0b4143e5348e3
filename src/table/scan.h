// Scan: which segments, in what order, merged how.
#pragma once

#include "table/batch_source.h"
#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace arrow {
class Schema;
}

namespace marigram::table {

/// The rows of a scan and their schema (which a scan without rows has too).
struct ScanStream {
  std::shared_ptr<arrow::Schema> schema;
  std::unique_ptr<BatchSource> rows;
};

/// Opens rows that are newer than all segments of a state: those of the head. They come within the request's range, of
/// its series, in batches of at most its batch_rows; with exactly the columns named, in that order, of the table's
/// types; in the order asked for, rows of equal series and time in order of arrival or, where the table keeps the last,
/// only that. May be empty: there are none.
using NewerRows = std::function<std::unique_ptr<BatchSource>(const std::vector<std::string>& columns, ScanOrder order)>;

/// The same for any request.
using NewerRowsOf = std::function<NewerRows(const ScanRequest& request)>;

/// The rows of a state, which may be older than the engine's, and those that are newer. Of rows of equal series and
/// time: a table that keeps the last gives the newest; one that keeps all gives all, by rank of their segments, then as
/// they stand in them, then the newer ones (in ScanOrder::kAny in any order). kInvalidInput: from >= to, bounds of
/// another domain than the index, batch_rows 0, a predicate on what is no tag; kNotFound: a column that the table
/// lacks. Segments are opened as the stream reaches them. The engine must outlive the stream. A state without a schema
/// has no rows.
Result<ScanStream> scan(const Engine& engine, StatePtr state, const ScanRequest& request, const NewerRows& newer);
/// The rows of the version that the engine has now.
Result<ScanStream> scan(const Engine& engine, const ScanRequest& request);

/// Whether the segment may hold rows that the predicates and the half-open range ask for.
bool segment_may_match(const model::SegmentMeta& segment, const model::IndexSpec& index,
                       const std::optional<IndexValue>& from, const std::optional<IndexValue>& to,
                       const std::vector<TagPredicate>& where);

/// kInvalidInput: bounds of another domain, from >= to; kNotFound: a predicate on what is no tag.
Status check_range_and_tags(const model::IndexSpec& index, const std::optional<IndexValue>& from,
                            const std::optional<IndexValue>& to, const std::vector<TagPredicate>& where);

}  // namespace marigram::table
