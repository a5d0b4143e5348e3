// Rows picked out of several batches, against Arrow's own Concatenate and Take. Without these a sort or a merge could
// give a row the values of another.
#include "table/row_gather.h"

#include <arrow/api.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api_vector.h>

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace marigram::table {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

std::shared_ptr<arrow::Schema> every_schema() {
  return arrow::schema(
      {arrow::field("i8", arrow::int8()), arrow::field("i16", arrow::int16()), arrow::field("i32", arrow::int32()),
       arrow::field("u64", arrow::uint64()), arrow::field("ts", arrow::timestamp(arrow::TimeUnit::NANO, "UTC")),
       arrow::field("text", arrow::utf8()), arrow::field("nullable", arrow::float64()),
       arrow::field("nullable_text", arrow::utf8()), arrow::field("flag", arrow::boolean()),
       arrow::field("months", arrow::month_day_nano_interval()), arrow::field("list", arrow::list(arrow::int32()))});
}

template <typename Builder, typename Value>
std::shared_ptr<arrow::Array> column(std::shared_ptr<arrow::DataType> type, std::int64_t rows, Value value) {
  auto made = arrow::MakeBuilder(type);
  auto& builder = static_cast<Builder&>(**made);
  for (std::int64_t i = 0; i < rows; ++i) EXPECT_TRUE(value(builder).ok());
  return *builder.Finish();
}

/// A slice of a batch of random values: its arrays do not begin at their buffers' first value.
BatchPtr random_batch(std::mt19937_64& random, std::int64_t rows) {
  const auto number = [&] { return random(); };
  const auto text = [&] {
    std::string letters(number() % 40, ' ');
    for (char& letter : letters) letter = static_cast<char>('a' + number() % 26);
    return letters;
  };
  const auto is_null = [&] { return number() % 3 == 0; };
  const std::int64_t all = rows + 3;
  arrow::ArrayVector columns;
  const auto schema = every_schema();
  const auto add = [&]<typename Builder>(auto value) {
    columns.push_back(column<Builder>(schema->field(static_cast<int>(columns.size()))->type(), all, value));
  };
  add.operator()<arrow::Int8Builder>([&](auto& b) { return b.Append(static_cast<std::int8_t>(number())); });
  add.operator()<arrow::Int16Builder>([&](auto& b) { return b.Append(static_cast<std::int16_t>(number())); });
  add.operator()<arrow::Int32Builder>([&](auto& b) { return b.Append(static_cast<std::int32_t>(number())); });
  add.operator()<arrow::UInt64Builder>([&](auto& b) { return b.Append(number()); });
  add.operator()<arrow::TimestampBuilder>([&](auto& b) { return b.Append(static_cast<std::int64_t>(number())); });
  add.operator()<arrow::StringBuilder>([&](auto& b) { return b.Append(text()); });
  add.operator()<arrow::DoubleBuilder>(
      [&](auto& b) { return is_null() ? b.AppendNull() : b.Append(static_cast<double>(number())); });
  add.operator()<arrow::StringBuilder>([&](auto& b) { return is_null() ? b.AppendNull() : b.Append(text()); });
  add.operator()<arrow::BooleanBuilder>([&](auto& b) { return b.Append(is_null()); });
  add.operator()<arrow::MonthDayNanoIntervalBuilder>(
      [&](auto& b) { return b.Append({1, 2, static_cast<std::int64_t>(number())}); });
  add.operator()<arrow::ListBuilder>([&](auto& b) {
    ARROW_RETURN_NOT_OK(b.Append());
    auto& values = static_cast<arrow::Int32Builder&>(*b.value_builder());
    for (std::uint64_t i = number() % 3; i > 0; --i) ARROW_RETURN_NOT_OK(values.Append(static_cast<std::int32_t>(i)));
    return arrow::Status::OK();
  });
  return arrow::RecordBatch::Make(schema, all, std::move(columns))->Slice(3);
}

std::vector<RowAt> random_rows(std::mt19937_64& random, const std::vector<BatchPtr>& batches, std::size_t count) {
  std::vector<RowAt> rows;
  while (rows.size() < count) {
    const auto batch = static_cast<std::uint32_t>(random() % batches.size());
    const auto length = static_cast<std::uint64_t>(batches[batch]->num_rows());
    if (length > 0) rows.push_back({batch, static_cast<std::uint32_t>(random() % length)});
  }
  return rows;
}

BatchPtr naive_take(const std::vector<BatchPtr>& batches, const std::vector<RowAt>& rows) {
  std::vector<std::int64_t> first;
  std::int64_t sum = 0;
  for (const BatchPtr& batch : batches) {
    first.push_back(sum);
    sum += batch->num_rows();
  }
  arrow::Int64Builder numbers;
  for (const RowAt& at : rows) EXPECT_TRUE(numbers.Append(first[at.batch] + at.row).ok());
  const auto whole = *arrow::ConcatenateRecordBatches(batches);
  return arrow::compute::Take(whole, *numbers.Finish())->record_batch();
}

TEST(RowGather, EqualsArrowsTake) {
  std::mt19937_64 random(20'240'101);
  for (int round = 0; round < 60; ++round) {
    std::vector<BatchPtr> batches;
    for (std::uint64_t i = 1 + random() % 5; i > 0; --i) {
      batches.push_back(random_batch(random, static_cast<std::int64_t>(random() % 50)));
    }
    batches.push_back(random_batch(random, 7));
    const auto rows = random_rows(random, batches, random() % 200);
    const auto gather = RowGather::make(batches);
    ASSERT_TRUE(gather);
    const auto taken = gather->take(rows);
    ASSERT_TRUE(taken);
    ASSERT_TRUE((*taken)->ValidateFull().ok());
    ASSERT_TRUE((*taken)->Equals(*naive_take(batches, rows)));
  }
}

TEST(RowGather, ManyRowsAreTakenColumnByColumnAtOnce) {
  std::mt19937_64 random(7);
  const std::vector<BatchPtr> batches{random_batch(random, 1'000), random_batch(random, 1)};
  const auto rows = random_rows(random, batches, 100'000);
  const auto taken = RowGather::make(batches)->take(rows);
  ASSERT_TRUE(taken);
  EXPECT_TRUE((*taken)->ValidateFull().ok());
  EXPECT_TRUE((*taken)->Equals(*naive_take(batches, rows)));
}

std::shared_ptr<arrow::Array> dictionary(const std::vector<std::string>& values, const std::vector<int>& indices) {
  arrow::StringBuilder entries;
  EXPECT_TRUE(entries.AppendValues(values).ok());
  arrow::Int32Builder numbers;
  EXPECT_TRUE(numbers.AppendValues(indices).ok());
  return *arrow::DictionaryArray::FromArrays(*numbers.Finish(), *entries.Finish());
}

TEST(RowGather, DictionariesMayDiffer) {
  const auto one = dictionary({"a", "b"}, {0, 1, 1});
  const auto other = dictionary({"b", "c"}, {0, 1, 0});
  const auto schema = arrow::schema({arrow::field("tag", one->type())});
  const std::vector<BatchPtr> batches{arrow::RecordBatch::Make(schema, 3, {one}),
                                      arrow::RecordBatch::Make(schema, 3, {other})};
  const std::vector<RowAt> rows{{1, 1}, {0, 0}, {1, 0}, {0, 2}};
  const auto taken = RowGather::make(batches)->take(rows);
  ASSERT_TRUE(taken);
  const auto& column = static_cast<const arrow::DictionaryArray&>(*(*taken)->column(0));
  const auto& values = static_cast<const arrow::StringArray&>(*column.dictionary());
  std::string joined;
  for (std::int64_t i = 0; i < column.length(); ++i) joined += values.GetString(column.GetValueIndex(i));
  EXPECT_EQ(joined, "cabb");
}

}  // namespace
}  // namespace marigram::table
