// Aggregates whose states are the same for values of all types.
#pragma once

#include "model/aggregate.h"
#include "query/aggregate_column.h"

#include <memory>
#include <string>

namespace marigram::query {

/// Of rows, or of values of any type.
std::unique_ptr<AggregateColumn> make_count(std::string name, bool of_rows);
/// kFirstTime, kLastTime or kBuckets of rows.
std::unique_ptr<AggregateColumn> make_times(std::string name, const model::Aggregate& wanted);
/// Of two columns of numbers.
std::unique_ptr<AggregateColumn> make_weighted_avg(std::string name);

}  // namespace marigram::query
