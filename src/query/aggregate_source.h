// Aggregates as a stream: rows in, rows out.
#pragma once

#include "base/thread_pool.h"
#include "query/aggregation.h"
#include "table/batch_source.h"
#include "table/scan.h"

#include <marigram/error.h>

#include <memory>
#include <vector>

namespace arrow {
class Schema;
}

namespace marigram::query {

/// Rows in order of (series, time), which are pulled as the result is. Errors as Aggregation's, those of the rows, and
/// what they are: in the stream.
Result<table::ScanStream> aggregate(std::unique_ptr<table::BatchSource> rows, const arrow::Schema& schema,
                                    const AggregateRequest& request);

/// The same of rows in several parts, at least one, read side by side on the pool. Each is in order, no series is in
/// two, and the series of a part precede those of the next. The parts must not wait for tasks of the pool themselves.
/// The pool must outlive the stream.
Result<table::ScanStream> aggregate(std::vector<std::unique_ptr<table::BatchSource>> parts, const arrow::Schema& schema,
                                    const AggregateRequest& request, ThreadPool& pool);

}  // namespace marigram::query
