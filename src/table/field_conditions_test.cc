// Conditions on fields: every type against every kind of value. Without these a delete could take rows whose value only
// looks equal once it is rounded, or rows without one.
#include "table/field_conditions.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

namespace marigram::table {
namespace {

constexpr Comparison kAll[] = {Comparison::kEqual,       Comparison::kNotEqual, Comparison::kLess,
                               Comparison::kLessOrEqual, Comparison::kGreater,  Comparison::kGreaterOrEqual};

/// For each comparison, in their order, whether the rows fulfil it: "101" of three.
template <typename Builder, typename T>
std::vector<std::string> fulfilled(const std::vector<std::optional<T>>& values, const Value& with) {
  Builder builder;
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  const std::shared_ptr<arrow::Array> column = *builder.Finish();
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("x", column->type())}), column->length(), {column});
  std::vector<std::string> answers;
  for (const Comparison comparison : kAll) {
    std::string answer;
    for (const std::uint8_t row : fulfilling_rows(*batch, {{.field = "x", .comparison = comparison, .value = with}})) {
      answer += row != 0 ? '1' : '0';
    }
    answers.push_back(answer);
  }
  return answers;
}

using Answers = std::vector<std::string>;

TEST(FieldConditionsTest, NumbersAreComparedExactly) {
  constexpr std::int64_t kLarge = (std::int64_t{1} << 53) + 1;  // no double
  EXPECT_EQ((fulfilled<arrow::Int64Builder, std::int64_t>({kLarge - 1, kLarge, std::nullopt}, kLarge)),
            (Answers{"010", "100", "100", "110", "000", "010"}));
  EXPECT_EQ((fulfilled<arrow::Int64Builder, std::int64_t>({kLarge - 1, kLarge, std::nullopt}, 9007199254740992.0)),
            (Answers{"100", "010", "000", "100", "010", "110"}));
  EXPECT_EQ((fulfilled<arrow::UInt64Builder, std::uint64_t>({0, UINT64_MAX}, std::int64_t{-1})),
            (Answers{"00", "11", "00", "00", "11", "11"}));
  EXPECT_EQ((fulfilled<arrow::UInt64Builder, std::uint64_t>({UINT64_MAX - 1, UINT64_MAX}, UINT64_MAX)),
            (Answers{"01", "10", "10", "11", "00", "01"}));
  EXPECT_EQ((fulfilled<arrow::Int32Builder, std::int32_t>({-1, 0, 1}, std::uint64_t{0})),
            (Answers{"010", "101", "100", "110", "001", "011"}));
  EXPECT_EQ((fulfilled<arrow::FloatBuilder, float>({0.1F, 0.5F}, 0.1)), (Answers{"00", "11", "00", "00", "11", "11"}));
}

TEST(FieldConditionsTest, NanAndZerosAreAsIeee754Says) {
  const double nan = std::nan("");
  EXPECT_EQ((fulfilled<arrow::DoubleBuilder, double>({nan, -0.0, 1.0}, 0.0)),
            (Answers{"010", "101", "000", "010", "001", "011"}));
  EXPECT_EQ((fulfilled<arrow::DoubleBuilder, double>({nan, 1.0}, nan)), (Answers{"00", "11", "00", "00", "00", "00"}));
}

TEST(FieldConditionsTest, TextsAndBools) {
  EXPECT_EQ((fulfilled<arrow::StringBuilder, std::string>({"a", "b", "", std::nullopt}, "a")),
            (Answers{"1000", "0110", "0010", "1010", "0100", "1100"}));
  EXPECT_EQ((fulfilled<arrow::BooleanBuilder, bool>({false, true, std::nullopt}, true)),
            (Answers{"010", "100", "100", "110", "000", "010"}));
}

TEST(FieldConditionsTest, AllMustBeFulfilled) {
  arrow::Int64Builder builder;
  ASSERT_TRUE(builder.AppendValues({1, 2, 3, 4}).ok());
  const auto batch =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("x", arrow::int64())}), 4, {*builder.Finish()});
  const auto at_least = FieldCondition{"x", Comparison::kGreaterOrEqual, std::int64_t{2}};
  const auto below = FieldCondition{"x", Comparison::kLess, std::int64_t{4}};
  EXPECT_EQ(fulfilling_rows(*batch, {at_least, below}), (std::vector<std::uint8_t>{0, 1, 1, 0}));
  EXPECT_EQ(fulfilling_rows(*batch, {}), (std::vector<std::uint8_t>{1, 1, 1, 1}));
  EXPECT_EQ(fields_of({at_least, below}), (std::vector<std::string>{"x"}));
}

}  // namespace
}  // namespace marigram::table
