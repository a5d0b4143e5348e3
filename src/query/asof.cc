#include "query/asof.h"

#include "base/try.h"
#include "query/asof_side.h"
#include "query/probe_result.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace marigram::query {
namespace {

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

/// What the join puts behind the columns of the probes.
arrow::FieldVector added_fields(const arrow::Schema& probes, const arrow::FieldVector& columns,
                                const AsofRequest& request, const std::shared_ptr<arrow::DataType>& time) {
  arrow::FieldVector fields;
  for (const auto& column : columns) {
    const bool is_taken = probes.GetFieldIndex(column->name()) >= 0;
    fields.push_back(column->WithName(column->name() + (is_taken ? request.suffix : ""))->WithNullable(true));
  }
  if (!request.matched_time.empty()) fields.push_back(arrow::field(request.matched_time, time));
  return fields;
}

/// One lane for all columns, and one for each that ignores its nulls.
Result<std::vector<AsofLane>> make_lanes(const arrow::FieldVector& columns, const AsofRequest& request,
                                         const ProbeSet& probes) {
  const auto ignores = [&](const auto& column) {
    return std::ranges::find(request.ignore_nulls, column->name()) != request.ignore_nulls.end();
  };
  arrow::FieldVector plain;
  std::ranges::copy_if(columns, std::back_inserter(plain), [&](const auto& column) { return !ignores(column); });
  std::vector<AsofLane> lanes;
  const auto add = [&](const arrow::FieldVector& own, const std::string& valid) -> Status {
    MARIGRAM_ASSIGN(AsofLane lane, AsofLane::make(own, valid, probes.count()));
    lane.miss(probes.without_time());
    lanes.push_back(std::move(lane));
    return {};
  };
  MARIGRAM_TRY(add(plain, ""));
  for (const auto& column : columns) {
    if (ignores(column)) MARIGRAM_TRY(add({column}, column->name()));
  }
  return lanes;
}

Status search(const AsofPlan& plan, std::vector<AsofLane>& lanes, AsofStatistics& statistics) {
  const AsofDirection direction = plan.request.direction;
  if (direction != AsofDirection::kForward) MARIGRAM_TRY(AsofSearch(plan, AsofSide::kBefore, lanes, statistics).run());
  if (direction != AsofDirection::kBackward) MARIGRAM_TRY(AsofSearch(plan, AsofSide::kAfter, lanes, statistics).run());
  return {};
}

/// The columns of the table for each probe, as make_lanes() dealt them, then the matched time.
Result<arrow::ArrayVector> finish(const AsofPlan& plan, std::vector<AsofLane>& lanes, const arrow::FieldVector& columns,
                                  const std::shared_ptr<arrow::DataType>& time) {
  std::vector<arrow::ArrayVector> finished;
  for (AsofLane& lane : lanes) {
    MARIGRAM_ASSIGN(arrow::ArrayVector arrays, lane.finish_columns());
    finished.push_back(std::move(arrays));
  }
  arrow::ArrayVector ordered;
  std::size_t plain = 0;
  std::size_t ignoring = 1;
  for (const auto& column : columns) {
    const bool ignores = ignoring < lanes.size() && lanes[ignoring].valid() == column->name();
    ordered.push_back(ignores ? finished[ignoring++].front() : finished.front()[plain++]);
  }
  if (plan.request.matched_time.empty()) return ordered;
  MARIGRAM_ASSIGN(auto times, lanes.front().finish_times(time, plan.table.is_unsigned() ? INT64_MIN : 0));
  ordered.push_back(std::move(times));
  return ordered;
}

}  // namespace

Result<AsofResult> asof_join(const Snapshot& snapshot, const std::shared_ptr<arrow::Schema>& schema,
                             const std::vector<std::shared_ptr<arrow::RecordBatch>>& probes,
                             const AsofRequest& request) {
  MARIGRAM_ASSIGN(const TableView table, TableView::make(snapshot, {}, {}, request.where));
  MARIGRAM_ASSIGN(const std::vector<std::string> wanted, wanted_columns(request, table.schema, table.index));
  arrow::FieldVector columns;
  for (const std::string& name : wanted) columns.push_back(table.arrow_schema->GetFieldByName(name));
  const auto time = table.arrow_schema->GetFieldByName(table.index.column)->type();
  AsofResult result;
  MARIGRAM_ASSIGN(result.schema, result_schema(*schema, added_fields(*schema, columns, request, time), kDoing,
                                               "give those of the table a suffix, ask for others, or give the matched "
                                               "time another name"));
  MARIGRAM_ASSIGN(const ProbeSet set, ProbeSet::make(schema, probes, table));
  const TimeWindows windows(table);
  const ProbeClock clock(set.unit(), table.units.unit());
  const NativeSegments segments(windows, table, wanted);
  AsofPlan plan{request, table, windows, segments, clock, set, {}};
  plan.columns = table.index.tags;
  plan.columns.push_back(table.index.column);
  for (const std::string& name : wanted) {
    if (std::ranges::find(plan.columns, name) == plan.columns.end()) plan.columns.push_back(name);
  }
  if (request.tolerance) {
    plan.tolerance = table.has_times() ? clock.from_nanoseconds(*request.tolerance) : *request.tolerance;
  }
  MARIGRAM_TRY(scan_newer(plan));
  MARIGRAM_ASSIGN(std::vector<AsofLane> lanes, make_lanes(columns, request, set));
  result.statistics.windows = windows.size();
  MARIGRAM_TRY(search(plan, lanes, result.statistics));
  if (request.statistics != nullptr) *request.statistics = result.statistics;
  MARIGRAM_ASSIGN(const arrow::ArrayVector gathered, finish(plan, lanes, columns, time));
  result.batches = with_columns(result.schema, probes, gathered);
  return result;
}

}  // namespace marigram::query
