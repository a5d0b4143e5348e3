#include "query/downsample.h"

#include "base/try.h"
#include "query/row_key.h"
#include "query/visit_numbers.h"
#include "table/row_gather.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace marigram::query {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

std::vector<std::uint32_t> all_of(std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  for (std::size_t i = 0; i < count; ++i) rows[i] = static_cast<std::uint32_t>(i);
  return rows;
}

class DownsampledRows final : public table::BatchSource {
 public:
  DownsampledRows(std::unique_ptr<table::BatchSource> rows, std::size_t tags, const DownsampleRequest& request)
      : rows_(std::move(rows)), tags_(tags), request_(request) {}

  Result<BatchPtr> next() override {
    while (true) {
      batches_.clear();
      at_.clear();
      times_.clear();
      values_.clear();
      MARIGRAM_ASSIGN(const bool more, read_series());
      if (!more) return nullptr;
      if (times_.empty()) continue;
      return chosen();
    }
  }

 private:
  Result<bool> read_series() {
    std::optional<RowKey> key;
    while (true) {
      if (!batch_ || row_ == batch_->num_rows()) {
        MARIGRAM_ASSIGN(batch_, rows_->next());
        row_ = 0;
        if (!batch_) return key.has_value();
      }
      const Arrays& columns = batch_->columns();
      const Arrays tags(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(tags_));
      RowKey own = row_key(tags, row_);
      if (key && *key != own) return true;
      key = std::move(own);
      const std::int64_t end = tags.empty() ? batch_->num_rows() : key_run_end(tags, row_, batch_->num_rows());
      note_rows(end);
      row_ = end;
    }
  }

  /// Those of the batch from row_ up to `end` that have a value.
  void note_rows(std::int64_t end) {
    const auto& time = *batch_->column(static_cast<int>(tags_));
    const auto& field = *batch_->column(static_cast<int>(tags_) + 1);
    const auto* const times = time.data()->GetValues<std::int64_t>(1);
    const auto batch = static_cast<std::uint32_t>(batches_.size());
    batches_.push_back(batch_);
    visit_numbers(field, [&](const auto& value_of) {
      for (std::int64_t row = row_; row < end; ++row) {
        if (field.IsNull(row) || std::isnan(value_of(row))) continue;
        at_.push_back({batch, static_cast<std::uint32_t>(row)});
        times_.push_back(times[row]);
        values_.push_back(value_of(row));
      }
    });
  }

  Result<BatchPtr> chosen() const {
    const auto choose = request_.method == DownsampleMethod::kLttb ? &largest_triangles : &extremes;
    std::vector<table::RowAt> rows;
    for (const std::uint32_t row : choose(times_, values_, static_cast<std::size_t>(request_.points))) {
      rows.push_back(at_[row]);
    }
    MARIGRAM_ASSIGN(const auto gather, table::RowGather::make(batches_));
    return gather.take(rows);
  }

  std::unique_ptr<table::BatchSource> rows_;
  std::size_t tags_;
  DownsampleRequest request_;
  BatchPtr batch_;  // of which the rows before row_ have been taken
  std::int64_t row_ = 0;

  // Of the series at hand.
  std::vector<BatchPtr> batches_;
  std::vector<table::RowAt> at_;  // the rows that have a value, as are the next
  std::vector<std::int64_t> times_;
  std::vector<double> values_;
};

}  // namespace

std::vector<std::uint32_t> largest_triangles(std::span<const std::int64_t> times, std::span<const double> values,
                                             std::size_t points) {
  const std::size_t count = times.size();
  if (count <= points) return all_of(count);
  // Distances in time from the first point, which fit a double well enough.
  const auto x = [&](std::size_t i) {
    return static_cast<double>(static_cast<std::uint64_t>(times[i]) - static_cast<std::uint64_t>(times[0]));
  };
  const std::size_t parts = points - 2;
  const auto begin_of = [&](std::size_t part) { return 1 + part * (count - 2) / parts; };
  std::vector<std::uint32_t> kept = {0};
  for (std::size_t part = 0; part < parts; ++part) {
    const std::size_t next = begin_of(part + 1);
    const std::size_t next_end = part + 1 < parts ? begin_of(part + 2) : count;
    double mean_x = 0;
    double mean_y = 0;
    for (std::size_t i = next; i < next_end; ++i) {
      mean_x += x(i) / static_cast<double>(next_end - next);
      mean_y += values[i] / static_cast<double>(next_end - next);
    }
    const std::size_t last = kept.back();
    double largest = -1;
    std::size_t best = begin_of(part);
    for (std::size_t i = begin_of(part); i < next; ++i) {
      const double area =
          std::abs((x(last) - mean_x) * (values[i] - values[last]) - (x(last) - x(i)) * (mean_y - values[last]));
      if (area > largest) {
        largest = area;
        best = i;
      }
    }
    kept.push_back(static_cast<std::uint32_t>(best));
  }
  kept.push_back(static_cast<std::uint32_t>(count - 1));
  return kept;
}

std::vector<std::uint32_t> extremes(std::span<const std::int64_t> times, std::span<const double> values,
                                    std::size_t points) {
  const std::size_t count = times.size();
  if (count <= points) return all_of(count);
  __extension__ using Wide = unsigned __int128;
  const auto since_first = [&](std::size_t i) {
    return static_cast<std::uint64_t>(times[i]) - static_cast<std::uint64_t>(times[0]);
  };
  const std::size_t parts = std::max<std::size_t>(points / 2, 1);
  const Wide width = Wide{since_first(count - 1)} + 1;
  std::vector<std::uint32_t> kept;
  for (std::size_t begin = 0; begin < count;) {
    const auto part_of = [&](std::size_t i) { return Wide{since_first(i)} * parts / width; };
    const Wide part = part_of(begin);
    std::size_t least = begin;
    std::size_t largest = begin;
    std::size_t i = begin;
    for (; i < count && part_of(i) == part; ++i) {
      if (values[i] < values[least]) least = i;
      if (values[i] > values[largest]) largest = i;
    }
    kept.push_back(static_cast<std::uint32_t>(std::min(least, largest)));
    if (least != largest) kept.push_back(static_cast<std::uint32_t>(std::max(least, largest)));
    begin = i;
  }
  return kept;
}

Result<table::ScanStream> downsample(table::ScanStream rows, const DownsampleRequest& request) {
  const int columns = rows.schema->num_fields();
  const arrow::Field& field = *rows.schema->field(columns - 1);
  if (!is_number(*field.type())) {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot downsample {}: it is of type {}, want numbers",
                                                      field.name(), field.type()->ToString()));
  }
  if (request.points < 3 || request.points > std::numeric_limits<std::uint32_t>::max()) {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot downsample to {} points; want 3 to {}", request.points,
                                                      std::numeric_limits<std::uint32_t>::max()));
  }
  auto schema = rows.schema;
  return table::ScanStream{
      .schema = std::move(schema),
      .rows = std::make_unique<DownsampledRows>(std::move(rows.rows), static_cast<std::size_t>(columns) - 2, request)};
}

}  // namespace marigram::query
