#include "query/window_join.h"

#include "base/parallel.h"
#include "base/try.h"
#include "model/series_set.h"
#include "query/aggregate_column.h"
#include "query/asof_rows.h"
#include "query/asof_times.h"
#include "query/probe_result.h"
#include "query/probe_set.h"
#include "query/range_aggregates.h"
#include "query/time_windows.h"
#include "segment/row_range.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace marigram::query {
namespace {

constexpr const char* kDoing = "cannot join windows";
constexpr std::size_t kProbesOfPart = 4'096;
constexpr std::size_t kTimesCovered = 8;  // rows: from there on it is quicker to aggregate blocks of them first

/// Of all probes, in the order of ProbeSet::times(): the first time in each one's window, and the last; ascending
/// within a series.
struct Bounds {
  std::vector<std::int64_t> first = {};
  std::vector<std::int64_t> last = {};
  std::vector<std::uint8_t> is_any = {};  // 0: no time is in the window
};

/// Windows of probes of one series that may hold rows of one window of the table.
struct Work {
  const SeriesKey* series = nullptr;
  std::size_t begin = 0;  // of ProbeSet::times()
  std::size_t end = 0;
};

class WindowJoin {
 public:
  WindowJoin(const TableView& table, const WindowJoinRequest& request, const std::vector<AggregateOf>& asked)
      : table_(table), request_(request), asked_(asked), windows_(table) {}

  Status make_columns();
  Status run(const ProbeSet& probes);
  /// The aggregates, one a probe.
  Result<arrow::ArrayVector> finish(std::size_t probes);
  arrow::FieldVector fields() const;

 private:
  Bounds bounds_of(const ProbeSet& probes) const;
  std::vector<Work> works_of(const ProbeSet& probes, const Bounds& bounds, std::size_t window) const;
  Status add_window(const ProbeSet& probes, const Bounds& bounds, std::size_t window, const std::vector<Work>& works);
  Result<std::unique_ptr<AggregateColumn>> make_column(std::size_t number) const;
  std::vector<segment::RowRange> ranges_of(const Bounds& bounds, const AsofRows& rows, const Work& work) const;

  const TableView& table_;
  const WindowJoinRequest& request_;
  const std::vector<AggregateOf>& asked_;
  TimeWindows windows_;
  std::vector<std::string> read_ = {};  // columns
  std::vector<std::unique_ptr<AggregateColumn>> columns_ = {};
};

Status WindowJoin::make_columns() {
  if (asked_.empty()) {
    return fail(ErrorCode::kInvalidInput, fmt::format("{}: no aggregate is asked for", kDoing));
  }
  read_ = table_.index.tags;
  read_.push_back(table_.index.column);
  for (const AggregateOf& asked : asked_) {
    for (const std::string& field : {asked.field, asked.weight}) {
      if (field.empty() || std::ranges::find(read_, field) != read_.end()) continue;
      if (!table_.arrow_schema->GetFieldByName(field)) {
        return fail(ErrorCode::kNotFound, fmt::format("{}: the table has no column {}", kDoing, field));
      }
      read_.push_back(field);
    }
  }
  for (std::size_t number = 0; number < asked_.size(); ++number) {
    MARIGRAM_ASSIGN(auto column, make_column(number));
    columns_.push_back(std::move(column));
  }
  return {};
}

Result<std::unique_ptr<AggregateColumn>> WindowJoin::make_column(std::size_t number) const {
  const AggregateOf& asked = asked_[number];
  const auto type_of = [this](const std::string& field) -> const arrow::DataType* {
    return field.empty() ? nullptr : table_.arrow_schema->GetFieldByName(field)->type().get();
  };
  const auto per_second = table_.has_times() ? static_cast<double>(units_per_second(table_.units.unit())) : 1.0;
  return make_aggregate_column(asked.aggregate, model::name_of(asked),
                               {.values = type_of(asked.field), .weights = type_of(asked.weight)}, per_second);
}

arrow::FieldVector WindowJoin::fields() const {
  arrow::FieldVector fields;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const bool nullable = asked_[i].aggregate.kind != model::AggregateKind::kCount;
    fields.push_back(arrow::field(model::name_of(asked_[i]), columns_[i]->type(), nullable));
  }
  return fields;
}

Bounds WindowJoin::bounds_of(const ProbeSet& probes) const {
  const ProbeClock clock(probes.unit(), table_.units.unit());
  const bool is_time = table_.has_times();
  const auto before = is_time ? clock.from_nanoseconds(request_.before) : Distance{request_.before};
  const auto after = is_time ? clock.from_nanoseconds(request_.after) : Distance{request_.after};
  Bounds bounds;
  for (const std::int64_t time : probes.times()) {
    const auto first = clock.bound_from(time, before);
    const auto last = clock.bound_to(time, after);
    bounds.first.push_back(first.value_or(INT64_MAX));
    bounds.last.push_back(last.value_or(INT64_MIN));
    bounds.is_any.push_back(first && last && *first <= *last ? 1 : 0);
  }
  return bounds;
}

std::vector<Work> WindowJoin::works_of(const ProbeSet& probes, const Bounds& bounds, std::size_t window) const {
  const std::int64_t begin = windows_.begin(window);
  const auto end = windows_.end(window);
  std::vector<Work> works;
  for (const auto& [key, stretch] : probes.series()) {
    if (!model::series_matches(key, table_.index, request_.where)) continue;
    const auto part = [&](const std::vector<std::int64_t>& all) {
      return std::span(all).subspan(stretch.begin, stretch.size());
    };
    const auto first = part(bounds.first);
    const auto last = part(bounds.last);
    Work work{.series = &key};
    work.begin = stretch.begin + static_cast<std::size_t>(std::ranges::lower_bound(last, begin) - last.begin());
    work.end = stretch.end;
    if (end) work.end = stretch.begin + static_cast<std::size_t>(std::ranges::lower_bound(first, *end) - first.begin());
    while (work.begin < work.end && bounds.is_any[work.begin] == 0) ++work.begin;
    while (work.begin < work.end && bounds.is_any[work.end - 1] == 0) --work.end;
    if (work.begin < work.end) works.push_back(work);
  }
  return works;
}

Status WindowJoin::run(const ProbeSet& probes) {
  for (const auto& column : columns_) {
    for (std::size_t slot = 0; slot < probes.count(); ++slot) column->clear(static_cast<Slot>(slot));
  }
  const Bounds bounds = bounds_of(probes);
  for (std::size_t window = 0; window < windows_.size(); ++window) {
    const std::vector<Work> works = works_of(probes, bounds, window);
    if (works.empty()) continue;
    MARIGRAM_TRY(add_window(probes, bounds, window, works));
  }
  return {};
}

Status WindowJoin::add_window(const ProbeSet& probes, const Bounds& bounds, std::size_t window,
                              const std::vector<Work>& works) {
  std::vector<const SeriesKey*> series;
  std::int64_t first = INT64_MAX;
  std::int64_t last = INT64_MIN;
  for (const Work& work : works) {
    series.push_back(work.series);
    first = std::min(first, bounds.first[work.begin]);
    last = std::max(last, bounds.last[work.end - 1]);
  }
  ScanRequest request{.columns = read_, .where = request_.where, .cancel = request_.cancel};
  request.from = table_.units.to_value(first);
  if (last < INT64_MAX) request.to = table_.units.to_value(last + 1);
  MARIGRAM_ASSIGN(const table::ScanStream stream,
                  windows_.rows(window, window, rows_of_series(std::move(request), series, table_.index)));
  MARIGRAM_ASSIGN(const AsofRows rows, AsofRows::load(*stream.rows, stream.schema, table_.index));
  std::vector<FieldValues> values;
  for (const AggregateOf& asked : asked_) {
    MARIGRAM_ASSIGN(auto field, rows.column(asked.field));
    MARIGRAM_ASSIGN(auto weight, rows.column(asked.weight));
    values.push_back({std::move(field), std::move(weight)});
  }
  std::vector<Work> parts;
  for (const Work& work : works) {
    for (std::size_t begin = work.begin; begin < work.end; begin += kProbesOfPart) {
      parts.push_back({work.series, begin, std::min(begin + kProbesOfPart, work.end)});
    }
  }
  std::vector<std::vector<segment::RowRange>> ranges(parts.size());
  MARIGRAM_TRY(for_each_part(table_.pool(), parts.size(), [&](std::size_t i) -> Status {
    ranges[i] = ranges_of(bounds, rows, parts[i]);
    return {};
  }));
  RangeAggregates aggregates(columns_, values, rows.times());
  std::size_t covered = 0;
  for (const auto& own : ranges) {
    for (const segment::RowRange& range : own) covered += static_cast<std::size_t>(range.rows());
  }
  if (covered / kTimesCovered > rows.times().size()) {
    const auto make = [this](std::size_t number) { return make_column(number); };
    MARIGRAM_TRY(aggregates.build(asked_, make, table_.pool()));
  }
  return for_each_part(table_.pool(), parts.size(), [&](std::size_t i) -> Status {
    if (request_.cancel.cancelled()) return fail(ErrorCode::kCancelled, "window join cancelled");
    for (std::size_t k = 0; k < ranges[i].size(); ++k) {
      aggregates.add(probes.positions()[parts[i].begin + k], ranges[i][k].begin, ranges[i][k].end);
    }
    return {};
  });
}

/// Of each probe the rows in its window; none: an empty range. Both ends of windows ascend with the probes.
std::vector<segment::RowRange> WindowJoin::ranges_of(const Bounds& bounds, const AsofRows& rows,
                                                     const Work& work) const {
  const AsofRows::Stretch* const own = rows.find(*work.series);
  if (own == nullptr) return {};
  const auto count_of = static_cast<std::size_t>(own->end - own->begin);
  const auto times = rows.times().subspan(static_cast<std::size_t>(own->begin), count_of);
  const std::size_t count = work.end - work.begin;
  std::vector<AsofRow> firsts(count);
  std::vector<AsofRow> lasts(count);
  find_rows(AsofSide::kAfter, times, own->begin, std::span(bounds.first).subspan(work.begin, count), firsts);
  find_rows(AsofSide::kBefore, times, own->begin, std::span(bounds.last).subspan(work.begin, count), lasts);
  std::vector<segment::RowRange> ranges(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (bounds.is_any[work.begin + i] == 0 || !firsts[i].is_there() || !lasts[i].is_there()) continue;
    if (lasts[i].row < firsts[i].row) continue;  // the window lies between two rows
    ranges[i] = {firsts[i].row, lasts[i].row + 1};
  }
  return ranges;
}

Result<arrow::ArrayVector> WindowJoin::finish(std::size_t probes) {
  arrow::ArrayVector arrays(columns_.size());
  const Status finished = for_each_part(table_.pool(), columns_.size(), [&](std::size_t i) -> Status {
    for (std::size_t slot = 0; slot < probes; ++slot) MARIGRAM_TRY(columns_[i]->emit(static_cast<Slot>(slot)));
    MARIGRAM_ASSIGN(arrays[i], columns_[i]->take());
    return {};
  });
  if (!finished) return std::unexpected(finished.error());
  return arrays;
}

}  // namespace

Result<AsofResult> window_join(const Snapshot& snapshot, const std::shared_ptr<arrow::Schema>& schema,
                               const std::vector<std::shared_ptr<arrow::RecordBatch>>& probes,
                               const WindowJoinRequest& request, const std::vector<AggregateOf>& columns) {
  MARIGRAM_ASSIGN(const TableView table, TableView::make(snapshot, {}, {}, request.where));
  WindowJoin join(table, request, columns);
  MARIGRAM_TRY(join.make_columns());
  AsofResult result;
  MARIGRAM_ASSIGN(result.schema, result_schema(*schema, join.fields(), kDoing, "give the aggregate another name"));
  MARIGRAM_ASSIGN(const ProbeSet set, ProbeSet::make(schema, probes, table));
  MARIGRAM_TRY(join.run(set));
  MARIGRAM_ASSIGN(const arrow::ArrayVector aggregates, join.finish(set.count()));
  result.batches = with_columns(result.schema, probes, aggregates);
  return result;
}

}  // namespace marigram::query
