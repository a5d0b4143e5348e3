#include "query/row_key.h"

#include "segment/arrow_status.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <arrow/api.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

namespace marigram::query {
namespace {

/// Calls `f` with the array, of a tag type, as what it is.
template <typename F>
decltype(auto) as_tags(const arrow::Array& array, F f) {
  switch (array.type_id()) {
    case arrow::Type::INT32:
      return f(static_cast<const arrow::Int32Array&>(array));
    case arrow::Type::INT64:
      return f(static_cast<const arrow::Int64Array&>(array));
    case arrow::Type::UINT64:
      return f(static_cast<const arrow::UInt64Array&>(array));
    default:
      assert(array.type_id() == arrow::Type::STRING);
      return f(static_cast<const arrow::StringArray&>(array));
  }
}

TagValue tag_value(const arrow::StringArray& array, std::int64_t row) {
  return array.GetString(row);
}
template <typename Integers>
TagValue tag_value(const Integers& array, std::int64_t row) {
  return array.Value(row);
}

bool same_tag(const arrow::Array& array, std::int64_t a, std::int64_t b) {
  if (array.null_count() > 0 && (array.IsNull(a) || array.IsNull(b))) return array.IsNull(a) == array.IsNull(b);
  return as_tags(array, [&](const auto& tags) { return tags.GetView(a) == tags.GetView(b); });
}

template <typename Builder, typename T>
arrow::Status append_runs(std::span<const KeyRun> runs, std::size_t position, Builder& builder) {
  for (const KeyRun& run : runs) {
    const auto& value = run.key[position];
    if (!value) {
      ARROW_RETURN_NOT_OK(builder.AppendNulls(run.rows));
      continue;
    }
    for (std::int64_t i = 0; i < run.rows; ++i) ARROW_RETURN_NOT_OK(builder.Append(std::get<T>(*value)));
  }
  return arrow::Status::OK();
}

template <typename Builder, typename T>
Result<std::shared_ptr<arrow::Array>> build(std::span<const KeyRun> runs, std::size_t position) {
  Builder builder;
  std::shared_ptr<arrow::Array> column;
  arrow::Status status = append_runs<Builder, T>(runs, position, builder);
  if (status.ok()) status = builder.Finish(&column);
  if (!status.ok()) return std::unexpected(segment::from_arrow_status(status, "cannot make a column of tags", false));
  return column;
}

}  // namespace

bool is_tag_type(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT64:
      return true;
    default:
      return false;
  }
}

RowKey row_key(const Arrays& columns, std::int64_t row) {
  RowKey key(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i]->IsNull(row)) continue;
    key[i] = as_tags(*columns[i], [&](const auto& tags) { return tag_value(tags, row); });
  }
  return key;
}

SeriesKey to_series(const RowKey& key) {
  SeriesKey series;
  series.reserve(key.size());
  for (const auto& value : key) series.push_back(value.value_or(TagValue()));
  return series;
}

std::int64_t key_run_end(const Arrays& columns, std::int64_t row, std::int64_t rows) {
  return gallop(row, rows, [&](std::int64_t other) {
    return std::ranges::all_of(columns, [&](const auto& column) { return same_tag(*column, row, other); });
  });
}

Result<std::shared_ptr<arrow::Array>> key_column(std::span<const KeyRun> runs, std::size_t position,
                                                 const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT32:
      return build<arrow::Int32Builder, std::int32_t>(runs, position);
    case arrow::Type::INT64:
      return build<arrow::Int64Builder, std::int64_t>(runs, position);
    case arrow::Type::UINT64:
      return build<arrow::UInt64Builder, std::uint64_t>(runs, position);
    default:
      return build<arrow::StringBuilder, std::string>(runs, position);
  }
}

}  // namespace marigram::query
