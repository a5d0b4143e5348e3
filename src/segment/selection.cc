#include "segment/selection.h"

#include "segment/arrow_status.h"
#include "segment/index_bounds.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace marigram::segment {

Selection::Selection(std::int64_t rows) : keep_(static_cast<std::size_t>(rows), 1), count_(rows), end_(rows) {}

void Selection::keep_within(const arrow::Array& index, const IndexBounds& bounds) {
  if (bounds.none()) {
    std::ranges::fill(keep_, 0);
    return;
  }
  const auto* raw = index.data()->GetValues<std::uint64_t>(1);
  if (!bounds.all()) {
    const std::uint64_t first = bounds.first();
    const std::uint64_t span = bounds.span();
    for (std::size_t i = 0; i < keep_.size(); ++i) keep_[i] &= raw[i] - first <= span ? 1 : 0;
  }
  if (index.null_count() == 0) return;
  for (std::size_t i = 0; i < keep_.size(); ++i) keep_[i] &= index.IsValid(static_cast<std::int64_t>(i)) ? 1 : 0;
}

void Selection::seal() {
  count_ = 0;
  for (const std::uint8_t keep : keep_) count_ += keep;
  const auto first = std::ranges::find(keep_, 1);
  first_ = first - keep_.begin();
  end_ = static_cast<std::int64_t>(keep_.size());
  while (end_ > first_ && keep_[static_cast<std::size_t>(end_ - 1)] == 0) --end_;
  mask_ = nullptr;
  if (count_ == end_ - first_) return;
  arrow::BooleanBuilder builder;
  const auto status = builder.AppendValues(keep_.data() + first_, end_ - first_);
  if (!status.ok() || !builder.Finish(&mask_).ok()) throw std::bad_alloc();
}

Result<std::shared_ptr<arrow::Array>> Selection::apply(const std::shared_ptr<arrow::Array>& values,
                                                       const std::string& doing) const {
  if (mask_ == nullptr) return values;
  auto filtered = arrow::compute::Filter(arrow::Datum(values), arrow::Datum(mask_));
  if (!filtered.ok()) return std::unexpected(from_arrow_status(filtered.status(), doing, true));
  return filtered->make_array();
}

}  // namespace marigram::segment
