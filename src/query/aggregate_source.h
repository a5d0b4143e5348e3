// Aggregates as a stream: rows in, rows out.
#pragma once

#include "base/thread_pool.h"
#include "query/aggregate_input.h"
#include "query/aggregation.h"
#include "table/scan.h"

#include <marigram/error.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace arrow {
class Schema;
}

namespace marigram::query {

/// `schema` of the rows, which are read as the result is. Errors as Aggregation's, those of the rows, and what they
/// are: in the stream.
Result<table::ScanStream> aggregate(std::unique_ptr<AggregateInput> rows, const arrow::Schema& schema,
                                    const AggregationSpec& spec);

/// The same of rows in several parts, at least one, read side by side on the pool. No series is in two, and the series
/// of a part precede those of the next. The parts must not wait for tasks of the pool themselves. The pool must outlive
/// the stream. Where each series is a group the results of `threads` parts and one more are held, at most 8 batches of
/// each.
Result<table::ScanStream> aggregate(std::vector<std::unique_ptr<AggregateInput>> parts, const arrow::Schema& schema,
                                    const AggregationSpec& spec, ThreadPool& pool, std::size_t threads);

}  // namespace marigram::query
