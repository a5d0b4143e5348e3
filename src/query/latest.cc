#include "query/latest.h"

#include "base/try.h"
#include "model/series_set.h"
#include "query/asof_rows.h"
#include "query/row_key.h"
#include "query/time_windows.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"
#include "segment/native_arrays.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr const char* kDoing = "cannot find the last rows";

template <typename T>
Result<T> checked(arrow::Result<T> result) {
  if (result.ok()) return *std::move(result);
  return std::unexpected(segment::from_arrow_status(result.status(), kDoing, false));
}

/// What the rows are taken from.
struct Asked {
  const TableView& table;
  const LatestRequest& request;
};

/// Those of rows that no segment has: coverage does not know of them.
Status add_newer_series(const Asked& asked, std::set<SeriesKey>& series) {
  if (!asked.table.snapshot.newer) return {};
  ScanRequest request{.columns = asked.table.index.tags, .cancel = asked.request.cancel};
  request.columns.push_back(asked.table.index.column);
  const TimeWindows windows(asked.table);
  MARIGRAM_ASSIGN(const table::ScanStream stream, windows.newer_rows(request));
  MARIGRAM_ASSIGN(const AsofRows rows, AsofRows::load(*stream.rows, stream.schema, asked.table.index));
  for (const AsofRows::Stretch& own : rows.series()) series.insert(own.key);
  return {};
}

Result<std::set<SeriesKey>> find_series(const Asked& asked) {
  const log::TableState& state = *asked.table.snapshot.state;
  MARIGRAM_ASSIGN(const table::CoveragePtr coverage, asked.table.snapshot.engine.coverage(state));
  const auto& pinned = state.dialect() == Dialect::kV1 ? state.meta->pinned_series : std::nullopt;
  std::set<SeriesKey> series;
  for (const auto& [key, buckets] : *coverage) series.insert(series.end(), pinned.value_or(key));
  MARIGRAM_TRY(add_newer_series(asked, series));
  std::erase_if(series, [&](const SeriesKey& key) {
    return !model::series_matches(key, asked.table.index, asked.request.where);
  });
  return series;
}

/// The time that no row may be beyond; unset: there is none on this side of it.
std::optional<std::int64_t> probe_time(const Asked& asked) {
  using Limits = std::numeric_limits<std::int64_t>;
  const bool last = asked.request.edge == SeriesEdge::kLast;
  if (!asked.request.on) return last ? Limits::max() : Limits::min();
  const std::int64_t below = asked.table.units.from_value(*asked.request.on);
  const IndexValue value = asked.table.units.to_value(below);
  if (last) return value <= *asked.request.on ? std::optional(below) : std::nullopt;
  if (value >= *asked.request.on) return below;
  return below < Limits::max() ? std::optional(below + 1) : std::nullopt;
}

/// A probe for each series.
Result<BatchPtr> make_probes(const Asked& asked, const std::set<SeriesKey>& series) {
  const auto time = probe_time(asked);
  std::vector<KeyRun> runs;
  for (const SeriesKey& key : series) {
    if (!time) break;
    runs.push_back({.key = RowKey(key.begin(), key.end()), .rows = 1});
    for (auto& tag : runs.back().key) {
      if (asked.table.grows() && tag == TagValue("")) tag.reset();
    }
  }
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (std::size_t tag = 0; tag < asked.table.index.tags.size(); ++tag) {
    fields.push_back(asked.table.arrow_schema->GetFieldByName(asked.table.index.tags[tag]));
    MARIGRAM_ASSIGN(auto column, key_column(runs, tag, *fields.back()->type()));
    columns.push_back(std::move(column));
  }
  const auto count = static_cast<std::int64_t>(runs.size());
  fields.push_back(asked.table.arrow_schema->GetFieldByName(asked.table.index.column));
  const bool is_unsigned = fields.back()->type()->id() == arrow::Type::UINT64;
  std::vector<std::int64_t> times(runs.size(), time.value_or(0) ^ (is_unsigned ? INT64_MIN : 0));
  MARIGRAM_ASSIGN(auto column, segment::make_fixed(fields.back()->type(), runs.size(), {},
                                                   arrow::Buffer::FromVector(std::move(times)), kDoing));
  columns.push_back(std::move(column));
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), count, std::move(columns));
}

Status check_columns(const Asked& asked) {
  for (const std::string& column : asked.request.columns) {
    const bool is_tag = std::ranges::find(asked.table.index.tags, column) != asked.table.index.tags.end();
    if (!is_tag && column != asked.table.index.column) continue;
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("{}: column {} is no field; tags and time are there without being asked for", kDoing, column));
  }
  return {};
}

std::string unused_name(const arrow::Schema& schema) {
  std::string name = "matched";
  while (schema.GetFieldIndex(name) >= 0) name += '_';
  return name;
}

/// The join's batch as told above: the last column is the time of the row, that of the probe goes.
Result<BatchPtr> without_probes(const Asked& asked, BatchPtr batch) {
  const int time = static_cast<int>(asked.table.index.tags.size());
  const int matched = batch->num_columns() - 1;
  const auto field = asked.table.arrow_schema->field(asked.table.arrow_schema->GetFieldIndex(asked.table.index.column));
  const auto times = batch->column(matched);
  MARIGRAM_ASSIGN(batch, checked(batch->SetColumn(time, field, times)));
  MARIGRAM_ASSIGN(batch, checked(batch->RemoveColumn(matched)));
  if (times->null_count() == 0) return batch;
  const auto is_met =
      std::make_shared<arrow::BooleanArray>(times->length(), times->null_bitmap(), nullptr, 0, times->offset());
  arrow::compute::ExecContext context(segment::memory_pool());
  MARIGRAM_ASSIGN(const arrow::Datum met,
                  checked(arrow::compute::Filter(batch, is_met, arrow::compute::FilterOptions::Defaults(), &context)));
  return met.record_batch();
}

}  // namespace

Result<AsofResult> latest_rows(const Snapshot& snapshot, const LatestRequest& request) {
  MARIGRAM_ASSIGN(const TableView table, TableView::make(snapshot, request.on, {}, request.where));
  const Asked asked{table, request};
  MARIGRAM_TRY(check_columns(asked));
  MARIGRAM_ASSIGN(const std::set<SeriesKey> series, find_series(asked));
  MARIGRAM_ASSIGN(const BatchPtr probes, make_probes(asked, series));
  const AsofRequest join{
      .direction = request.edge == SeriesEdge::kLast ? AsofDirection::kBackward : AsofDirection::kForward,
      .columns = request.columns,
      .ignore_nulls = request.ignore_nulls,
      .matched_time = unused_name(*table.arrow_schema),
      .cancel = request.cancel,
      .statistics = request.statistics};
  MARIGRAM_ASSIGN(AsofResult result, asof_join(snapshot, probes->schema(), {probes}, join));
  MARIGRAM_ASSIGN(BatchPtr batch, without_probes(asked, result.batches.front()));
  result.schema = batch->schema();
  result.batches = {std::move(batch)};
  return result;
}

}  // namespace marigram::query
