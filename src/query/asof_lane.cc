#include "query/asof_lane.h"

#include "base/try.h"
#include "segment/native_arrays.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

namespace marigram::query {
namespace {

constexpr const char* kDoing = "cannot join the rows";

}  // namespace

Result<AsofLane> AsofLane::make(const arrow::FieldVector& columns, std::string valid, std::size_t probes) {
  AsofLane lane;
  lane.valid_ = std::move(valid);
  for (const auto& column : columns) {
    MARIGRAM_ASSIGN(auto made, AsofColumn::make(column->type(), probes));
    lane.columns_.push_back({.name = column->name(), .column = std::move(made)});
  }
  lane.is_met_.assign(probes, 1);
  MARIGRAM_ASSIGN(lane.times_, segment::PoolArray<std::int64_t>::make(probes, kDoing));
  return lane;
}

Status AsofLane::put(AsofSource& source, const AsofPicks& picks, std::span<const std::int64_t> times) {
  if (picks.to.empty()) return {};
  put_at(picks.to, times_.all(), [times](std::size_t i) { return times[i]; });
  return source.put(columns_, picks);
}

Result<arrow::ArrayVector> AsofLane::finish_columns() {
  arrow::ArrayVector arrays;
  for (const AsofTarget& target : columns_) {
    MARIGRAM_ASSIGN(auto array, target.column->finish(is_met_));
    arrays.push_back(std::move(array));
  }
  return arrays;
}

Result<std::shared_ptr<arrow::Array>> AsofLane::finish_times(const std::shared_ptr<arrow::DataType>& type,
                                                             std::int64_t flip) {
  if (flip != 0) std::ranges::transform(times_.all(), times_.all().begin(), [flip](auto time) { return time ^ flip; });
  clear_unset<std::int64_t>(is_met_, times_.all());
  return segment::make_fixed(type, is_met_.size(), is_met_, times_.take(), kDoing);
}

}  // namespace marigram::query
