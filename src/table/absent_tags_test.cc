// Null and the empty value of a tag. Without these a tag that a series lacks could read as an empty text, or a value as
// none, above all in slices of batches.
#include "table/absent_tags.h"

#include <arrow/api.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace marigram::table {
namespace {

using Values = std::vector<std::optional<std::string>>;

std::shared_ptr<arrow::Array> to_array(const Values& values) {
  arrow::StringBuilder builder;
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return *builder.Finish();
}

Values to_values(const arrow::Array& array) {
  EXPECT_TRUE(array.ValidateFull().ok());
  const auto& strings = static_cast<const arrow::StringArray&>(array);
  Values values;
  std::int64_t nulls = 0;
  for (std::int64_t i = 0; i < strings.length(); ++i) {
    values.push_back(strings.IsNull(i) ? std::nullopt : std::optional(strings.GetString(i)));
    nulls += strings.IsNull(i) ? 1 : 0;
  }
  EXPECT_EQ(array.null_count(), nulls);
  return values;
}

TEST(AbsentTagsTest, ThereAndBackInAnySlice) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 500; ++round) {
    Values values(random() % 70);
    for (auto& value : values) {
      const std::uint64_t kind = random() % 4;
      if (kind > 0) value = kind == 1 ? "" : std::string(kind, 'x');
    }
    const auto offset = static_cast<std::int64_t>(random() % (values.size() + 1));
    const auto slice = to_array(values)->Slice(offset, static_cast<std::int64_t>(random() % 70));
    Values with_empty = to_values(*slice);
    Values with_null = with_empty;
    for (auto& value : with_empty) value = value.value_or("");
    for (auto& value : with_null) {
      if (value && value->empty()) value.reset();
    }
    const auto filled = empty_for_null(slice);
    ASSERT_TRUE(filled);
    EXPECT_EQ(to_values(**filled), with_empty);
    for (const auto& tags : {slice, *filled}) {
      const auto numbers = *arrow::MakeArrayOfNull(arrow::int64(), tags->length());
      const auto batch = arrow::RecordBatch::Make(
          arrow::schema({arrow::field("n", arrow::int64()), arrow::field("tag", arrow::utf8())}), tags->length(),
          {numbers, tags});
      const auto nulled = null_for_empty(batch, {1});
      ASSERT_TRUE(nulled);
      ASSERT_TRUE((*nulled)->ValidateFull().ok());
      EXPECT_TRUE((*nulled)->schema()->Equals(*batch->schema()));
      EXPECT_EQ(to_values(*(*nulled)->column(1)), with_null);
      EXPECT_EQ(to_values(*tags), tags == slice ? to_values(*slice) : with_empty) << "the batch itself was changed";
    }
  }
}

TEST(AbsentTagsTest, WhatLacksNothingIsLeft) {
  const auto tags = to_array({"a", "b"});
  EXPECT_EQ(empty_for_null(tags).value(), tags);
  const auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("tag", arrow::utf8())}), 2, {tags});
  EXPECT_EQ(null_for_empty(batch, {0}).value()->column(0)->data(), batch->column(0)->data());
  EXPECT_EQ(null_for_empty(batch, {}).value(), batch);
}

}  // namespace
}  // namespace marigram::table
