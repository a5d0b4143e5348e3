#include "query/asof_lane.h"

#include "base/prefetch.h"
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
    lane.names_.push_back(column->name());
    lane.columns_.push_back(std::move(made));
  }
  lane.is_met_.assign(probes, 1);
  MARIGRAM_ASSIGN(lane.times_, segment::PoolArray<std::int64_t>::make(probes, kDoing));
  return lane;
}

void AsofLane::set_times(std::span<const std::uint32_t> probes, std::span<const AsofRow> rows) {
  constexpr std::size_t kAhead = 64;
  for (std::size_t i = 0; i < probes.size(); ++i) {
    if (i + kAhead < probes.size()) prefetch_to_write(&times_[probes[i + kAhead]]);
    times_[probes[i]] = rows[i].time;
  }
}

Status AsofLane::put(AsofSource& source, const AsofPicks& picks) {
  if (picks.to.empty()) return {};
  for (std::size_t i = 0; i < columns_.size(); ++i) MARIGRAM_TRY(source.put(names_[i], picks, *columns_[i]));
  return {};
}

Result<arrow::ArrayVector> AsofLane::finish_columns() {
  arrow::ArrayVector arrays;
  for (const auto& column : columns_) {
    MARIGRAM_ASSIGN(auto array, column->finish(is_met_));
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
