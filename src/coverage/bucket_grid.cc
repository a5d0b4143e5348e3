#include "coverage/bucket_grid.h"

#include "model/index.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include <fmt/format.h>

namespace marigram::coverage {
namespace {

// Wide enough for every product of an ordinal and a width.
__extension__ using Int128 = __int128;

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;
constexpr std::uint64_t kV1IdMax = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t kInt64Min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kInt64Max = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kUInt64Max = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint32_t kNanosMax = 999'999'999;

constexpr Int128 floor_div(Int128 value, Int128 width) {
  const Int128 quotient = value / width;
  return value % width < 0 ? quotient - 1 : quotient;
}

constexpr std::uint64_t id_of_ordinal(std::int64_t ordinal) {
  return static_cast<std::uint64_t>(ordinal) ^ kSignBit;
}

constexpr std::int64_t ordinal_of_id(std::uint64_t id) {
  return static_cast<std::int64_t>(id ^ kSignBit);
}

constexpr std::int64_t saturate(Int128 value) {
  return static_cast<std::int64_t>(std::clamp(value, Int128{kInt64Min}, Int128{kInt64Max}));
}

/// Division by a width with a memory: column values come in order, so the next one mostly lies in the last bucket or in
/// the one after it, which saves the division.
class OrdinalMemo {
 public:
  explicit OrdinalMemo(Int128 width) : width_(width) { aim(0); }

  std::int64_t operator()(std::int64_t value) {
    if (value < first_ || value > last_) {
      aim(value > last_ && Int128{value} <= Int128{last_} + width_
              ? ordinal_ + 1
              : static_cast<std::int64_t>(floor_div(value, width_)));
    }
    return ordinal_;
  }

 private:
  void aim(std::int64_t ordinal) {
    ordinal_ = ordinal;
    first_ = saturate(Int128{ordinal} * width_);
    last_ = saturate((Int128{ordinal} + 1) * width_ - 1);
  }

  Int128 width_;
  std::int64_t ordinal_ = 0;
  std::int64_t first_ = 0;  // of the bucket, in the domain
  std::int64_t last_ = 0;   // inclusive
};

std::unexpected<Error> wrong_domain(const IndexValue& value, const char* want) {
  constexpr const char* kNames[] = {"timestamp", "int64", "uint64"};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot find the bucket of {}: wrong type of index value; got {}, want {}",
                          format_index_value(value), kNames[value.index()], want));
}

std::unexpected<Error> beyond_v1(std::uint64_t id, std::uint64_t width) {
  const Instant start{.seconds = saturate(Int128{id} * width)};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot cover the bucket from {}: bucket id {} does not fit a v1 table; want at most {} (use "
                          "wider buckets or the v7 dialect)",
                          format_rfc3339(start), id, kV1IdMax));
}

/// The last value before `end`; unset for the least value of its domain.
std::optional<IndexValue> value_before(const IndexValue& end) {
  if (const auto* number = std::get_if<std::int64_t>(&end)) {
    if (*number == kInt64Min) return std::nullopt;
    return *number - 1;
  }
  if (const auto* number = std::get_if<std::uint64_t>(&end)) {
    if (*number == 0) return std::nullopt;
    return *number - 1;
  }
  const Instant instant = std::get<Instant>(end);
  if (instant.nanos > 0) return Instant{.seconds = instant.seconds, .nanos = instant.nanos - 1};
  if (instant.seconds == kInt64Min) return std::nullopt;
  return Instant{.seconds = instant.seconds - 1, .nanos = kNanosMax};
}

}  // namespace

BucketGrid::BucketGrid(Dialect dialect, const model::IndexKind& kind) : rule_(Rule::kV7Time), width_(1) {
  if (const auto* timestamp = std::get_if<model::TimestampIndex>(&kind)) {
    rule_ = dialect == Dialect::kV1 ? Rule::kV1Time : Rule::kV7Time;
    width_ = static_cast<std::uint64_t>(timestamp->bucket.seconds());
  } else if (const auto* int64 = std::get_if<model::Int64Index>(&kind)) {
    rule_ = Rule::kInt64;
    width_ = int64->step;
  } else {
    rule_ = Rule::kUInt64;
    width_ = std::get<model::UInt64Index>(kind).step;
  }
  assert(width_ >= 1);
}

Result<std::uint64_t> BucketGrid::id_of_int64(std::int64_t value) const {
  const auto ordinal = static_cast<std::int64_t>(floor_div(value, width_));
  if (rule_ != Rule::kV1Time) return id_of_ordinal(ordinal);
  const std::uint64_t id = ordinal < 0 ? 0 : static_cast<std::uint64_t>(ordinal);
  if (id > kV1IdMax) return beyond_v1(id, width_);
  return id;
}

Result<std::uint64_t> BucketGrid::id_of(const IndexValue& value) const {
  switch (rule_) {
    case Rule::kV1Time:
    case Rule::kV7Time:
      if (const auto* instant = std::get_if<Instant>(&value)) return id_of_int64(instant->seconds);
      return wrong_domain(value, "timestamp");
    case Rule::kInt64:
      if (const auto* number = std::get_if<std::int64_t>(&value)) return id_of_int64(*number);
      return wrong_domain(value, "int64");
    case Rule::kUInt64:
      if (const auto* number = std::get_if<std::uint64_t>(&value)) return *number / width_;
      return wrong_domain(value, "uint64");
  }
  std::unreachable();
}

IndexValue BucketGrid::start_of(std::uint64_t id) const {
  switch (rule_) {
    case Rule::kV1Time:
      return Instant{.seconds = saturate(Int128{id} * width_)};
    case Rule::kV7Time:
      return Instant{.seconds = saturate(Int128{ordinal_of_id(id)} * width_)};
    case Rule::kInt64:
      return saturate(Int128{ordinal_of_id(id)} * width_);
    case Rule::kUInt64:
      return id > kUInt64Max / width_ ? kUInt64Max : id * width_;
  }
  std::unreachable();
}

IndexValue BucketGrid::end_of(std::uint64_t id) const {
  if (rule_ == Rule::kUInt64) {
    // The end of bucket id is (id + 1) * width; beyond the domain exactly when id + 1 > max / width.
    return id >= kUInt64Max / width_ ? kUInt64Max : (id + 1) * width_;
  }
  const Int128 ordinal = rule_ == Rule::kV1Time ? Int128{id} : Int128{ordinal_of_id(id)};
  const Int128 end = (ordinal + 1) * width_;
  if (rule_ == Rule::kInt64) return saturate(end);
  // The last bucket of the time line ends with its last nanosecond.
  if (end > kInt64Max) return Instant{.seconds = kInt64Max, .nanos = kNanosMax};
  return Instant{.seconds = saturate(end)};
}

Result<std::uint64_t> BucketGrid::last_id_before(const IndexValue& end) const {
  if (const auto last = value_before(end)) return id_of(*last);
  return fail(
      ErrorCode::kInvalidInput,
      fmt::format("cannot find the last bucket before {}: it is the least value there is", format_index_value(end)));
}

std::uint64_t BucketGrid::max_id() const {
  if (rule_ == Rule::kUInt64) return kUInt64Max / width_;
  const auto ordinal = static_cast<std::int64_t>(floor_div(kInt64Max, width_));
  if (rule_ == Rule::kV1Time) return std::min(static_cast<std::uint64_t>(ordinal), kV1IdMax);
  return id_of_ordinal(ordinal);
}

Status BucketGrid::ids_of(std::span<const std::int64_t> values, TimeUnit unit, std::span<std::uint64_t> ids) const {
  assert(values.size() == ids.size());
  if (rule_ == Rule::kUInt64) {
    for (std::size_t i = 0; i < values.size(); ++i) ids[i] = static_cast<std::uint64_t>(values[i]) / width_;
    return {};
  }
  // floor(floor(v / a) / b) = floor(v / (a * b)), so one division by the width in column units does.
  const bool is_time = rule_ == Rule::kV1Time || rule_ == Rule::kV7Time;
  OrdinalMemo ordinal_of(Int128{width_} * (is_time ? units_per_second(unit) : 1));
  if (rule_ != Rule::kV1Time) {
    for (std::size_t i = 0; i < values.size(); ++i) ids[i] = id_of_ordinal(ordinal_of(values[i]));
    return {};
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    ids[i] = static_cast<std::uint64_t>(std::max<std::int64_t>(ordinal_of(values[i]), 0));
    if (ids[i] > kV1IdMax) return beyond_v1(ids[i], width_);
  }
  return {};
}

}  // namespace marigram::coverage
