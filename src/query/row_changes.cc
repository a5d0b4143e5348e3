#include "query/row_changes.h"

#include "base/try.h"
#include "segment/arrow_status.h"
#include "table/absent_tags.h"
#include "table/row_gather.h"
#include "table/row_order.h"

#include <arrow/api.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using ArrayPtr = std::shared_ptr<arrow::Array>;

std::unexpected<Error> no_memory(const arrow::Status& status) {
  return std::unexpected(segment::from_arrow_status(status, "cannot compare versions", false));
}

/// Rows of one side, with a column behind the others that says which.
class MarkedRows : public table::BatchSource {
 public:
  MarkedRows(std::unique_ptr<table::BatchSource> rows, bool is_after)
      : rows_(std::move(rows)), mark_(static_cast<std::int8_t>(is_after)) {}

  Result<BatchPtr> next() override {
    if (!rows_) return nullptr;
    MARIGRAM_ASSIGN(const BatchPtr batch, rows_->next());
    if (!batch) return nullptr;
    auto marks = arrow::MakeArrayFromScalar(arrow::Int8Scalar(mark_), batch->num_rows());
    if (!marks.ok()) return no_memory(marks.status());
    auto marked = batch->AddColumn(batch->num_columns(), arrow::field("", arrow::int8(), false), *marks);
    if (!marked.ok()) return no_memory(marked.status());
    return *std::move(marked);
  }

 private:
  std::unique_ptr<table::BatchSource> rows_;
  std::int8_t mark_;
};

void append_bytes(std::string_view bytes, std::string& out) {
  const std::uint64_t size = bytes.size();
  out.append(reinterpret_cast<const char*>(&size), sizeof(size)).append(bytes);
}

/// All that is not a number is the same.
template <typename Number>
void append_number(Number value, std::string& out) {
  if (std::isnan(value)) value = std::numeric_limits<Number>::quiet_NaN();
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

/// A cell as bytes, which are equal where the cells are.
void append_cell(const arrow::Array& column, std::int64_t row, std::string& out) {
  const bool is_there = column.IsValid(row);
  out.push_back(is_there ? '\1' : '\0');
  if (!is_there) return;
  const arrow::ArrayData& data = *column.data();
  switch (column.type_id()) {
    case arrow::Type::BOOL:
      out.push_back(static_cast<const arrow::BooleanArray&>(column).Value(row) ? '\1' : '\0');
      return;
    case arrow::Type::FLOAT:
      return append_number(data.GetValues<float>(1)[row], out);
    case arrow::Type::DOUBLE:
      return append_number(data.GetValues<double>(1)[row], out);
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return append_bytes(static_cast<const arrow::BinaryArray&>(column).GetView(row), out);
    default:
      break;
  }
  const int width = arrow::is_fixed_width(column.type_id()) ? column.type()->bit_width() / 8 : 0;
  if (width > 0 && column.type_id() != arrow::Type::DICTIONARY) {
    out.append(reinterpret_cast<const char*>(data.buffers[1]->data()) + (data.offset + row) * width,
               static_cast<std::size_t>(width));
    return;
  }
  const auto scalar = column.GetScalar(row);
  append_bytes(scalar.ok() ? (*scalar)->ToString() : std::string(), out);
}

/// The changes among rows that come by (series, time), of equal ones those before first.
class ChangedRows : public table::BatchSource {
 public:
  ChangedRows(std::unique_ptr<table::BatchSource> rows, ChangesSpec spec, std::shared_ptr<arrow::Schema> schema)
      : rows_(std::move(rows)), spec_(std::move(spec)), schema_(std::move(schema)) {}

  Result<BatchPtr> next() override {
    while (given_ == changed_.size()) {
      if (!rows_) return nullptr;
      if (spec_.cancel.cancelled()) return fail(ErrorCode::kCancelled, "comparison of versions cancelled");
      MARIGRAM_TRY(look_at_more());
    }
    const std::span<const std::uint32_t> part =
        std::span(changed_).subspan(given_, std::min(spec_.batch_rows, changed_.size() - given_));
    given_ += part.size();
    MARIGRAM_ASSIGN(BatchPtr rows, gather_->take(part));
    return give_out(std::move(rows));
  }

 private:
  /// Finds the changes among the next rows, but for those of the last series and time, of which more may come.
  Status look_at_more() {
    MARIGRAM_ASSIGN(BatchPtr batch, rows_->next());
    const bool is_end = !batch;
    if (is_end) rows_.reset();
    MARIGRAM_ASSIGN(batch, behind_rest(std::move(batch)));
    if (!batch) return {};
    std::vector<ArrayPtr> tags;
    tags.reserve(spec_.keys.tags.size());
    for (const int tag : spec_.keys.tags) tags.push_back(batch->column(tag));
    const std::vector<std::uint32_t> series = table::series_ranks(tags, batch->num_rows()).rank;
    const std::vector<std::uint64_t> times = table::index_keys(*batch->column(spec_.keys.index));
    const std::int8_t* const marks = batch->column_data(batch->num_columns() - 1)->GetValues<std::int8_t>(1);
    changed_.clear();
    given_ = 0;
    std::uint32_t begin = 0;
    for (std::uint32_t row = 1; row <= times.size(); ++row) {
      if (row < times.size() && times[row] == times[begin] && series[row] == series[begin]) continue;
      if (row == times.size() && !is_end) break;
      std::uint32_t middle = begin;
      while (middle < row && marks[middle] == 0) ++middle;
      compare(*batch, begin, middle, row);
      begin = row;
    }
    if (begin < times.size()) rest_ = batch->Slice(begin);
    if (changed_.empty()) return {};
    MARIGRAM_ASSIGN(gather_, table::RowGather::make({std::move(batch)}));
    return {};
  }

  /// The batch behind rows that were left over; null: there are none of either.
  Result<BatchPtr> behind_rest(BatchPtr batch) {
    if (!rest_) return batch;
    BatchPtr rest = std::exchange(rest_, nullptr);
    if (!batch) return rest;
    std::vector<ArrayPtr> columns;
    for (int i = 0; i < batch->num_columns(); ++i) {
      MARIGRAM_ASSIGN(auto joined, table::join_column({rest, batch}, i));
      columns.push_back(std::move(joined));
    }
    return arrow::RecordBatch::Make(batch->schema(), rest->num_rows() + batch->num_rows(), std::move(columns));
  }

  /// Rows of one series and time: those before from `begin` on, those after from `middle` on.
  void compare(const arrow::RecordBatch& batch, std::uint32_t begin, std::uint32_t middle, std::uint32_t end) {
    if (middle - begin == 1 && end - middle == 1) {
      if (bytes_of(batch, begin) == bytes_of(batch, middle)) return;
    } else if (begin < middle && middle < end) {
      return compare_all(batch, begin, middle, end);
    }
    for (std::uint32_t row = begin; row < end; ++row) changed_.push_back(row);
  }

  void compare_all(const arrow::RecordBatch& batch, std::uint32_t begin, std::uint32_t middle, std::uint32_t end) {
    std::unordered_map<std::string, std::uint64_t> left;
    for (std::uint32_t row = middle; row < end; ++row) ++left[bytes_of(batch, row)];
    std::unordered_map<std::string, std::uint64_t> kept;
    for (std::uint32_t row = begin; row < middle; ++row) {
      std::string bytes = bytes_of(batch, row);
      const auto same = left.find(bytes);
      if (same == left.end() || same->second == 0) {
        changed_.push_back(row);
      } else {
        --same->second;
        ++kept[std::move(bytes)];
      }
    }
    for (std::uint32_t row = middle; row < end; ++row) {
      const auto same = kept.find(bytes_of(batch, row));
      if (same == kept.end() || same->second == 0) {
        changed_.push_back(row);
      } else {
        --same->second;
      }
    }
  }

  /// Of all columns but the mark.
  static std::string bytes_of(const arrow::RecordBatch& batch, std::int64_t row) {
    std::string bytes;
    for (int i = 0; i + 1 < batch.num_columns(); ++i) append_cell(*batch.column(i), row, bytes);
    return bytes;
  }

  /// The mark becomes words in front.
  Result<BatchPtr> give_out(BatchPtr rows) const {
    const int last = rows->num_columns() - 1;
    const std::int8_t* const marks = rows->column_data(last)->GetValues<std::int8_t>(1);
    arrow::StringBuilder words;
    arrow::Status status = words.Reserve(rows->num_rows());
    for (std::int64_t row = 0; status.ok() && row < rows->num_rows(); ++row) {
      status = words.Append(marks[row] == 0 ? "removed" : "added");
    }
    auto change = status.ok() ? words.Finish() : status;
    if (!change.ok()) return no_memory(change.status());
    MARIGRAM_ASSIGN(rows, table::null_for_empty(std::move(rows), spec_.absent_tags));
    std::vector<ArrayPtr> columns = rows->columns();
    columns.pop_back();
    columns.insert(columns.begin(), *std::move(change));
    return arrow::RecordBatch::Make(schema_, rows->num_rows(), std::move(columns));
  }

  std::unique_ptr<table::BatchSource> rows_;  // null at the end
  ChangesSpec spec_;
  std::shared_ptr<arrow::Schema> schema_;
  BatchPtr rest_;  // rows of one series and time, of which more may come; null: none
  std::optional<table::RowGather> gather_;
  std::vector<std::uint32_t> changed_;  // rows of it that are to be given out,
  std::size_t given_ = 0;               // and how many have been
};

}  // namespace

Result<table::ScanStream> row_changes(std::unique_ptr<table::BatchSource> before,
                                      std::unique_ptr<table::BatchSource> after, ChangesSpec spec) {
  auto schema = spec.schema->AddField(0, arrow::field(spec.change, arrow::utf8(), false));
  if (!schema.ok()) return no_memory(schema.status());
  std::vector<std::unique_ptr<table::BatchSource>> sides;
  sides.push_back(std::make_unique<MarkedRows>(std::move(before), false));
  sides.push_back(std::make_unique<MarkedRows>(std::move(after), true));
  auto merged = table::merge_sources(std::move(sides), spec.keys, ScanOrder::kSeries, spec.batch_rows);
  return table::ScanStream{*schema, std::make_unique<ChangedRows>(std::move(merged), std::move(spec), *schema)};
}

}  // namespace marigram::query
