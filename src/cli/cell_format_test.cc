// Without these, what `scan` prints could differ from what is stored: digits lost, JSON that no parser takes.
#include "cli/cell_format.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace marigram::cli {
namespace {

std::shared_ptr<arrow::Array> array_of(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

std::vector<std::string> texts(const arrow::Array& array) {
  std::vector<std::string> out(static_cast<std::size_t>(array.length()));
  for (std::int64_t i = 0; i < array.length(); ++i) append_text(array, i, out[static_cast<std::size_t>(i)]);
  return out;
}

std::vector<std::string> jsons(const arrow::Array& array) {
  std::vector<std::string> out(static_cast<std::size_t>(array.length()));
  for (std::int64_t i = 0; i < array.length(); ++i) append_json(array, i, out[static_cast<std::size_t>(i)]);
  return out;
}

using Strings = std::vector<std::string>;

TEST(CellFormat, WritesIntegersToTheirEnds) {
  EXPECT_EQ(texts(*array_of(arrow::int64(), "[-9223372036854775808, 9223372036854775807, null]")),
            (Strings{"-9223372036854775808", "9223372036854775807", ""}));
  EXPECT_EQ(texts(*array_of(arrow::uint64(), "[18446744073709551615]")), Strings{"18446744073709551615"});
  EXPECT_EQ(jsons(*array_of(arrow::int32(), "[-1, null]")), (Strings{"-1", "null"}));
}

TEST(CellFormat, WritesFloatsShortestAndRecognisable) {
  arrow::DoubleBuilder builder;
  const double infinity = std::numeric_limits<double>::infinity();
  ASSERT_TRUE(builder.AppendValues({39.02, 1, -3, 0.1, 1e20, std::nan(""), infinity, -0.0}).ok());
  const auto array = builder.Finish().ValueOrDie();
  EXPECT_EQ(texts(*array), (Strings{"39.02", "1.0", "-3.0", "0.1", "1e+20", "nan", "inf", "-0.0"}));
  EXPECT_EQ(jsons(*array), (Strings{"39.02", "1.0", "-3.0", "0.1", "1e+20", "null", "null", "-0.0"}));
  EXPECT_EQ(texts(*array_of(arrow::float32(), "[0.1, 16777216]")), (Strings{"0.1", "16777216.0"}));
}

RC_GTEST_PROP(CellFormat, FloatsComeBack, (std::uint64_t bits)) {
  const double value = std::bit_cast<double>(bits);
  RC_PRE(std::isfinite(value));
  arrow::DoubleBuilder builder;
  RC_ASSERT(builder.Append(value).ok());
  const auto array = builder.Finish().ValueOrDie();
  const std::string text = texts(*array).front();
  RC_ASSERT(std::bit_cast<std::uint64_t>(std::strtod(text.c_str(), nullptr)) == bits);
  RC_ASSERT(std::bit_cast<std::uint64_t>(nlohmann::json::parse(jsons(*array).front()).get<double>()) == bits);
}

TEST(CellFormat, WritesTimesAsRfc3339) {
  EXPECT_EQ(texts(*array_of(arrow::timestamp(arrow::TimeUnit::MICRO), "[0, -1, 1357020000123456]")),
            (Strings{"1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2013-01-01T06:00:00.123456Z"}));
  EXPECT_EQ(jsons(*array_of(arrow::timestamp(arrow::TimeUnit::NANO, "America/New_York"), "[1]")),
            Strings{"\"1970-01-01T00:00:00.000000001Z\""});
}

TEST(CellFormat, WritesOtherTypes) {
  EXPECT_EQ(texts(*array_of(arrow::boolean(), "[true, false]")), (Strings{"true", "false"}));
  EXPECT_EQ(texts(*array_of(arrow::binary(), "[\"\\u0000A\"]")), Strings{"0041"});
  EXPECT_EQ(jsons(*array_of(arrow::decimal128(10, 2), "[\"1.50\"]")), Strings{"\"1.50\""});
  EXPECT_EQ(jsons(*array_of(arrow::date32(), "[1]")), Strings{"\"1970-01-02\""});
  EXPECT_EQ(texts(*array_of(arrow::dictionary(arrow::int32(), arrow::utf8()), "[\"EWR\", \"JFK\"]")),
            (Strings{"EWR", "JFK"}));
}

TEST(CellFormat, NestsJson) {
  const auto lists = array_of(arrow::list(arrow::float64()), "[[1.5, null], []]");
  EXPECT_EQ(jsons(*lists), (Strings{"[1.5,null]", "[]"}));
  EXPECT_EQ(texts(*lists), (Strings{"[1.5,null]", "[]"}));
  const auto type = arrow::struct_({arrow::field("a\"b", arrow::int64()), arrow::field("s", arrow::utf8())});
  EXPECT_EQ(jsons(*array_of(type, R"([{"a\"b": 1, "s": "x"}])")), Strings{R"({"a\"b":1,"s":"x"})"});
}

TEST(CellFormat, NestsSlices) {
  const auto lists = array_of(arrow::list(arrow::int64()), "[[1], [2, 3], [4]]")->Slice(1);
  EXPECT_EQ(jsons(*lists), (Strings{"[2,3]", "[4]"}));
}

TEST(CellFormat, JsonStringsAlwaysParse) {
  std::string out;
  append_json_string("tab\t\"quote\" \\ \x01 Zürich \xff", out);
  EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), "tab\t\"quote\" \\ \x01 Zürich \uFFFD");
}

}  // namespace
}  // namespace marigram::cli
