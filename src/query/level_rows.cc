#include "query/level_rows.h"

#include "coverage/bucket_grid.h"
#include "model/rollup.h"
#include "query/level_columns.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

namespace marigram::query {

AggregationSpec level_aggregates(const TableView& table, TimeBuckets intervals) {
  const std::set<std::string>& sketches = table.snapshot.state->rollups.sketches;
  const coverage::BucketGrid grid(Dialect::kV7, table.index.kind);
  const auto width = static_cast<std::int64_t>(grid.width()) * units_per_second(table.units.unit());
  AggregationSpec spec{.by = table.index.tags, .every = std::move(intervals)};
  for (const auto part : model::parts_of_rows()) spec.columns.push_back(aggregate_of(part, {}, width));
  for (const model::Column& column : table.schema.columns) {
    const bool is_key =
        column.name == table.index.column || std::ranges::find(table.index.tags, column.name) != table.index.tags.end();
    if (is_key) continue;
    for (const auto part : model::parts_of(column.type, sketches.contains(column.name))) {
      spec.columns.push_back(aggregate_of(part, column.name, width));
    }
  }
  return spec;
}

std::vector<TagPredicate> predicates_of(const std::vector<SeriesKey>& series, const model::IndexSpec& index) {
  constexpr std::size_t kSeriesMax = 1'024;
  std::vector<TagPredicate> predicates;
  if (series.size() > kSeriesMax) return predicates;
  for (std::size_t tag = 0; tag < index.tags.size(); ++tag) {
    std::set<std::string> values;
    for (const SeriesKey& key : series) values.insert(format_tag_value(key[tag]));
    predicates.push_back({.column = index.tags[tag], .values = {values.begin(), values.end()}});
  }
  return predicates;
}

}  // namespace marigram::query
