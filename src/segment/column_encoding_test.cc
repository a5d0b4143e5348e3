// Without these tests a change to the choice of encodings could double the files or halve the speed of scans unnoticed,
// and tags could come back from their dictionaries altered.
#include "segment/column_encoding.h"

#include "model/schema.h"
#include "segment/dictionary_values.h"
#include "segment/tag_dictionary.h"
#include "segment/test_rows.h"

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>

namespace marigram::segment::testing {
namespace {

using model::TypeId;
using parquet::Encoding;

constexpr std::int64_t kRows = 131'072;

template <typename Builder, typename F>
std::shared_ptr<arrow::ChunkedArray> column(F value) {
  Builder builder;
  for (std::int64_t i = 0; i < kRows; ++i) EXPECT_TRUE(builder.Append(value(i)).ok());
  const auto array = *builder.Finish();
  return std::make_shared<arrow::ChunkedArray>(
      arrow::ArrayVector{array->Slice(0, 1'000), array->Slice(1'000, 0), array->Slice(1'000)});
}

ColumnEncoding choose(TypeId id, const std::shared_ptr<arrow::ChunkedArray>& values,
                      ColumnRole role = ColumnRole::kField) {
  return choose_encoding({.id = id}, role, *values);
}

TEST(ColumnEncoding, FollowsTheValues) {
  Random random(9);
  const auto below = [&](std::uint64_t end) { return static_cast<std::int64_t>(random() % end); };
  double walk = 100;
  double cents = 100;
  std::normal_distribution<double> step(0, 0.1);
  const auto doubles = [&](auto f) { return column<arrow::DoubleBuilder>(f); };
  const auto integers = [&](auto f) { return column<arrow::Int64Builder>(f); };
  EXPECT_EQ(choose(TypeId::kFloat64, doubles([&](auto) { return walk += step(random); })).encoding,
            Encoding::BYTE_STREAM_SPLIT);
  EXPECT_FALSE(choose(TypeId::kFloat64, doubles([&](auto) { return walk += step(random); })).dictionary);
  EXPECT_TRUE(choose(TypeId::kFloat64, doubles([&](auto) {
                       return std::round((cents += 0.01 * static_cast<double>(below(21) - 10)) * 100) / 100;
                     }))
                  .dictionary);
  EXPECT_TRUE(choose(TypeId::kFloat64, doubles([](auto) { return 1.5; })).dictionary);
  EXPECT_EQ(choose(TypeId::kInt64, integers([&](auto) { return below(1'000'000); })).encoding,
            Encoding::DELTA_BINARY_PACKED);
  EXPECT_TRUE(choose(TypeId::kInt64, integers([&](auto) { return below(20) * 1'000'000'007; })).dictionary);
  EXPECT_TRUE(choose(TypeId::kInt64, integers([&](auto) { return below(3'000); })).dictionary);
  EXPECT_FALSE(choose(TypeId::kInt64, integers([](std::int64_t i) { return i; })).dictionary);
  EXPECT_FALSE(
      choose(TypeId::kTimestamp, integers([](std::int64_t i) { return i * 1'000; }), ColumnRole::kIndex).dictionary);
  EXPECT_TRUE(choose(TypeId::kInt64, integers([](std::int64_t i) { return i; }), ColumnRole::kTag).dictionary);
  // Deltas that are noise are packed as tightly as a codec could; those of a regular series it would find again.
  EXPECT_EQ(choose(TypeId::kInt64, integers([&](auto) { return below(1 << 30); })).codec, CodecChoice::kNone);
  EXPECT_EQ(choose(TypeId::kInt64, integers([](std::int64_t i) { return i; })).codec, CodecChoice::kQuick);
  const auto strings = [&](std::uint64_t distinct) {
    return column<arrow::StringBuilder>([&, distinct](auto) { return "message " + std::to_string(below(distinct)); });
  };
  EXPECT_TRUE(choose(TypeId::kUtf8, strings(50)).dictionary);
  EXPECT_EQ(choose(TypeId::kUtf8, strings(UINT64_MAX)), (ColumnEncoding{.codec = CodecChoice::kDense}));
  const auto nothing = std::make_shared<arrow::ChunkedArray>(arrow::ArrayVector{}, arrow::float64());
  EXPECT_TRUE(choose(TypeId::kFloat64, nothing).dictionary);
  const auto nulls = std::make_shared<arrow::ChunkedArray>(*arrow::MakeArrayOfNull(arrow::int64(), 1'000));
  EXPECT_NE(choose(TypeId::kInt64, nulls).codec, CodecChoice::kDense);
}

TEST(TagDictionary, HoldsTheSameStrings) {
  Random random(10);
  for (int i = 0; i < 100; ++i) {
    const auto strings = random_array(random, {.id = TypeId::kUtf8}, static_cast<std::int64_t>(random() % 200), 0);
    const std::int64_t cut = strings->length() / 3;
    const arrow::ChunkedArray chunks(arrow::ArrayVector{strings->Slice(0, cut), strings->Slice(cut)}, arrow::utf8());
    const auto dictionary = to_dictionary(chunks);
    ASSERT_NE(dictionary, nullptr);
    EXPECT_TRUE(arrow::compute::Cast(arrow::Datum(dictionary), arrow::utf8())->chunked_array()->Equals(chunks));
    const auto values_of = [&](int chunk) {
      return static_cast<const arrow::DictionaryArray&>(*dictionary->chunk(chunk)).dictionary();
    };
    EXPECT_TRUE(values_of(0)->Equals(values_of(1)));
  }
  EXPECT_EQ(to_dictionary(arrow::ChunkedArray(*arrow::MakeArrayOfNull(arrow::utf8(), 3))), nullptr);
}

TEST(DictionaryValues, AreWhatArrowsCastGives) {
  Random random(11);
  for (int i = 0; i < 200; ++i) {
    const TypeId id = i % 2 == 0 ? TypeId::kUtf8 : TypeId::kBinary;
    const auto values = random_array(random, {.id = id}, static_cast<std::int64_t>(random() % 120), i % 3 == 0 ? 4 : 0);
    auto encoded = arrow::compute::DictionaryEncode(arrow::Datum(values))->make_array();
    // Runs, slices and orders that differ from the dictionary's.
    arrow::Int64Builder rows;
    for (std::int64_t row = 0; row < values->length(); ++row) {
      const auto pick = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(values->length()));
      for (std::uint64_t repeat = random() % (i % 5 == 0 ? 80 : 5); repeat > 0; --repeat)
        ASSERT_TRUE(rows.Append(pick).ok());
    }
    encoded = *arrow::compute::Take(*encoded, **rows.Finish());
    encoded = encoded->Slice(encoded->length() / 4);
    EXPECT_TRUE(value_of(dictionary_values(*encoded, "cannot read x"))
                    ->Equals(arrow::compute::Cast(*encoded, values->type()).ValueOrDie()));
  }
}

TEST(DictionaryValues, MoreThanAnArrayHoldsIsAnError) {
  arrow::StringBuilder entry;
  ASSERT_TRUE(entry.Append(std::string(1 << 20, 'x')).ok());
  arrow::Int32Builder indices;
  for (int i = 0; i < 2'050; ++i) ASSERT_TRUE(indices.Append(0).ok());
  const arrow::DictionaryArray array(arrow::dictionary(arrow::int32(), arrow::utf8()), *indices.Finish(),
                                     *entry.Finish());
  EXPECT_EQ(dictionary_values(array, "cannot read x").error().code, ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace marigram::segment::testing
