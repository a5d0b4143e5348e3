#include "query/table_view.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "table/definition.h"
#include "table/environment.h"

#include <arrow/type.h>

#include <utility>

namespace marigram::query {

std::int64_t IndexUnits::from_value(const IndexValue& value) const {
  if (kind_ == 1) return std::get<std::int64_t>(value);
  if (kind_ == 2) return static_cast<std::int64_t>(std::get<std::uint64_t>(value)) ^ INT64_MIN;
  const Instant instant = std::get<Instant>(value);
  const auto units = to_units_floor(instant, unit_);
  if (units) return *units;
  return instant.seconds < 0 ? INT64_MIN : INT64_MAX;
}

IndexValue IndexUnits::to_value(std::int64_t units) const {
  if (kind_ == 1) return units;
  if (kind_ == 2) return static_cast<std::uint64_t>(units ^ INT64_MIN);
  return Instant::from_units(units, unit_);
}

Result<TableView> TableView::make(const Snapshot& snapshot, const std::optional<IndexValue>& from,
                                  const std::optional<IndexValue>& to, const std::vector<TagPredicate>& where) {
  MARIGRAM_ASSIGN(model::IndexSpec index, table::require_index(*snapshot.state));
  MARIGRAM_ASSIGN(model::Schema schema, table::require_schema(*snapshot.state));
  MARIGRAM_TRY(table::check_range_and_tags(index, from, to, where));
  MARIGRAM_ASSIGN(auto arrow_schema, segment::to_arrow(schema));
  const IndexUnits units(index.kind, table::time_unit(*snapshot.state).value_or(TimeUnit::kSecond));
  return TableView{snapshot, std::move(index), std::move(schema), std::move(arrow_schema), units};
}

}  // namespace marigram::query
