#include "segment/selection.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "segment/index_bounds.h"
#include "segment/row_range.h"

#include <marigram/error.h>

#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api_vector.h>
#include <arrow/datum.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

namespace marigram::segment {
namespace {

// To skip and to read a run costs about 100 ns a column; to decode a row and filter it away, 1 to 3 ns.
constexpr std::int64_t kRowsPerRunMin = 64;

/// The runs of ones; unset if there are more than `most`.
std::optional<RowRanges> find_runs(std::span<const std::uint8_t> keep, std::size_t most) {
  RowRanges runs;
  const auto size = static_cast<std::int64_t>(keep.size());
  const auto next = [&](std::int64_t from, int value) {
    const void* found = std::memchr(keep.data() + from, value, static_cast<std::size_t>(size - from));
    return found == nullptr ? size : static_cast<const std::uint8_t*>(found) - keep.data();
  };
  for (std::int64_t at = 0; at < size;) {
    const std::int64_t begin = next(at, 1);
    if (begin == size) break;
    at = next(begin, 0);
    if (runs.size() == most) return std::nullopt;
    runs.push_back({begin, at});
  }
  return runs;
}

}  // namespace

Selection::Selection(std::int64_t rows) : keep_(static_cast<std::size_t>(rows), 1) {}

std::size_t Selection::runs_max(std::int64_t rows) {
  return static_cast<std::size_t>(rows / kRowsPerRunMin + 1);
}

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
  const auto rows = static_cast<std::int64_t>(keep_.size());
  runs_ = find_runs(keep_, runs_max(rows));
  if (runs_) {
    count_ = count_rows(*runs_);
    bounds_ = runs_->empty() ? RowRange{} : RowRange{runs_->front().begin, runs_->back().end};
    return;
  }
  count_ = 0;
  for (const std::uint8_t keep : keep_) count_ += keep;
  bounds_.begin = std::ranges::find(keep_, 1) - keep_.begin();
  bounds_.end = rows;
  while (keep_[static_cast<std::size_t>(bounds_.end - 1)] == 0) --bounds_.end;
}

Selection Selection::part(std::int64_t begin, std::int64_t end) const {
  Selection result(end - begin);
  std::copy(keep_.begin() + begin, keep_.begin() + end, result.keep_.begin());
  result.seal();
  return result;
}

Result<std::shared_ptr<arrow::Array>> Selection::apply(const std::shared_ptr<arrow::Array>& values,
                                                       const std::string& doing) const {
  if (count_ == bounds_.rows()) return values;
  const auto failed = [&](const arrow::Status& status) {
    return std::unexpected(from_arrow_status(status, doing, true));
  };
  arrow::BooleanBuilder builder;
  std::shared_ptr<arrow::Array> mask;
  auto status = builder.AppendValues(keep_.data() + bounds_.begin, bounds_.rows());
  if (status.ok()) status = builder.Finish(&mask);
  if (!status.ok()) return failed(status);
  auto filtered = arrow::compute::Filter(arrow::Datum(values), arrow::Datum(mask));
  if (!filtered.ok()) return failed(filtered.status());
  return filtered->make_array();
}

}  // namespace marigram::segment
