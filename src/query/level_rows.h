// What making rows of a level of rollups anew takes.
#pragma once

#include "base/time_buckets.h"
#include "query/aggregation.h"
#include "query/table_view.h"

#include <marigram/series.h>

#include <vector>

namespace marigram::query {

/// What a level keeps, as aggregates of the table, by series and interval.
AggregationSpec level_aggregates(const TableView& table, TimeBuckets intervals);

/// Conditions that these series fulfil, and perhaps some more; none if they are many.
std::vector<TagPredicate> predicates_of(const std::vector<SeriesKey>& series, const model::IndexSpec& index);

}  // namespace marigram::query
