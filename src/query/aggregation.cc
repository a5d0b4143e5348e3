#include "query/aggregation.h"

#include "base/processors.h"
#include "base/try.h"
#include "segment/arrow_status.h"

#include <marigram/error.h>
#include <marigram/time.h>

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
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

/// The one difference of neighbours among at least two times; 0 if there are others.
MARIGRAM_LOOP std::uint64_t even_step(const std::int64_t* times, std::size_t count) {
  const auto difference = [times](std::size_t i) {
    return static_cast<std::uint64_t>(times[i]) - static_cast<std::uint64_t>(times[i - 1]);
  };
  const std::uint64_t step = difference(1);
  std::uint64_t unlike = 0;
  for (std::size_t i = 2; i < count; ++i) unlike |= difference(i) ^ step;
  return unlike == 0 ? step : 0;
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
  bucket_ = {};
  if (group_ != nullptr && group_->first == group) return {};
  if (kept_ != Until::kEnd) MARIGRAM_TRY(emit_all());
  group_ = &*groups_.try_emplace(std::move(group)).first;
  return {};
}

Status Aggregation::add(const FieldRows& rows, std::int64_t begin, std::int64_t end) {
  const std::int64_t regular = rows_a_bucket(rows, begin, end);
  while (begin < end) {
    const std::int64_t runs_end = find_runs(rows, begin, end, regular);
    const RowSlice slice{.times = rows.times, .begin = begin, .end = runs_end, .series = series_number_};
    for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i]->add(runs_, rows.fields[i], slice);
    MARIGRAM_TRY(emit_past());
    begin = runs_end;
  }
  return {};
}

/// How many rows each bucket has but for the first and the last, if rows are a step apart that divides its width; 0:
/// that differs, or is not worth knowing.
std::int64_t Aggregation::rows_a_bucket(const FieldRows& rows, std::int64_t begin, std::int64_t end) const {
  constexpr std::int64_t kManyRows = 64;
  const std::uint64_t width = every_.fixed_width();
  if (width == 0 || run_rows_ > kManyRows || end - begin < 3 || rows.times[end - 1] < rows.times[begin]) return 0;
  const std::uint64_t step = compiled<even_step>(rows.times + begin, static_cast<std::size_t>(end - begin));
  return step > 0 && width % step == 0 ? static_cast<std::int64_t>(width / step) : 0;
}

/// Runs of rows by bucket, not too many; where the last ends.
std::int64_t Aggregation::find_runs(const FieldRows& rows, std::int64_t begin, std::int64_t end,
                                    std::int64_t rows_a_bucket) {
  constexpr std::size_t kRunsMax = 1'024;
  runs_.clear();
  while (begin < end && runs_.size() < kRunsMax) {
    const TimeBuckets::Bucket bucket = every_.of(rows.times[begin]);
    const auto holds = [&](std::int64_t row) { return bucket.holds(rows.times[row]); };
    std::int64_t bucket_end = end;
    if (every_.any()) {  // mostly a bucket has as many as the one before
      bucket_end = begin + run_rows_;
      const bool as_before = bucket_end <= end && holds(bucket_end - 1) && (bucket_end == end || !holds(bucket_end));
      if (!as_before) bucket_end = gallop(begin, end, holds);
      run_rows_ = bucket_end - begin;
    }
    runs_.push_back({.slot = slot_of(bucket.start), .end = bucket_end});
    begin = bucket_end;
    if (rows_a_bucket == 0) continue;
    for (std::uint64_t next = bucket.begin + bucket.width; end - begin >= rows_a_bucket && runs_.size() < kRunsMax;
         next += bucket.width) {
      begin += rows_a_bucket;
      runs_.push_back({.slot = slot_behind(static_cast<std::int64_t>(next)), .end = begin});
    }
  }
  return begin;
}

Result<bool> Aggregation::add(const RowsSummary& rows) {
  const TimeBuckets::Bucket bucket = every_.of(rows.first_time);
  if (!bucket.holds(rows.last_time)) return false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!columns_[i]->is_enough(rows, rows.fields[i])) return false;
  }
  const Slot slot = slot_of(bucket.start);
  for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i]->add(slot, rows, rows.fields[i]);
  MARIGRAM_TRY(emit_past());
  return true;
}

/// Of the group's bucket, made if it is not there; it becomes the one at hand.
Slot Aggregation::slot_of(std::int64_t start) {
  if (kept_ != Until::kBucketEnds) return slot_of(group_->second, start);
  if (starts_.empty() || starts_.back() != start) {
    starts_.push_back(start);
    open_.push_back(new_slot());
  }
  return open_.back();
}

/// The same of a bucket that is mostly known to be the one behind that at hand, and of the next slot: which is
/// compared, not followed, so that processors need not wait for one bucket to find the next.
inline Slot Aggregation::slot_behind(std::int64_t start) {
  if (kept_ == Until::kBucketEnds || bucket_.slot == kNoSlot) return slot_of(start);
  const Follower& next = next_[bucket_.slot];
  if (next.start != start || next.slot != bucket_.slot + 1) return slot_of(start);
  bucket_.start = start;
  return ++bucket_.slot;
}

/// Mostly of the one at hand, or of that behind it.
Slot Aggregation::slot_of(Buckets& buckets, std::int64_t start) {
  const bool has_one = bucket_.slot != kNoSlot;
  if (has_one && bucket_.start == start) return bucket_.slot;
  if (has_one && next_[bucket_.slot].slot != kNoSlot && next_[bucket_.slot].start == start) {
    bucket_ = next_[bucket_.slot];
    return bucket_.slot;
  }
  const auto found = buckets.lower_bound(start);
  const bool is_there = found != buckets.end() && found->first == start;
  bucket_ = {.start = start, .slot = is_there ? found->second : insert(buckets, found, start)};
  return bucket_.slot;
}

Slot Aggregation::insert(Buckets& buckets, Buckets::iterator before, std::int64_t start) {
  const Slot slot = new_slot();
  const auto inserted = buckets.emplace_hint(before, start, slot);
  if (next_.size() <= slot) next_.resize(slot + std::size_t{1});
  next_[slot] = before == buckets.end() ? Follower() : Follower{before->first, before->second};
  if (inserted != buckets.begin()) next_[std::prev(inserted)->second] = {start, slot};
  return slot;
}

Slot Aggregation::new_slot() {
  if (free_slots_.empty()) free_slots_.push_back(slots_++);
  const Slot slot = free_slots_.back();
  free_slots_.pop_back();
  for (const auto& column : columns_) column->clear(slot);
  return slot;
}

void Aggregation::merge(Aggregation& later) {
  for (const auto& [key, buckets] : later.groups_) {
    Buckets& mine = groups_[key];
    bucket_ = {};
    for (const auto& [start, others] : buckets) {
      const Slot slot = slot_of(mine, start);
      for (std::size_t i = 0; i < columns_.size(); ++i) columns_[i]->merge(slot, *later.columns_[i], others);
    }
  }
}

// ---- Results out ----

/// The buckets that see no more rows, because a later one has.
Status Aggregation::emit_past() {
  if (kept_ != Until::kBucketEnds || open_.size() < 2) return {};
  const std::int64_t start = starts_.back();
  const Slot slot = open_.back();
  starts_.pop_back();
  open_.pop_back();
  MARIGRAM_TRY(emit(group_->first));
  starts_.push_back(start);
  open_.push_back(slot);
  return {};
}

/// What is open, of that group.
Status Aggregation::emit(const RowKey& group) {
  for (const auto& column : columns_) MARIGRAM_TRY(column->emit(open_));
  free_slots_.insert(free_slots_.end(), open_.rbegin(), open_.rend());  // taken from the end: neighbours again
  complete_buckets_.insert(complete_buckets_.end(), starts_.begin(), starts_.end());
  const auto rows = static_cast<std::int64_t>(open_.size());
  open_.clear();
  starts_.clear();
  if (!complete_groups_.empty() && complete_groups_.back().key == group) {
    complete_groups_.back().rows += rows;
  } else if (rows > 0) {
    complete_groups_.push_back({.key = group, .rows = rows});
  }
  return {};
}

Status Aggregation::emit_all() {
  for (const auto& [group, buckets] : groups_) {
    for (const auto& [start, slot] : buckets) {
      starts_.push_back(start);
      open_.push_back(slot);
    }
    MARIGRAM_TRY(emit(group));
  }
  groups_.clear();
  group_ = nullptr;
  bucket_ = {};
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
