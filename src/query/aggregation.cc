#include "query/aggregation.h"

#include "base/try.h"
#include "segment/arrow_status.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

Result<int> find_column(const arrow::Schema& schema, const std::string& name) {
  const int position = schema.GetFieldIndex(name);
  if (position >= 0) return position;
  return fail(ErrorCode::kNotFound, fmt::format("cannot aggregate: there is no column `{}`; the rows have {}", name,
                                                fmt::join(schema.field_names(), ", ")));
}

std::unexpected<Error> cannot_aggregate(const std::string& cause) {
  return fail(ErrorCode::kInvalidInput, "cannot aggregate: " + cause);
}

Result<double> units_per_second_of(const arrow::Field& time) {
  if (time.type()->id() == arrow::Type::INT64) return 1;  // steps of an integer index
  if (time.type()->id() != arrow::Type::TIMESTAMP) {
    return cannot_aggregate(fmt::format("column `{}` is no time; got type {}, want timestamp or int64", time.name(),
                                        time.type()->ToString()));
  }
  switch (static_cast<const arrow::TimestampType&>(*time.type()).unit()) {
    case arrow::TimeUnit::SECOND:
      return static_cast<double>(units_per_second(TimeUnit::kSecond));
    case arrow::TimeUnit::MILLI:
      return static_cast<double>(units_per_second(TimeUnit::kMilli));
    case arrow::TimeUnit::MICRO:
      return static_cast<double>(units_per_second(TimeUnit::kMicro));
    case arrow::TimeUnit::NANO:
      break;
  }
  return static_cast<double>(units_per_second(TimeUnit::kNano));
}

Result<std::shared_ptr<arrow::Array>> time_column(const std::shared_ptr<arrow::DataType>& type,
                                                  const std::vector<std::int64_t>& starts) {
  const auto make = [&]() -> arrow::Result<std::shared_ptr<arrow::Array>> {
    arrow::Int64Builder builder;
    ARROW_RETURN_NOT_OK(builder.AppendValues(starts));
    ARROW_ASSIGN_OR_RAISE(const auto column, builder.Finish());
    return column->View(type);
  };
  auto column = make();
  if (column.ok()) return *std::move(column);
  return std::unexpected(segment::from_arrow_status(column.status(), "cannot make a column of buckets", false));
}

}  // namespace

// ---- What is asked ----

Result<Aggregation> Aggregation::make(const arrow::Schema& schema, const AggregationSpec& request, Emission emission) {
  if (request.columns.empty()) return cannot_aggregate("no aggregate is asked for");
  if (request.batch_rows == 0) return cannot_aggregate("batch_rows is 0, want 1 or more");
  Aggregation made;
  made.every_ = request.every;
  MARIGRAM_TRY(made.find_columns(schema, request));
  MARIGRAM_TRY(made.make_columns(schema, request));
  std::vector<std::size_t> first(made.by_.size());
  std::iota(first.begin(), first.end(), std::size_t{0});
  if (emission == Emission::kEarly && made.by_ == first) {
    const bool ascends = first.size() == made.series_.size() && !request.goes_back;
    made.kept_ = ascends ? Until::kBucketEnds : Until::kGroupEnds;
  }
  return made;
}

Status Aggregation::find_columns(const arrow::Schema& schema, const AggregationSpec& request) {
  MARIGRAM_ASSIGN(time_, find_column(schema, request.time));
  MARIGRAM_ASSIGN(units_per_second_, units_per_second_of(*schema.field(time_)));
  for (const std::string& name : request.series) {
    MARIGRAM_ASSIGN(const int tag, find_column(schema, name));
    if (!is_tag_type(*schema.field(tag)->type())) {
      return cannot_aggregate(fmt::format("column `{}` is no tag; got type {}, want string, int32, int64 or uint64",
                                          name, schema.field(tag)->type()->ToString()));
    }
    series_.push_back(tag);
  }
  for (const std::string& name : request.by) {
    const auto tag = std::ranges::find(request.series, name);
    if (tag == request.series.end()) {
      return cannot_aggregate(
          fmt::format("groups are made by tags; got `{}`, want some of: {}", name, fmt::join(request.series, ", ")));
    }
    by_.push_back(static_cast<std::size_t>(tag - request.series.begin()));
  }
  return {};
}

/// -1 of no name.
Result<int> Aggregation::find_field(const arrow::Schema& schema, const std::string& name,
                                    const arrow::DataType*& type) {
  if (name.empty()) return -1;
  MARIGRAM_ASSIGN(const int field, find_column(schema, name));
  type = schema.field(field)->type().get();
  return field;
}

Status Aggregation::make_columns(const arrow::Schema& schema, const AggregationSpec& request) {
  arrow::FieldVector result;
  for (const std::size_t tag : by_) result.push_back(schema.field(series_[tag]));
  if (every_.any()) result.push_back(schema.field(time_)->WithNullable(false));
  for (const AggregateOf& wanted : request.columns) {
    const std::string name = model::name_of(wanted);
    FieldTypes types;
    Fields fields;
    MARIGRAM_ASSIGN(fields.values, find_field(schema, wanted.field, types.values));
    MARIGRAM_ASSIGN(fields.weights, find_field(schema, wanted.weight, types.weights));
    MARIGRAM_ASSIGN(auto column, make_aggregate_column(wanted.aggregate, name, types, units_per_second_));
    result.push_back(arrow::field(name, column->type(), wanted.aggregate.kind != model::AggregateKind::kCount));
    fields_.push_back(fields);
    columns_.push_back(std::move(column));
  }
  std::set<std::string> names;
  for (const auto& field : result) {
    if (!names.insert(field->name()).second) {
      return cannot_aggregate(fmt::format("two columns of the result have the name `{}`", field->name()));
    }
  }
  schema_ = arrow::schema(std::move(result));
  return {};
}

// ---- Rows in ----

Result<FieldRows> Aggregation::rows_of(const arrow::RecordBatch& batch) const {
  const auto& time = batch.column(time_);
  if (time->null_count() > 0) return cannot_aggregate(fmt::format("a row has no `{}`", batch.column_name(time_)));
  FieldRows rows{.times = time->data()->GetValues<std::int64_t>(1)};
  const auto column = [&](int field) { return field < 0 ? nullptr : batch.column(field); };
  for (const Fields& fields : fields_) rows.fields.push_back({column(fields.values), column(fields.weights)});
  return rows;
}

Status Aggregation::begin_series(const RowKey& series) {
  if (series_key_ == series) return {};
  RowKey group(by_.size());
  std::ranges::transform(by_, group.begin(), [&](std::size_t tag) { return series[tag]; });
  series_key_ = series;
  ++series_number_;
  bucket_ = nullptr;
  if (group_ != nullptr && group_->first == group) return {};
  if (kept_ != Until::kEnd) MARIGRAM_TRY(emit_all());
  group_ = &*groups_.try_emplace(std::move(group)).first;
  return {};
}

Status Aggregation::add(const FieldRows& rows, std::int64_t begin, std::int64_t end) {
  while (begin < end) {
    const std::int64_t first = rows.times[begin];
    const TimeBuckets::Bucket bucket = every_.of(first);
    std::int64_t bucket_end = end;
    if (every_.any()) {
      bucket_end = gallop(begin, end, [&](std::int64_t row) { return bucket.holds(rows.times[row]); });
    }
    MARIGRAM_TRY(begin_bucket(bucket.start));
    const RowSlice slice{.times = rows.times, .begin = begin, .end = bucket_end, .series = series_number_};
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i]->add(bucket_->second, rows.fields[i], slice);
    begin = bucket_end;
  }
  return {};
}

Result<bool> Aggregation::add(const RowsSummary& rows) {
  const TimeBuckets::Bucket bucket = every_.of(rows.first_time);
  if (!bucket.holds(rows.last_time)) return false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i]->is_enough(rows, rows.fields[i])) return false;
  }
  MARIGRAM_TRY(begin_bucket(bucket.start));
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i]->add(bucket_->second, rows, rows.fields[i]);
  return true;
}

/// The bucket becomes the one at hand.
Status Aggregation::begin_bucket(std::int64_t start) {
  if (bucket_ != nullptr && bucket_->first == start) return {};
  Buckets& buckets = group_->second;
  if (kept_ == Until::kBucketEnds && !buckets.empty()) {
    MARIGRAM_TRY(emit(*group_));
    buckets.clear();
  }
  bucket_ = &open_bucket(buckets, start);
  return {};
}

/// A group's bucket, made if it is not there.
Aggregation::Bucket& Aggregation::open_bucket(Buckets& buckets, std::int64_t start) {
  const auto [bucket, is_new] = buckets.try_emplace(start, 0);
  if (!is_new) return *bucket;
  if (free_slots_.empty()) free_slots_.push_back(slots_++);
  bucket->second = free_slots_.back();
  free_slots_.pop_back();
  for (const auto& column : columns_) column->clear(bucket->second);
  return *bucket;
}

void Aggregation::merge(Aggregation& later) {
  for (const auto& [key, buckets] : later.groups_) {
    Buckets& mine = groups_[key];
    for (const auto& [start, others] : buckets) {
      const Slot slot = open_bucket(mine, start).second;
      for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i]->merge(slot, *later.columns_[i], others);
    }
  }
}

// ---- Results out ----

Status Aggregation::emit(const Groups::value_type& group) {
  const auto& [key, buckets] = group;
  for (const auto& [start, slot] : buckets) {
    for (const auto& column : columns_) MARIGRAM_TRY(column->emit(slot));
    free_slots_.push_back(slot);
    complete_buckets_.push_back(start);
  }
  if (!complete_groups_.empty() && complete_groups_.back().key == key) {
    complete_groups_.back().rows += static_cast<std::int64_t>(buckets.size());
  } else {
    complete_groups_.push_back({.key = key, .rows = static_cast<std::int64_t>(buckets.size())});
  }
  return {};
}

Status Aggregation::emit_all() {
  for (const auto& group : groups_) MARIGRAM_TRY(emit(group));
  groups_.clear();
  group_ = nullptr;
  bucket_ = nullptr;
  return {};
}

Status Aggregation::finish() {
  return emit_all();
}

Result<std::shared_ptr<arrow::RecordBatch>> Aggregation::take() {
  Arrays result;
  for (std::size_t i = 0; i < by_.size(); ++i) {
    MARIGRAM_ASSIGN(auto column, key_column(complete_groups_, i, *schema_->field(static_cast<int>(i))->type()));
    result.push_back(std::move(column));
  }
  if (every_.any()) {
    const auto& type = schema_->field(static_cast<int>(by_.size()))->type();
    MARIGRAM_ASSIGN(auto column, time_column(type, complete_buckets_));
    result.push_back(std::move(column));
  }
  for (const auto& aggregate : columns_) {
    MARIGRAM_ASSIGN(auto column, aggregate->take());
    result.push_back(std::move(column));
  }
  const auto rows = static_cast<std::int64_t>(complete_buckets_.size());
  complete_groups_.clear();
  complete_buckets_.clear();
  return arrow::RecordBatch::Make(schema_, rows, std::move(result));
}

}  // namespace marigram::query
