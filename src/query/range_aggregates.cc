#include "query/range_aggregates.h"

#include "base/parallel.h"
#include "base/try.h"

#include <utility>

namespace marigram::query {
namespace {

constexpr std::int64_t kFanOut = 64;

bool is_made_of_parts(const model::Aggregate& aggregate) {
  using Kind = model::AggregateKind;
  return aggregate.kind != Kind::kRate && aggregate.kind != Kind::kDelta && aggregate.kind != Kind::kPercentile;
}

}  // namespace

RangeAggregates::RangeAggregates(Columns& columns, const std::vector<FieldValues>& values,
                                 std::span<const std::int64_t> times)
    : columns_(columns), values_(values), times_(times), levels_(columns.size()) {}

Status RangeAggregates::build(const std::vector<model::AggregateOf>& asked, const Make& make, ThreadPool& pool) {
  return for_each_part(pool, columns_.size(), [&](std::size_t column) -> Status {
    return is_made_of_parts(asked[column].aggregate) ? build(column, make) : Status();
  });
}

Status RangeAggregates::build(std::size_t column, const Make& make) {
  Columns& levels = levels_[column];
  for (std::int64_t blocks = std::ssize(times_) / kFanOut; blocks > 0; blocks /= kFanOut) {
    MARIGRAM_ASSIGN(auto level, make(column));
    for (std::int64_t block = 0; block < blocks; ++block) {
      const auto slot = static_cast<Slot>(block);
      level->clear(slot);
      if (levels.empty()) {
        level->add(slot, values_[column],
                   {.times = times_.data(), .begin = block * kFanOut, .end = (block + 1) * kFanOut});
        continue;
      }
      for (std::int64_t part = block * kFanOut; part < (block + 1) * kFanOut; ++part) {
        level->merge(slot, *levels.back(), static_cast<Slot>(part));
      }
    }
    levels.push_back(std::move(level));
  }
  return {};
}

void RangeAggregates::add(Slot slot, std::int64_t begin, std::int64_t end) {
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    add(column, levels_[column].size(), slot, begin, end);
  }
}

/// By blocks of that level and below, from the left to the right.
void RangeAggregates::add(std::size_t column, std::size_t level, Slot slot, std::int64_t begin, std::int64_t end) {
  if (begin >= end) return;
  if (level == 0) {
    return columns_[column]->add(slot, values_[column], {.times = times_.data(), .begin = begin, .end = end});
  }
  std::int64_t rows = 1;  // of a block
  for (std::size_t i = 0; i < level; ++i) rows *= kFanOut;
  const std::int64_t first = (begin + rows - 1) / rows;
  const std::int64_t last = end / rows;
  if (first >= last) return add(column, level - 1, slot, begin, end);
  add(column, level - 1, slot, begin, first * rows);
  for (std::int64_t block = first; block < last; ++block) {
    columns_[column]->merge(slot, *levels_[column][level - 1], static_cast<Slot>(block));
  }
  add(column, level - 1, slot, last * rows, end);
}

}  // namespace marigram::query
