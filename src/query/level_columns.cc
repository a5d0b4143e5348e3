#include "query/level_columns.h"

#include "base/try.h"

#include <arrow/array/array_base.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

namespace marigram::query {

using model::AggregateKind;
using model::RollupPart;

std::vector<RollupPart> parts_of(AggregateKind kind) {
  switch (kind) {
    case AggregateKind::kCount:
      return {RollupPart::kCount};
    case AggregateKind::kSum:
    case AggregateKind::kAvg:
    case AggregateKind::kSumWord:
    case AggregateKind::kSumRest:
      return {RollupPart::kCount, RollupPart::kSum, RollupPart::kSumRest};
    case AggregateKind::kMin:
      return {RollupPart::kCount, RollupPart::kMin};
    case AggregateKind::kMax:
      return {RollupPart::kCount, RollupPart::kMax};
    case AggregateKind::kFirst:
      return {RollupPart::kCount, RollupPart::kFirst, RollupPart::kFirstTime};
    case AggregateKind::kLast:
      return {RollupPart::kCount, RollupPart::kLast, RollupPart::kLastTime};
    case AggregateKind::kStddev:
    case AggregateKind::kSquares:
      return {RollupPart::kCount, RollupPart::kSum, RollupPart::kSumRest, RollupPart::kSquares};
    case AggregateKind::kFirstTime:
      return {RollupPart::kCount, RollupPart::kFirstTime};
    case AggregateKind::kLastTime:
      return {RollupPart::kCount, RollupPart::kLastTime};
    case AggregateKind::kBuckets:
      return {RollupPart::kCount, RollupPart::kBuckets};
    case AggregateKind::kApproxPercentile:
    case AggregateKind::kSketch:
      return {RollupPart::kCount, RollupPart::kSketch};
    case AggregateKind::kPercentile:
    case AggregateKind::kRate:
    case AggregateKind::kDelta:
    case AggregateKind::kVwap:
      break;
  }
  return {};
}

AggregateOf aggregate_of(RollupPart part, const std::string& field, std::int64_t bucket_width) {
  // In the order of RollupPart.
  constexpr AggregateKind kKinds[model::kRollupParts] = {
      AggregateKind::kCount,   AggregateKind::kBuckets,   AggregateKind::kMin,     AggregateKind::kMax,
      AggregateKind::kFirst,   AggregateKind::kFirstTime, AggregateKind::kLast,    AggregateKind::kLastTime,
      AggregateKind::kSumWord, AggregateKind::kSumRest,   AggregateKind::kSquares, AggregateKind::kSketch};
  return {.aggregate = {.kind = kKinds[static_cast<std::size_t>(part)], .width = bucket_width},
          .field = field,
          .name = model::part_column(part, field.empty() ? model::kAllRows : std::string_view(field))};
}

std::optional<LevelColumns> LevelColumns::make(const std::vector<AggregateOf>& aggregates, const model::Schema& level) {
  LevelColumns columns;
  columns.names_.push_back(model::part_column(RollupPart::kCount, model::kAllRows));
  for (const AggregateOf& aggregate : aggregates) {
    std::vector<RollupPart> parts = parts_of(aggregate.aggregate.kind);
    // Of rows the times are one thing with their buckets.
    if (aggregate.field.empty() && aggregate.aggregate.kind != AggregateKind::kCount) parts = model::parts_of_rows();
    if (parts.empty()) return std::nullopt;
    Positions& positions = columns.aggregates_.emplace_back();
    for (const RollupPart part : parts) {
      const std::string_view field = aggregate.field.empty() ? model::kAllRows : std::string_view(aggregate.field);
      const std::string name = model::part_column(part, field);
      if (level.find(name) == nullptr) return std::nullopt;
      positions[static_cast<std::size_t>(part)] = columns.position_of(name);
    }
  }
  return columns;
}

std::size_t LevelColumns::position_of(const std::string& name) {
  const auto found = std::ranges::find(names_, name);
  if (found != names_.end()) return static_cast<std::size_t>(found - names_.begin());
  names_.push_back(name);
  return names_.size() - 1;
}

FieldRows LevelColumns::rows_of(const std::int64_t* times, const Arrays& columns) const {
  FieldRows rows{.times = times};
  for (const Positions& positions : aggregates_) {
    auto values = std::make_shared<RollupValues>();
    for (std::size_t part = 0; part < positions.size(); ++part) {
      if (positions[part]) values->parts[part] = columns[*positions[part]];
    }
    rows.fields.push_back({.values = {}, .weights = {}, .rollup = std::move(values)});
  }
  return rows;
}

Status LevelColumns::add(Aggregation& into, const FieldRows& rows, const Arrays& columns, std::int64_t begin,
                         std::int64_t end) {
  const auto* const counts = columns[kCounts]->data()->GetValues<std::int64_t>(1);
  for (; begin < end; ++begin) {
    const std::int64_t first = begin;
    while (begin < end && counts[begin] > 0) ++begin;
    if (first < begin) MARIGRAM_TRY(into.add(rows, first, begin));
  }
  return {};
}

}  // namespace marigram::query
