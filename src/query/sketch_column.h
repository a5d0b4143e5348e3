// Sketches of quantiles, and what they estimate.
#pragma once

#include "model/aggregate.h"
#include "query/aggregate_column.h"

#include <memory>
#include <string>

namespace marigram::query {

/// kSketch or kApproxPercentile of a column of numbers.
std::unique_ptr<AggregateColumn> make_sketch(std::string name, const model::Aggregate& wanted);

}  // namespace marigram::query
