// Without these tests a table could record coverage that its rows do not have, or take two rows for one bucket.
#include "segment/coverage_builder.h"

#include "coverage/bucket_grid.h"
#include "coverage/bucket_set.h"
#include "model/index.h"
#include "model/schema.h"
#include "segment/arrow_schema.h"
#include "segment/test_rows.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::segment::testing {
namespace {

using model::TypeId;
using Duplicates = CoverageBuilder::Duplicates;

/// What the builder should find, by the dumbest way.
struct Naive {
  std::map<SeriesKey, std::set<std::uint64_t>> coverage;
  std::set<SeriesKey> series;
  std::optional<IndexValue> min;
  std::optional<IndexValue> max;
  bool duplicate = false;
  bool sorted = true;
};

TagValue tag_at(const arrow::Array& array, std::int64_t row) {
  switch (array.type_id()) {
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Array&>(array).Value(row);
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Array&>(array).Value(row);
    case arrow::Type::UINT64:
      return static_cast<const arrow::UInt64Array&>(array).Value(row);
    default:
      return static_cast<const arrow::StringArray&>(array).GetString(row);
  }
}

Naive summarise(const Rows& rows, Dialect dialect) {
  Naive naive;
  const coverage::BucketGrid grid(dialect, rows.index.kind);
  const auto index = rows.batch->GetColumnByName(rows.index.column);
  const model::DataType& type = rows.schema.find(rows.index.column)->type;
  std::optional<std::pair<SeriesKey, IndexValue>> last;
  for (std::int64_t row = 0; row < rows.batch->num_rows(); ++row) {
    SeriesKey key;
    for (const std::string& tag : rows.index.tags) key.push_back(tag_at(*rows.batch->GetColumnByName(tag), row));
    naive.series.insert(key);
    if (index->IsNull(row)) continue;
    const std::int64_t raw = index->data()->GetValues<std::int64_t>(1)[row];
    IndexValue value = Instant::from_units(raw, type.unit);
    if (type.id == TypeId::kInt64) value = raw;
    if (type.id == TypeId::kUInt64) value = static_cast<std::uint64_t>(raw);
    const SeriesKey covered = dialect == Dialect::kV7 ? key : SeriesKey{};
    naive.duplicate |= !naive.coverage[covered].insert(value_of(grid.id_of(value))).second;
    naive.min = naive.min ? std::min(*naive.min, value) : value;
    naive.max = naive.max ? std::max(*naive.max, value) : value;
    if (last && std::pair(key, value) < *last) naive.sorted = false;
    last = {key, value};
  }
  return naive;
}

void expect_same(const RowSummary& summary, const Naive& naive, const Rows& rows) {
  EXPECT_EQ(summary.rows, static_cast<std::uint64_t>(rows.batch->num_rows()));
  EXPECT_EQ(summary.min, naive.min);
  EXPECT_EQ(summary.max, naive.max);
  ASSERT_EQ(summary.coverage.size(), naive.coverage.size());
  for (const auto& [key, set] : summary.coverage) {
    const std::vector<std::uint64_t> ids = set.ids();
    EXPECT_EQ(std::set<std::uint64_t>(ids.begin(), ids.end()), naive.coverage.at(key));
  }
  if (rows.index.tags.empty()) {
    EXPECT_TRUE(std::holds_alternative<model::NoSeries>(summary.layout));
  } else if (naive.series.size() == 1) {
    EXPECT_EQ(std::get<SeriesKey>(summary.layout), *naive.series.begin());
  } else {
    EXPECT_TRUE(std::holds_alternative<model::MixedSeries>(summary.layout));
  }
}

/// Distinct times (one row a second), few series, in the order `shuffled` or sorted by (series, time).
Rows random_series(Random& random, std::int64_t count, bool shuffled) {
  Rows rows;
  const TypeId tag_types[] = {TypeId::kUtf8, TypeId::kInt32, TypeId::kInt64, TypeId::kUInt64};
  rows.index = {
      .column = "t",
      .tags = {},
      .kind = model::TimestampIndex{.bucket = {.count = 1, .unit = BucketWidth::Unit::kSecond}, .timezone = {}}};
  rows.schema.columns = {{.name = "t", .type = {.id = TypeId::kTimestamp, .unit = TimeUnit::kMilli}}};
  const std::size_t tags = random() % 3;
  for (std::size_t i = 0; i < tags; ++i) {
    rows.index.tags.push_back(std::string(1, static_cast<char>('a' + i)));
    rows.schema.columns.push_back({.name = rows.index.tags.back(), .type = {.id = tag_types[random() % 4]}});
  }
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders;
  for (std::size_t i = 0; i < tags; ++i) {
    builders.push_back(*arrow::MakeBuilder(value_of(to_arrow_type(rows.schema.columns[i + 1].type))));
  }
  const std::int64_t series = 1 + static_cast<std::int64_t>(random() % 9);
  for (std::int64_t s = 0; s < series; ++s) {
    for (std::int64_t i = 0; i < count; ++i) {
      // Without tags the series share one line.
      EXPECT_TRUE(
          times.Append((tags == 0 ? s * count + i : i) * 1'000 + static_cast<std::int64_t>(random() % 1'000)).ok());
      for (std::size_t tag = 0; tag < tags; ++tag) {
        const std::int64_t value = tags == 1 ? s : (tag == 0 ? s / 3 : s % 3);
        switch (rows.schema.columns[tag + 1].type.id) {
          case TypeId::kInt32:
            EXPECT_TRUE(
                static_cast<arrow::Int32Builder&>(*builders[tag]).Append(static_cast<std::int32_t>(value - 1)).ok());
            break;
          case TypeId::kInt64:
            EXPECT_TRUE(static_cast<arrow::Int64Builder&>(*builders[tag]).Append(value - 1).ok());
            break;
          case TypeId::kUInt64:
            EXPECT_TRUE(
                static_cast<arrow::UInt64Builder&>(*builders[tag]).Append(static_cast<std::uint64_t>(value)).ok());
            break;
          default:
            EXPECT_TRUE(static_cast<arrow::StringBuilder&>(*builders[tag])
                            .Append(std::string(static_cast<std::size_t>(value * 7), 'x'))
                            .ok());
            break;
        }
      }
    }
  }
  arrow::ArrayVector columns{*times.Finish()};
  for (auto& builder : builders) columns.push_back(*builder->Finish());
  auto batch = arrow::RecordBatch::Make(value_of(to_arrow(rows.schema)), series * count, columns);
  if (shuffled) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(batch->num_rows()));
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
    std::ranges::shuffle(order, random);
    arrow::Int64Builder indices;
    EXPECT_TRUE(indices.AppendValues(order).ok());
    batch = arrow::compute::Take(arrow::Datum(batch), arrow::Datum(*indices.Finish()))->record_batch();
  }
  rows.batch = batch;
  return rows;
}

/// The same rows with string tags as dictionaries (of other tags in each piece).
std::shared_ptr<arrow::RecordBatch> with_dictionaries(const std::shared_ptr<arrow::RecordBatch>& batch) {
  auto result = batch;
  for (int i = 0; i < batch->num_columns(); ++i) {
    if (batch->column(i)->type_id() != arrow::Type::STRING) continue;
    const auto encoded = arrow::compute::DictionaryEncode(arrow::Datum(batch->column(i)))->make_array();
    result = *result->SetColumn(i, arrow::field(batch->schema()->field(i)->name(), encoded->type()), encoded);
  }
  return result;
}

TEST(CoverageBuilder, FindsWhatANaiveLoopFinds) {
  for (std::uint64_t seed = 1; seed <= 120; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const Rows rows = random_series(random, 1 + static_cast<std::int64_t>(random() % 300), seed % 2 == 0);
    const Naive naive = summarise(rows, Dialect::kV7);
    ASSERT_FALSE(naive.duplicate);
    CoverageBuilder builder(Dialect::kV7, rows.index, Duplicates::kReject, "the rows");
    const std::int64_t step = 1 + static_cast<std::int64_t>(random() % 400);
    for (std::int64_t offset = 0; offset < rows.batch->num_rows(); offset += step) {
      const auto piece = rows.batch->Slice(offset, step);
      expect_ok(builder.add(random() % 2 == 0 ? *piece : *with_dictionaries(piece)));
    }
    const RowSummary summary = builder.finish();
    expect_same(summary, naive, rows);
    EXPECT_EQ(summary.sorted, naive.sorted);
  }
}

TEST(CoverageBuilder, NoticesEveryDuplicateOrNone) {
  int duplicates = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Rows rows = random_series(random, 1 + static_cast<std::int64_t>(random() % 100), seed % 2 == 0);
    if (random() % 2 == 0) {  // one row comes again, somewhere
      const auto row = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(rows.batch->num_rows()));
      rows.batch = *arrow::ConcatenateRecordBatches({rows.batch, rows.batch->Slice(row, 1)});
    }
    const Naive naive = summarise(rows, Dialect::kV7);
    CoverageBuilder builder(Dialect::kV7, rows.index, Duplicates::kReject, "the rows");
    const std::int64_t step = 1 + static_cast<std::int64_t>(random() % 150);
    Status status;
    for (std::int64_t offset = 0; status && offset < rows.batch->num_rows(); offset += step) {
      status = builder.add(*rows.batch->Slice(offset, step));
    }
    ASSERT_EQ(!status, naive.duplicate);
    duplicates += naive.duplicate ? 1 : 0;
    if (!naive.duplicate) continue;
    EXPECT_EQ(status.error().code, ErrorCode::kOverlap);
    const auto& overlap = std::get<OverlapInfo>(status.error().detail);
    EXPECT_EQ(overlap.buckets, 1U);
    EXPECT_EQ(overlap.series.empty(), rows.index.tags.empty());
    EXPECT_NE(status.error().message.find(overlap.example), std::string::npos);
  }
  EXPECT_GT(duplicates, 50);
}

TEST(CoverageBuilder, NamesTheSeriesAndBucketOfADuplicate) {
  const Rows rows = tick_rows(2, 10);
  CoverageBuilder builder(Dialect::kV7, rows.index, Duplicates::kReject, "data/x.parquet");
  expect_ok(builder.add(*rows.batch));
  const auto status = builder.add(*rows.batch->Slice(13, 2));
  ASSERT_FALSE(status);
  const auto& overlap = std::get<OverlapInfo>(status.error().detail);
  EXPECT_EQ(overlap.buckets, 2U);
  EXPECT_EQ(overlap.series, "symbol=S0001");
  EXPECT_EQ(overlap.example, "[2024-01-01T00:00:03Z, 2024-01-01T00:00:04Z)");
  EXPECT_NE(status.error().message.find("data/x.parquet"), std::string::npos) << status.error().message;
}

TEST(CoverageBuilder, V1CountsBucketsNotRowsAndSkipsNullTimes) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Rows rows = random_series(random, 200, seed % 2 == 0);
    rows.index.kind = model::TimestampIndex{.bucket = {.count = 1, .unit = BucketWidth::Unit::kMinute}, .timezone = {}};
    if (seed % 3 == 0) {  // some times are null
      auto data = rows.batch->column(0)->data()->Copy();
      auto valid = *arrow::AllocateBitmap(rows.batch->num_rows());
      for (std::int64_t i = 0; i < rows.batch->num_rows(); ++i) {
        arrow::bit_util::SetBitTo(valid->mutable_data(), i, random() % 5 != 0);
      }
      data->buffers[0] = std::move(valid);
      data->null_count = arrow::kUnknownNullCount;
      data->offset = 0;
      rows.batch = *rows.batch->SetColumn(0, rows.batch->schema()->field(0), arrow::MakeArray(data));
    }
    CoverageBuilder builder(Dialect::kV1, rows.index, Duplicates::kAllow, "the rows");
    for (std::int64_t offset = 0; offset < rows.batch->num_rows(); offset += 77) {
      expect_ok(builder.add(*rows.batch->Slice(offset, 77)));
    }
    const Naive naive = summarise(rows, Dialect::kV1);
    const RowSummary summary = builder.finish();
    expect_same(summary, naive, rows);
    // With null times and several series the builder may call sorted rows unsorted, never the reverse.
    EXPECT_TRUE(naive.sorted || !summary.sorted);
    if (seed % 3 != 0) {
      EXPECT_EQ(summary.sorted, naive.sorted);
    }
  }
}

TEST(CoverageBuilder, IntegerIndexesUseTheirWholeRange) {
  arrow::Int64Builder signed_values;
  ASSERT_TRUE(signed_values.AppendValues({INT64_MIN, -1, 0, INT64_MAX}).ok());
  arrow::UInt64Builder unsigned_values;
  ASSERT_TRUE(unsigned_values.AppendValues({0, 7, 1ULL << 63, UINT64_MAX}).ok());
  const std::pair<model::IndexKind, std::shared_ptr<arrow::Array>> cases[] = {
      {model::Int64Index{.step = 1}, *signed_values.Finish()},
      {model::UInt64Index{.step = 5}, *unsigned_values.Finish()}};
  for (const auto& [kind, values] : cases) {
    const model::IndexSpec index{.column = "i", .tags = {}, .kind = kind};
    const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("i", values->type())}), 4, {values});
    CoverageBuilder builder(Dialect::kV7, index, Duplicates::kReject, "the rows");
    expect_ok(builder.add(*batch));
    const RowSummary summary = builder.finish();
    EXPECT_TRUE(summary.sorted);
    EXPECT_EQ(summary.coverage.at({}).size(), 4U);
    if (std::holds_alternative<model::Int64Index>(kind)) {
      EXPECT_EQ(summary.min, IndexValue(INT64_MIN));
      EXPECT_EQ(summary.max, IndexValue(INT64_MAX));
    } else {
      EXPECT_EQ(summary.min, IndexValue(std::uint64_t{0}));
      EXPECT_EQ(summary.max, IndexValue(UINT64_MAX));
    }
  }
}

TEST(CoverageBuilder, RefusesRowsThatCannotBeCovered) {
  const Rows rows = tick_rows(1, 3);
  const auto code = [&](const std::shared_ptr<arrow::RecordBatch>& batch, Dialect dialect = Dialect::kV7) {
    CoverageBuilder builder(dialect, rows.index, Duplicates::kReject, "the rows");
    const auto status = builder.add(*batch);
    EXPECT_FALSE(status);
    if (!status) {
      EXPECT_NE(status.error().message.find("the rows"), std::string::npos) << status.error().message;
    }
    return status ? ErrorCode::kInternal : status.error().code;
  };
  const auto nulls = [&](int column) {
    const auto field = rows.batch->schema()->field(column)->WithNullable(true);
    return *rows.batch->SetColumn(column, field, *arrow::MakeArrayOfNull(field->type(), 3));
  };
  EXPECT_EQ(code(nulls(0)), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(nulls(1)), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(nulls(1), Dialect::kV1), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(*rows.batch->RemoveColumn(0)), ErrorCode::kSchemaMismatch);
  EXPECT_EQ(code(*rows.batch->RemoveColumn(1)), ErrorCode::kSchemaMismatch);
  const auto integers = *arrow::compute::Cast(*rows.batch->column(0), arrow::int64());
  EXPECT_EQ(code(*rows.batch->SetColumn(0, arrow::field("ts", arrow::int64()), integers)), ErrorCode::kSchemaMismatch);
  const auto millis = arrow::timestamp(arrow::TimeUnit::MILLI);
  CoverageBuilder builder(Dialect::kV7, rows.index, Duplicates::kReject, "the rows");
  expect_ok(builder.add(*rows.batch));
  const auto other_unit =
      *rows.batch->SetColumn(0, arrow::field("ts", millis), *arrow::compute::Cast(*rows.batch->column(0), millis));
  EXPECT_EQ(builder.add(*other_unit).error().code, ErrorCode::kSchemaMismatch);
}

TEST(CoverageBuilder, ManySeriesOfOneRowEach) {
  const Rows rows = tick_rows(5'000, 2);
  // In time order, so that every row is of another series than the one before.
  arrow::Int64Builder order;
  for (std::int64_t i = 0; i < 10'000; ++i) ASSERT_TRUE(order.Append(i % 5'000 * 2 + i / 5'000).ok());
  const auto batch = arrow::compute::Take(arrow::Datum(rows.batch), arrow::Datum(*order.Finish()))->record_batch();
  CoverageBuilder builder(Dialect::kV7, rows.index, Duplicates::kReject, "the rows");
  expect_ok(builder.add(*batch));
  const RowSummary summary = builder.finish();
  ASSERT_EQ(summary.coverage.size(), 5'000U);
  for (const auto& [key, set] : summary.coverage) EXPECT_EQ(set.size(), 2U);
  EXPECT_FALSE(summary.sorted);
}

TEST(CoverageBuilder, V1HasALastBucket) {
  const model::IndexSpec index{
      .column = "t",
      .tags = {},
      .kind = model::TimestampIndex{.bucket = {.count = 1, .unit = BucketWidth::Unit::kSecond}, .timezone = {}}};
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
  ASSERT_TRUE(times.Append(4'294'967'296'000).ok());  // 2^32 seconds
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("t", times.type())}), 1, {*times.Finish()});
  CoverageBuilder v1(Dialect::kV1, index, Duplicates::kAllow, "the rows");
  EXPECT_EQ(v1.add(*batch).error().code, ErrorCode::kInvalidInput);
  CoverageBuilder v7(Dialect::kV7, index, Duplicates::kReject, "the rows");
  expect_ok(v7.add(*batch));
}

TEST(CoverageBuilder, NothingIsASummaryToo) {
  const Rows rows = tick_rows(1, 3);
  CoverageBuilder builder(Dialect::kV7, rows.index, Duplicates::kReject, "the rows");
  expect_ok(builder.add(*rows.batch->Slice(0, 0)));
  const RowSummary summary = builder.finish();
  EXPECT_EQ(summary.rows, 0U);
  EXPECT_FALSE(summary.min);
  EXPECT_TRUE(summary.coverage.empty());
  EXPECT_TRUE(summary.sorted);
}

}  // namespace
}  // namespace marigram::segment::testing
