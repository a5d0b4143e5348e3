#include "query/asof.h"

#include "base/try.h"
#include "query/asof_side.h"
#include "segment/arrow_schema.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"
#include "table/definition.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

namespace marigram::query {
namespace {

using Matches = std::vector<std::vector<AsofMatch>>;  // [lane][of ProbeSet::times()]

constexpr const char* kDoing = "cannot join";

/// The columns of the result that are the table's.
Result<std::vector<std::string>> wanted_columns(const AsofRequest& request, const model::Schema& schema,
                                                const model::IndexSpec& index) {
  std::vector<std::string> columns = request.columns;
  if (columns.empty()) {
    for (const model::Column& column : schema.columns) {
      const bool is_tag = std::ranges::find(index.tags, column.name) != index.tags.end();
      if (!is_tag && column.name != index.column) columns.push_back(column.name);
    }
  }
  for (const std::string& column : columns) {
    if (schema.find(column) != nullptr) continue;
    return fail(ErrorCode::kNotFound, fmt::format("{}: the table has no column {}", kDoing, column));
  }
  for (const std::string& column : request.ignore_nulls) {
    if (std::ranges::find(columns, column) != columns.end()) continue;
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("{}: nulls of column {} are to be ignored, but the column is not asked for", kDoing, column));
  }
  return columns;
}

Result<std::shared_ptr<arrow::Schema>> result_schema(const arrow::Schema& probes, const arrow::FieldVector& columns,
                                                     const AsofRequest& request,
                                                     const std::shared_ptr<arrow::DataType>& time) {
  arrow::FieldVector fields = probes.fields();
  for (const auto& column : columns) {
    const bool is_taken = probes.GetFieldIndex(column->name()) >= 0;
    fields.push_back(column->WithName(column->name() + (is_taken ? request.suffix : ""))->WithNullable(true));
  }
  if (!request.matched_time.empty()) fields.push_back(arrow::field(request.matched_time, time));
  std::set<std::string> names;
  for (const auto& field : fields) {
    if (names.insert(field->name()).second) continue;
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("{}: the result would have two columns {}; give those of the table a suffix, ask for others, or "
                    "give the matched time another name",
                    kDoing, field->name()));
  }
  return arrow::schema(std::move(fields));
}

/// One lane for all columns, and one for each that ignores its nulls.
std::vector<AsofLane> make_lanes(const arrow::FieldVector& columns, const std::vector<std::string>& ignore_nulls) {
  std::vector<AsofLane> lanes;
  const auto ignores = [&](const auto& column) {
    return std::ranges::find(ignore_nulls, column->name()) != ignore_nulls.end();
  };
  arrow::FieldVector plain;
  std::ranges::copy_if(columns, std::back_inserter(plain), [&](const auto& column) { return !ignores(column); });
  lanes.emplace_back(std::move(plain), "");
  for (const auto& column : columns) {
    if (ignores(column)) lanes.emplace_back(arrow::FieldVector{column}, column->name());
  }
  return lanes;
}

/// Matches that are too far away are none.
void drop_far(const AsofPlan& plan, Matches& matches) {
  if (!plan.tolerance) return;
  for (auto& lane : matches) {
    for (std::size_t i = 0; i < lane.size(); ++i) {
      if (lane[i].is_there() && plan.clock.distance(plan.probes.times()[i], lane[i].time) > *plan.tolerance)
        lane[i] = {};
    }
  }
}

/// The nearer of the two; the earlier, if both are as far.
void take_nearer(const AsofPlan& plan, Matches& matches, const Matches& later) {
  for (std::size_t lane = 0; lane < matches.size(); ++lane) {
    for (std::size_t i = 0; i < matches[lane].size(); ++i) {
      const AsofMatch& other = later[lane][i];
      AsofMatch& own = matches[lane][i];
      if (!other.is_there()) continue;
      const std::int64_t probe = plan.probes.times()[i];
      if (!own.is_there() || plan.clock.distance(probe, other.time) < plan.clock.distance(probe, own.time)) own = other;
    }
  }
}

Result<Matches> search(const AsofPlan& plan, std::vector<AsofLane>& lanes, AsofStatistics& statistics) {
  const AsofDirection direction = plan.request.direction;
  const AsofSide first = direction == AsofDirection::kForward ? AsofSide::kAfter : AsofSide::kBefore;
  MARIGRAM_ASSIGN(Matches matches, AsofSearch(plan, first, lanes, statistics).run());
  if (direction == AsofDirection::kNearest) {
    MARIGRAM_ASSIGN(const Matches later, AsofSearch(plan, AsofSide::kAfter, lanes, statistics).run());
    take_nearer(plan, matches, later);
  }
  drop_far(plan, matches);
  return matches;
}

/// In the order in which probes came.
std::vector<AsofMatch> in_probe_order(const ProbeSet& probes, const std::vector<AsofMatch>& matches) {
  std::vector<AsofMatch> ordered(probes.count());
  for (std::size_t i = 0; i < matches.size(); ++i) ordered[probes.positions()[i]] = matches[i];
  return ordered;
}

Result<std::shared_ptr<arrow::Array>> time_array(const std::vector<AsofMatch>& matches, std::int64_t flip,
                                                 const std::shared_ptr<arrow::DataType>& type) {
  const auto count = static_cast<std::int64_t>(matches.size());
  auto valid = arrow::AllocateEmptyBitmap(count, segment::memory_pool());
  if (!valid.ok()) return std::unexpected(segment::from_arrow_status(valid.status(), kDoing, false));
  std::vector<std::int64_t> values(matches.size());
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (!matches[i].is_there()) continue;
    arrow::bit_util::SetBit((*valid)->mutable_data(), static_cast<std::int64_t>(i));
    values[i] = matches[i].time ^ flip;
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, count, {*std::move(valid), arrow::Buffer::FromVector(std::move(values))}));
}

/// The columns of the table for each probe, then the matched time.
Result<arrow::ArrayVector> gather(const AsofPlan& plan, const std::vector<AsofLane>& lanes, const Matches& matches,
                                  const arrow::FieldVector& columns, const std::shared_ptr<arrow::DataType>& time) {
  arrow::ArrayVector gathered(columns.size());
  for (std::size_t lane = 0; lane < lanes.size(); ++lane) {
    const std::vector<AsofMatch> ordered = in_probe_order(plan.probes, matches[lane]);
    MARIGRAM_ASSIGN(const arrow::ArrayVector taken, lanes[lane].take(ordered));
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const auto at = std::ranges::find(columns, lanes[lane].columns()[i]) - columns.begin();
      gathered[static_cast<std::size_t>(at)] = taken[i];
    }
    if (lane > 0 || plan.request.matched_time.empty()) continue;
    const bool is_unsigned = std::holds_alternative<model::UInt64Index>(plan.index.kind);
    MARIGRAM_ASSIGN(auto times, time_array(ordered, is_unsigned ? INT64_MIN : 0, time));
    gathered.push_back(std::move(times));
  }
  return gathered;
}

}  // namespace

Result<AsofResult> asof_join(const AsofSnapshot& snapshot, const std::shared_ptr<arrow::Schema>& schema,
                             const std::vector<std::shared_ptr<arrow::RecordBatch>>& probes,
                             const AsofRequest& request) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, table::require_index(*snapshot.state));
  MARIGRAM_ASSIGN(const model::Schema table, table::require_schema(*snapshot.state));
  MARIGRAM_TRY(table::check_range_and_tags(index, {}, {}, request.where));
  MARIGRAM_ASSIGN(const std::vector<std::string> wanted, wanted_columns(request, table, index));
  MARIGRAM_ASSIGN(const auto arrow_schema, segment::to_arrow(table));
  arrow::FieldVector columns;
  for (const std::string& name : wanted) columns.push_back(arrow_schema->GetFieldByName(name));
  const auto time = arrow_schema->GetFieldByName(index.column)->type();
  AsofResult result;
  MARIGRAM_ASSIGN(result.schema, result_schema(*schema, columns, request, time));
  MARIGRAM_ASSIGN(const ProbeSet set, ProbeSet::make(schema, probes, index, table, snapshot.state->meta->grows()));
  const TimeUnit unit = table::time_unit(*snapshot.state).value_or(TimeUnit::kSecond);
  const IndexUnits units(index.kind, unit);
  const AsofWindows windows(snapshot, units);
  const ProbeClock clock(set.unit(), unit);
  AsofPlan plan{request, snapshot, windows, units, clock, set, index, {}};
  plan.columns = index.tags;
  plan.columns.push_back(index.column);
  for (const std::string& name : wanted) {
    if (std::ranges::find(plan.columns, name) == plan.columns.end()) plan.columns.push_back(name);
  }
  if (request.tolerance) {
    const bool is_time = std::holds_alternative<model::TimestampIndex>(index.kind);
    plan.tolerance = is_time ? clock.from_nanoseconds(*request.tolerance) : *request.tolerance;
  }
  std::vector<AsofLane> lanes = make_lanes(columns, request.ignore_nulls);
  result.statistics.windows = windows.size();
  MARIGRAM_ASSIGN(const Matches matches, search(plan, lanes, result.statistics));
  MARIGRAM_ASSIGN(const arrow::ArrayVector gathered, gather(plan, lanes, matches, columns, time));
  std::int64_t at = 0;
  for (const auto& batch : probes) {
    arrow::ArrayVector arrays = batch->columns();
    for (const auto& column : gathered) arrays.push_back(column->Slice(at, batch->num_rows()));
    at += batch->num_rows();
    result.batches.push_back(arrow::RecordBatch::Make(result.schema, batch->num_rows(), std::move(arrays)));
  }
  return result;
}

}  // namespace marigram::query
