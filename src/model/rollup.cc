#include "model/rollup.h"

#include "base/interval_text.h"
#include "base/time_buckets.h"
#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace marigram::model {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kSecondsPerDay = 86'400;

/// In the order of RollupPart.
constexpr std::string_view kPartNames[kRollupParts] = {"count", "buckets",   "min", "max",      "first",   "first_time",
                                                       "last",  "last_time", "sum", "sum_rest", "squares", "sketch"};

/// About; of a calendar the least.
std::int64_t seconds_of(const Interval& interval) {
  constexpr std::int64_t kDaysOfMonth = 28;
  constexpr std::int64_t kDaysOfWeek = 7;
  const std::int64_t days = interval.days + kDaysOfWeek * interval.weeks + kDaysOfMonth * interval.months;
  return interval.fixed / kNanosPerSecond + days * kSecondsPerDay;
}

bool is_float(TypeId type) {
  return type == TypeId::kFloat32 || type == TypeId::kFloat64;
}

DataType widened(const DataType& field) {
  if (field.id == TypeId::kFloat32) return {.id = TypeId::kFloat64};
  if (field.id == TypeId::kInt32) return {.id = TypeId::kInt64};
  return {.id = field.id};
}

DataType type_of(RollupPart part, const DataType& field) {
  switch (part) {
    case RollupPart::kCount:
    case RollupPart::kBuckets:
    case RollupPart::kFirstTime:
    case RollupPart::kLastTime:
      return {.id = TypeId::kInt64};
    case RollupPart::kMin:
    case RollupPart::kMax:
    case RollupPart::kFirst:
    case RollupPart::kLast:
      return widened(field);
    case RollupPart::kSum:
    case RollupPart::kSumRest:
      return {.id = is_float(field.id) ? TypeId::kFloat64 : TypeId::kInt64};
    case RollupPart::kSquares:
      return {.id = TypeId::kFloat64};
    case RollupPart::kSketch:
      return {.id = TypeId::kBinary};
  }
  return {};
}

Schema level_schema(const Schema& table, const IndexSpec& index, const RollupSpec& spec) {
  Schema level;
  const auto add = [&](const std::vector<RollupPart>& parts, std::string_view field, const DataType& type) {
    for (const RollupPart part : parts) {
      level.columns.push_back({.name = part_column(part, field), .type = type_of(part, type)});
    }
  };
  for (const Column& column : table.columns) {
    const bool is_key = column.name == index.column || std::ranges::find(index.tags, column.name) != index.tags.end();
    if (is_key) level.columns.push_back({.name = column.name, .type = column.type, .nullable = column.nullable});
  }
  add(parts_of_rows(), kAllRows, {});
  for (const Column& column : table.columns) {
    if (level.find(column.name) != nullptr) continue;
    add(parts_of(column.type, spec.sketches.contains(column.name)), column.name, column.type);
  }
  return level;
}

}  // namespace

Result<TimeBuckets> buckets_of(const RollupSpec& spec, const Interval& interval) {
  if (interval == Interval() || interval.fixed % kNanosPerSecond != 0) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot keep rollups of {} ns; want whole seconds, 1 or more", interval.fixed));
  }
  std::optional<std::int64_t> origin;
  if (spec.origin) origin = spec.origin->seconds;
  return TimeBuckets::make(interval, spec.timezone, origin, 1);
}

bool can_keep_rollups(const TableMeta& table) {
  return table.dialect == Dialect::kV7 && table.index && std::holds_alternative<TimestampIndex>(table.index->kind);
}

Status check_rollups(const RollupSpec& spec) {
  constexpr int kSamples = 1'000;
  std::optional<TimeBuckets> finer;
  for (std::size_t level = 0; level < spec.intervals.size(); ++level) {
    MARIGRAM_ASSIGN(TimeBuckets buckets, buckets_of(spec, spec.intervals[level]));
    TimeBuckets::Bucket bucket = buckets.of(0);
    for (int i = 0; finer && i < kSamples; ++i) {
      const bool nests = finer->of(bucket.start).begin == bucket.begin && finer->of(bucket.start).width < bucket.width;
      if (!nests) {
        return fail(ErrorCode::kInvalidInput,
                    fmt::format("cannot keep rollups of {} and {}: the second is not made of whole intervals of the "
                                "first; want widths from the finest to the coarsest, each a multiple of the one before",
                                format_interval(spec.intervals[level - 1]), format_interval(spec.intervals[level])));
      }
      bucket = buckets.of(static_cast<std::int64_t>(bucket.begin + bucket.width));
    }
    finer = std::move(buckets);
  }
  return {};
}

std::string part_column(RollupPart part, std::string_view field) {
  return fmt::format("{}({})", kPartNames[static_cast<std::size_t>(part)], field);
}

std::vector<RollupPart> parts_of_rows() {
  return {RollupPart::kCount, RollupPart::kBuckets, RollupPart::kFirstTime, RollupPart::kLastTime};
}

std::vector<RollupPart> parts_of(const DataType& field, bool sketch) {
  std::vector<RollupPart> parts = {RollupPart::kCount};
  const bool number = is_number(field.id);
  if (number || field.id == TypeId::kBool || field.id == TypeId::kUtf8) {
    for (const auto part : {RollupPart::kMin, RollupPart::kMax, RollupPart::kFirst, RollupPart::kFirstTime,
                            RollupPart::kLast, RollupPart::kLastTime}) {
      parts.push_back(part);
    }
  }
  if (number || field.id == TypeId::kBool) {
    parts.push_back(RollupPart::kSum);
    parts.push_back(RollupPart::kSumRest);
  }
  if (number) parts.push_back(RollupPart::kSquares);
  if (number && sketch) parts.push_back(RollupPart::kSketch);
  return parts;
}

TableMeta level_meta(const TableMeta& table, const RollupSpec& spec, const Interval& interval) {
  TableMeta level{.dialect = table.dialect, .index = table.index, .schema = {}, .created_at = table.created_at};
  level.reader_features = table.reader_features;  // that of growing tags among them
  level.writer_features = table.writer_features;
  const auto days = static_cast<std::uint32_t>(std::max<std::int64_t>(1, seconds_of(interval) / kSecondsPerDay));
  BucketWidth bucket{.count = days, .unit = BucketWidth::Unit::kDay};
  if (seconds_of(interval) < kSecondsPerDay) {
    bucket = {.count = static_cast<std::uint32_t>(seconds_of(interval)), .unit = BucketWidth::Unit::kSecond};
  }
  auto& time = std::get<TimestampIndex>(level.index->kind);
  time.bucket = bucket;
  if (table.schema) level.schema = level_schema(*table.schema, *table.index, spec);
  return level;
}

std::string level_partition(const Interval& interval) {
  constexpr std::int64_t kIntervals = 10'000;
  constexpr std::int64_t kDaysMax = 36'500;
  const std::int64_t days = seconds_of(interval) * kIntervals / kSecondsPerDay;
  return fmt::format("{}d", std::clamp<std::int64_t>(days, 1, kDaysMax));
}

}  // namespace marigram::model
