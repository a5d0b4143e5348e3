// Rows for tests of aggregates: a plain struct, its Arrow form in batches of any size, and results as plain values.
#pragma once

#include "model/rows.h"
#include "query/aggregate_input.h"
#include "query/aggregation.h"
#include "table/batch_source.h"
#include "table/scan.h"

#include <arrow/api.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query::testing {

/// A row of the test table: two tags, of which a series may lack the first, and a field of each type.
struct Point {
  std::optional<std::string> host;
  std::int64_t core = 0;
  std::int64_t time = 0;  // ms
  std::optional<double> f;
  std::optional<std::int64_t> i;
  std::optional<std::uint64_t> u;
  std::optional<bool> b;
  std::optional<std::string> s;

  auto series() const { return std::pair(host, core); }
};

inline std::shared_ptr<arrow::Schema> point_schema() {
  return arrow::schema({arrow::field("host", arrow::utf8()), arrow::field("core", arrow::int64(), false),
                        arrow::field("time", arrow::timestamp(arrow::TimeUnit::MILLI), false),
                        arrow::field("f", arrow::float64()), arrow::field("i", arrow::int64()),
                        arrow::field("u", arrow::uint64()), arrow::field("b", arrow::boolean()),
                        arrow::field("s", arrow::utf8())});
}

template <typename Builder, typename Member>
std::shared_ptr<arrow::Array> column_of(std::span<const Point> points, Member member) {
  Builder builder;
  for (const Point& point : points) {
    const auto& value = point.*member;
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  return *builder.Finish();
}

inline std::shared_ptr<arrow::RecordBatch> to_batch(std::span<const Point> points) {
  arrow::Int64Builder core;
  arrow::TimestampBuilder time(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
  for (const Point& point : points) {
    EXPECT_TRUE(core.Append(point.core).ok());
    EXPECT_TRUE(time.Append(point.time).ok());
  }
  return arrow::RecordBatch::Make(
      point_schema(), static_cast<std::int64_t>(points.size()),
      {column_of<arrow::StringBuilder>(points, &Point::host), *core.Finish(), *time.Finish(),
       column_of<arrow::DoubleBuilder>(points, &Point::f), column_of<arrow::Int64Builder>(points, &Point::i),
       column_of<arrow::UInt64Builder>(points, &Point::u), column_of<arrow::BooleanBuilder>(points, &Point::b),
       column_of<arrow::StringBuilder>(points, &Point::s)});
}

/// Gives out what it was given, then its error if it has one.
class ListSource final : public table::BatchSource {
 public:
  explicit ListSource(std::vector<std::shared_ptr<arrow::RecordBatch>> batches, std::optional<Error> error = {})
      : batches_(std::move(batches)), error_(std::move(error)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    if (next_ < batches_.size()) return batches_[next_++];
    if (error_) return std::unexpected(*error_);
    return nullptr;
  }

 private:
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  std::optional<Error> error_;
  std::size_t next_ = 0;
};

inline std::unique_ptr<AggregateInput> input_of(std::unique_ptr<table::BatchSource> rows,
                                                std::vector<std::string> tags = {"host", "core"}) {
  std::vector<std::unique_ptr<SeriesCursor>> stretches;
  stretches.push_back(batch_cursor(std::move(rows), model::IndexSpec{.tags = std::move(tags)}));
  return std::make_unique<AggregateInput>(std::move(stretches), CancelToken(), nullptr);
}

/// The points, `batch_rows` at a time, the batches with rows before and after that do not count.
inline std::unique_ptr<AggregateInput> input_of(std::span<const Point> points, std::size_t batch_rows) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  const auto whole = to_batch(points);
  for (std::size_t begin = 0; begin < points.size(); begin += batch_rows) {
    batches.push_back(whole->Slice(static_cast<std::int64_t>(begin), static_cast<std::int64_t>(batch_rows)));
  }
  return input_of(std::make_unique<ListSource>(std::move(batches)));
}

inline model::FieldValue cell(const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return std::monostate();
  switch (array.type_id()) {
    case arrow::Type::DOUBLE:
      return static_cast<const arrow::DoubleArray&>(array).Value(row);
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Array&>(array).Value(row);
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampArray&>(array).Value(row);
    case arrow::Type::UINT64:
      return static_cast<const arrow::UInt64Array&>(array).Value(row);
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanArray&>(array).Value(row);
    default:
      return static_cast<const arrow::StringArray&>(array).GetString(row);
  }
}

using Cells = std::vector<model::FieldValue>;

/// All rows of a stream; checks that batches are sound, not empty, and no larger than wanted.
inline Result<std::vector<Cells>> read_rows(table::ScanStream& stream, std::size_t batch_rows = 65'536) {
  std::vector<Cells> rows;
  while (true) {
    auto batch = stream.rows->next();
    if (!batch) return std::unexpected(batch.error());
    if (!*batch) return rows;
    EXPECT_TRUE((*batch)->ValidateFull().ok());
    EXPECT_TRUE((*batch)->schema()->Equals(*stream.schema));
    EXPECT_GT((*batch)->num_rows(), 0);
    EXPECT_LE((*batch)->num_rows(), static_cast<std::int64_t>(batch_rows));
    for (std::int64_t row = 0; row < (*batch)->num_rows(); ++row) {
      Cells& cells = rows.emplace_back();
      for (const auto& column : (*batch)->columns()) cells.push_back(cell(*column, row));
    }
  }
}

inline AggregationSpec request_of(std::vector<AggregateOf> columns) {
  return {.time = "time", .series = {"host", "core"}, .by = {}, .every = 0, .columns = std::move(columns)};
}

inline AggregateOf of(const std::string& aggregate, const std::string& field) {
  return {.aggregate = model::parse_aggregate(aggregate).value(), .field = field, .name = {}};
}

}  // namespace marigram::query::testing
