#include "query/asof_lane.h"

#include "segment/arrow_status.h"
#include "segment/memory_pool.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <utility>

namespace marigram::query {
namespace {

using ArrayPtr = std::shared_ptr<arrow::Array>;

constexpr const char* kDoing = "cannot join the rows";

template <typename T>
Result<T> checked(arrow::Result<T> result) {
  if (result.ok()) return *std::move(result);
  return std::unexpected(segment::from_arrow_status(result.status(), kDoing, false));
}

arrow::Result<ArrayPtr> take_rows(const ArrayPtr& values, const ArrayPtr& rows) {
  arrow::compute::ExecContext context(segment::memory_pool());
  return arrow::compute::Take(*values, *rows, arrow::compute::TakeOptions::NoBoundsCheck(), &context);
}

}  // namespace

std::uint32_t AsofLane::keep(std::int64_t row) {
  if (wanted_.empty() || wanted_.back() != row) {
    wanted_.push_back(row);
    ++kept_;
  }
  return kept_ - 1;
}

Status AsofLane::flush(const AsofRows& rows) {
  if (wanted_.empty()) return {};
  chunks_.resize(columns_.size());
  const auto count = static_cast<std::int64_t>(wanted_.size());
  const auto wanted = std::make_shared<arrow::Int64Array>(count, arrow::Buffer::FromVector(std::exchange(wanted_, {})));
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto taken = checked(take_rows(rows.batch().GetColumnByName(columns_[i]->name()), wanted));
    if (!taken) return std::unexpected(taken.error());
    chunks_[i].push_back(*std::move(taken));
  }
  return {};
}

Result<arrow::ArrayVector> AsofLane::take(std::span<const AsofMatch> matches) const {
  arrow::Int64Builder builder(segment::memory_pool());
  const auto append = [&]() -> arrow::Result<ArrayPtr> {
    ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<std::int64_t>(matches.size())));
    for (const AsofMatch& match : matches) {
      if (match.is_there()) {
        builder.UnsafeAppend(match.kept);
      } else {
        builder.UnsafeAppendNull();
      }
    }
    return builder.Finish();
  };
  const auto rows = checked(append());
  if (!rows) return std::unexpected(rows.error());
  arrow::ArrayVector columns;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const auto make = [&]() -> arrow::Result<ArrayPtr> {
      if (kept_ == 0) {
        return arrow::MakeArrayOfNull(columns_[i]->type(), static_cast<std::int64_t>(matches.size()),
                                      segment::memory_pool());
      }
      ARROW_ASSIGN_OR_RAISE(const ArrayPtr all, arrow::Concatenate(chunks_[i], segment::memory_pool()));
      return take_rows(all, *rows);
    };
    auto column = checked(make());
    if (!column) return std::unexpected(column.error());
    columns.push_back(*std::move(column));
  }
  return columns;
}

}  // namespace marigram::query
