#include "db/query.h"

#include "base/civil_date.h"
#include "base/time_buckets.h"
#include "base/try.h"
#include "db/query_at.h"
#include "model/aggregate.h"
#include "model/matcher.h"
#include "query/aggregate_snapshot.h"
#include "query/asof.h"
#include "query/downsample.h"
#include "query/fill.h"
#include "query/latest.h"
#include "query/window_join.h"
#include "segment/arrow_status.h"
#include "table/batch_source.h"
#include "table/definition.h"
#include "table/scan.h"

#include <arrow/record_batch.h>

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

using Names = std::vector<std::string>;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

Names names_of(const head::Fields& fields) {
  Names names;
  names.reserve(fields.size());
  for (const head::FieldSpec& field : fields) names.push_back(field.name);
  return names;
}

/// Those that the aggregate is about, if nobody says: text has no sum.
Names fields_for(const model::Aggregate& aggregate, const head::Fields& fields) {
  using Kind = model::AggregateKind;
  const auto any = {Kind::kCount, Kind::kFirst, Kind::kLast, Kind::kMin, Kind::kMax};
  Names names;
  for (const head::FieldSpec& field : fields) {
    const bool number = field.type != model::FieldType::kString && field.type != model::FieldType::kBool;
    if (number || std::ranges::find(any, aggregate.kind) != any.end()) names.push_back(field.name);
  }
  return names;
}

/// The first rows of a stream.
class FirstRows : public table::BatchSource {
 public:
  FirstRows(std::unique_ptr<table::BatchSource> rows, std::uint64_t most) : rows_(std::move(rows)), left_(most) {}

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    if (left_ == 0) return nullptr;
    MARIGRAM_ASSIGN(auto batch, rows_->next());
    if (!batch) return nullptr;
    if (static_cast<std::uint64_t>(batch->num_rows()) > left_)
      batch = batch->Slice(0, static_cast<std::int64_t>(left_));
    left_ -= static_cast<std::uint64_t>(batch->num_rows());
    return batch;
  }

 private:
  std::unique_ptr<table::BatchSource> rows_;
  std::uint64_t left_;
};

Status check_fields(const table::LiveTable& table, const table::LiveSchema& schema, const Names& fields) {
  std::set<std::string_view> asked;
  for (const std::string& field : fields) {
    if (!asked.insert(field).second) {
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot query {}: field {} is asked for twice", table.name().text(), field));
    }
    if (schema.numbers.contains(field) || std::ranges::find(schema.others, field) != schema.others.end()) continue;
    return fail(ErrorCode::kNotFound,
                fmt::format("cannot query {}: it has no field {}; its fields are {}", table.name().text(), field,
                            fmt::join(names_of(*schema.fields), ", ")));
  }
  return {};
}

/// The time, the tags, and these fields, or all. The table's own order would have tags behind the fields that came
/// before them.
Names columns_of(const table::LiveSchema& schema, const Names& fields) {
  Names columns = {schema.time_column};
  for (const model::Column& tag : schema.tags) columns.push_back(tag.name);
  if (!fields.empty()) {
    columns.insert(columns.end(), fields.begin(), fields.end());
    return columns;
  }
  for (const head::FieldSpec& field : *schema.fields) columns.push_back(field.name);
  columns.insert(columns.end(), schema.others.begin(), schema.others.end());
  return columns;
}

/// A time as the column of the index has it.
std::int64_t to_units(const IndexValue& value, TimeUnit unit) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return static_cast<std::int64_t>(*number);
  const Instant instant = std::get<Instant>(value);
  const auto units = to_units_ceil(instant, unit);
  if (units) return *units;
  return instant.seconds < 0 ? INT64_MIN : INT64_MAX;
}

/// The reverse; `like` is of the same domain.
IndexValue from_units(std::int64_t units, TimeUnit unit, const IndexValue& like) {
  if (std::holds_alternative<std::int64_t>(like)) return units;
  if (std::holds_alternative<std::uint64_t>(like)) return static_cast<std::uint64_t>(units);
  return Instant::from_units(units, unit);
}

/// The range as fills take it; the rows asked for become those that lie before it too, as far as that is asked for.
Status choose_fill(const log::TableState& state, ScanRequest& rows, query::FillSpec& fill) {
  if (fill.options.kind == Fill::kNone) return {};
  if (!fill.every.any()) return fail(ErrorCode::kInvalidInput, "cannot fill intervals: there are none; set `every`");
  if (fill.options.lookback < 0) return fail(ErrorCode::kInvalidInput, "cannot fill intervals: lookback is negative");
  const TimeUnit unit = table::time_unit(state).value_or(TimeUnit::kNano);
  if (rows.from) fill.from = to_units(*rows.from, unit);
  if (rows.to) fill.to = to_units(*rows.to, unit);
  if (!rows.from || fill.options.lookback == 0) return {};
  if (from_units(fill.every.of(*fill.from).start, unit, *rows.from) != *rows.from) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot fill intervals from before {}: no interval begins there; want a range that begins "
                            "with one",
                            format_index_value(*rows.from)));
  }
  const std::int64_t unit_ns = units_per_second(TimeUnit::kNano) / units_per_second(unit);
  const std::int64_t back = fill.options.lookback / unit_ns;
  const std::int64_t least = std::holds_alternative<std::uint64_t>(*rows.from) ? 0 : INT64_MIN;
  const std::int64_t from = *fill.from > least + back ? *fill.from - back : least;
  rows.from = from_units(fill.every.of(from).start, unit, *rows.from);
  return {};
}

/// The aggregates, with intervals filled, at most so many rows.
Result<table::ScanStream> filled_aggregates(const query::Snapshot& snapshot, ScanRequest rows,
                                            query::AggregationSpec spec, const FillOptions& options,
                                            std::uint64_t limit, QueryStatistics* statistics) {
  query::FillSpec fill{.options = options, .by = spec.by.size(), .every = spec.every};
  MARIGRAM_TRY(choose_fill(*snapshot.state, rows, fill));
  MARIGRAM_ASSIGN(table::ScanStream result, query::aggregate_snapshot(snapshot, rows, std::move(spec), statistics));
  result = query::fill(std::move(result), std::move(fill));
  result.rows = std::make_unique<FirstRows>(std::move(result.rows), limit);
  return result;
}

/// Of these rows, once they are known to be asked for in a way that makes sense.
using Choose = std::function<Result<table::ChosenRows>(const ScanRequest&)>;

Result<table::ScanStream> aggregates(table::LiveTable& table, const table::LiveSchema& schema, const ScanRequest& scan,
                                     const Choose& choose, const QueryRequest& request) {
  query::AggregationSpec wanted;
  MARIGRAM_ASSIGN(const model::Aggregate aggregate, model::parse_aggregate(request.aggregate));
  wanted.by = request.by_series ? schema.tag_names() : request.by;
  std::optional<std::int64_t> origin;
  if (request.origin_ns) origin = floor_div(*request.origin_ns, kNanosPerSecond / units_per_second(schema.unit));
  MARIGRAM_ASSIGN(wanted.every,
                  TimeBuckets::make(request.every, request.timezone, origin, units_per_second(schema.unit)));
  const Names fields = request.fields.empty() ? fields_for(aggregate, *schema.fields) : request.fields;
  if (fields.empty()) {
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot aggregate {}: it has no field of numbers, of which there is {}; count has all fields",
                    table.name().text(), request.aggregate));
  }
  for (const std::string& field : fields) {
    wanted.columns.push_back({.aggregate = aggregate, .field = field, .name = field});
  }
  MARIGRAM_ASSIGN(const table::ChosenRows rows, choose(scan));
  return filled_aggregates({table.engine(), rows.view.state, rows.view.newer}, rows.request, std::move(wanted),
                           request.fill, request.limit, request.statistics);
}

Result<arrow::RecordBatchVector> read_probes(arrow::RecordBatchReader& probes) {
  auto batches = probes.ToRecordBatches();
  if (batches.ok()) return *std::move(batches);
  return std::unexpected(segment::from_arrow_status(batches.status(), "cannot read the probes", false));
}

Result<std::vector<model::AggregateOf>> columns_of(const std::vector<FieldAggregate>& asked) {
  std::vector<model::AggregateOf> columns;
  for (const FieldAggregate& one : asked) {
    MARIGRAM_ASSIGN(model::AggregateOf column, model::parse_aggregate_of(one.aggregate));
    column.name = one.name.empty() ? one.aggregate : one.name;
    columns.push_back(std::move(column));
  }
  return columns;
}

}  // namespace

Result<TimeRange> range_of(std::int64_t from_ns, std::int64_t to_ns) {
  TimeRange range;
  if (from_ns > to_ns) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot use the range from {} to {}: it is empty; want from <= to", from_ns, to_ns));
  }
  using Limits = std::numeric_limits<std::int64_t>;
  if (from_ns != Limits::min()) range.from = Instant::from_units(from_ns, TimeUnit::kNano);
  if (to_ns != Limits::max()) range.to = Instant::from_units(to_ns + 1, TimeUnit::kNano);
  return range;
}

Result<table::ScanStream> run_query(table::LiveTable& table, const QueryRequest& request) {
  table::StatePtr state;  // null: the newest, with what is in memory
  if (!is_now(request.at)) {
    MARIGRAM_ASSIGN(state, state_at(table, request.at));
  }
  MARIGRAM_ASSIGN(const auto schema, state ? table::make_live_schema(*state) : table.schema());
  MARIGRAM_TRY(check_fields(table, *schema, request.fields));
  MARIGRAM_ASSIGN(const TimeRange range, range_of(request.from_ns, request.to_ns));
  MARIGRAM_ASSIGN(const std::vector<model::Matcher> where, model::compile_matchers(request.where));
  ScanRequest scan{.from = range.from, .to = range.to, .order = request.order, .cancel = request.cancel};
  const Choose choose = [&](const ScanRequest& wanted) {
    return state ? choose_at(table, state, wanted, where) : table.choose(wanted, where);
  };
  if (!request.aggregate.empty()) return aggregates(table, *schema, scan, choose, request);
  if (!request.by.empty() || request.by_series || request.every != Interval()) {
    return fail(ErrorCode::kInvalidInput, "cannot group rows: groups and intervals are for aggregates; name one");
  }
  scan.limit = request.limit;
  scan.columns = columns_of(*schema, request.fields);
  if (!state) return table.scan(scan, where);
  MARIGRAM_ASSIGN(table::ChosenRows rows, choose(scan));
  return table::scan(table.engine(), std::move(rows.view.state), rows.request, {});
}

Result<table::ScanStream> run_asof(const query::Snapshot& snapshot, arrow::RecordBatchReader& probes,
                                   const AsofRequest& request) {
  MARIGRAM_ASSIGN(const auto batches, read_probes(probes));
  MARIGRAM_ASSIGN(query::AsofResult result, query::asof_join(snapshot, probes.schema(), batches, request));
  return table::ScanStream{.schema = std::move(result.schema), .rows = table::list_source(std::move(result.batches))};
}

Result<table::ScanStream> run_window_join(const query::Snapshot& snapshot, arrow::RecordBatchReader& probes,
                                          const WindowJoinRequest& request) {
  MARIGRAM_ASSIGN(const auto batches, read_probes(probes));
  MARIGRAM_ASSIGN(const auto columns, columns_of(request.columns));
  MARIGRAM_ASSIGN(query::AsofResult result, query::window_join(snapshot, probes.schema(), batches, request, columns));
  return table::ScanStream{.schema = std::move(result.schema), .rows = table::list_source(std::move(result.batches))};
}

/// In units of the table's index.
Result<TimeBuckets> buckets_of(const AggregateRequest& request, const log::TableState& state) {
  const bool is_calendar = request.every != Interval(request.every.fixed) || !request.timezone.empty();
  const std::optional<TimeUnit> unit = table::time_unit(state);
  if (!unit && is_calendar) {
    return fail(ErrorCode::kInvalidInput, "cannot aggregate by a calendar: the index of the table has no unit of time");
  }
  std::optional<std::int64_t> origin;
  if (const auto* instant = request.origin ? std::get_if<Instant>(&*request.origin) : nullptr) {
    MARIGRAM_ASSIGN(origin, to_units_floor(*instant, unit.value_or(TimeUnit::kSecond)));
  } else if (request.origin) {
    return fail(ErrorCode::kInvalidInput,
                "cannot aggregate from " + format_index_value(*request.origin) + ": want a time");
  }
  // Steps of an integer index are to it what nanoseconds are to a table of these.
  return TimeBuckets::make(request.every, request.timezone, origin,
                           unit ? units_per_second(*unit) : units_per_second(TimeUnit::kNano));
}

Result<table::ScanStream> run_aggregate(const query::Snapshot& snapshot, const AggregateRequest& request) {
  query::AggregationSpec spec;
  MARIGRAM_ASSIGN(spec.columns, columns_of(request.columns));
  MARIGRAM_ASSIGN(const model::IndexSpec index, table::require_index(*snapshot.state));
  spec.by = request.by_series ? index.tags : request.by;
  MARIGRAM_ASSIGN(spec.every, buckets_of(request, *snapshot.state));
  const ScanRequest rows{.from = request.from, .to = request.to, .where = request.where, .cancel = request.cancel};
  MARIGRAM_TRY(table::check_range_and_tags(index, rows.from, rows.to, rows.where));
  return filled_aggregates(snapshot, rows, std::move(spec), request.fill, request.limit, request.statistics);
}

Result<table::ScanStream> run_downsample(const query::Snapshot& snapshot, const DownsampleRequest& request) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, table::require_index(*snapshot.state));
  MARIGRAM_ASSIGN(const model::Schema schema, table::require_schema(*snapshot.state));
  const bool is_field = schema.find(request.field) != nullptr && request.field != index.column &&
                        std::ranges::find(index.tags, request.field) == index.tags.end();
  if (!is_field) {
    return fail(ErrorCode::kNotFound, fmt::format("cannot downsample: the table has no field {}", request.field));
  }
  ScanRequest rows{.from = request.from, .to = request.to, .columns = index.tags, .where = request.where};
  rows.columns.push_back(index.column);
  rows.columns.push_back(request.field);
  rows.order = ScanOrder::kSeries;
  rows.cancel = request.cancel;
  MARIGRAM_ASSIGN(auto stream, table::scan(snapshot.engine, snapshot.state, rows,
                                           snapshot.newer ? snapshot.newer(rows) : table::NewerRows()));
  return query::downsample(std::move(stream), request);
}

Result<table::ScanStream> run_latest(const query::Snapshot& snapshot, const LatestRequest& request) {
  MARIGRAM_ASSIGN(query::AsofResult result, query::latest_rows(snapshot, request));
  return table::ScanStream{.schema = std::move(result.schema), .rows = table::list_source(std::move(result.batches))};
}

}  // namespace marigram::db
