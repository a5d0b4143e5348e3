// Without these, an import could store another value than the file's: a zone shifted, a code "NA" lost, a digit
// dropped.
#include "cli/cell_convert.h"

#include "cli/column_plan.h"
#include "cli/time_format.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace marigram::cli {
namespace {

std::shared_ptr<arrow::Array> array_of(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

PlannedColumn column_of(std::shared_ptr<arrow::DataType> type, bool is_time = false, bool is_tag = false) {
  return {.field = arrow::field("c", std::move(type)),
          .source = "c",
          .read_type = nullptr,
          .constant = nullptr,
          .is_time = is_time,
          .is_tag = is_tag};
}

const auto kMicros = arrow::timestamp(arrow::TimeUnit::MICRO);

TEST(ConvertCells, ParsesTimes) {
  TimeFormat format;
  const auto times = array_of(arrow::utf8(), R"(["2013-01-01T06:00:00Z", "2013-01-01T01:00:00-05:00"])");
  const auto converted = convert_cells(times, column_of(kMicros, true), format, true);
  ASSERT_TRUE(converted);
  EXPECT_TRUE((*converted)->Equals(array_of(kMicros, "[1357020000000000, 1357020000000000]")));
}

TEST(ConvertCells, NamesTheBadTime) {
  TimeFormat format;
  const auto times = array_of(arrow::utf8(), R"(["2013-01-01T06:00:00Z", "noon"])");
  const auto converted = convert_cells(times, column_of(kMicros, true), format, true);
  ASSERT_FALSE(converted);
  EXPECT_EQ(converted.error().value, "noon");
  EXPECT_EQ(converted.error().row, 1);
  EXPECT_NE(converted.error().problem.find("--time-format"), std::string::npos);
}

TEST(ConvertCells, WantsEveryTime) {
  TimeFormat format;
  for (const char* json : {R"([""])", R"(["NA"])", R"([null])"}) {
    const auto converted = convert_cells(array_of(arrow::utf8(), json), column_of(kMicros, true), format, true);
    ASSERT_FALSE(converted);
    EXPECT_EQ(converted.error().problem, "got no value, want a time");
  }
  // A field that holds times may lack them.
  const auto field = convert_cells(array_of(arrow::utf8(), R"(["NA"])"), column_of(kMicros), format, true);
  ASSERT_TRUE(field);
  EXPECT_EQ((*field)->null_count(), 1);
}

TEST(ConvertCells, LosesNoDigit) {
  TimeFormat format;
  const auto millis = arrow::timestamp(arrow::TimeUnit::MILLI);
  const auto times = array_of(arrow::utf8(), R"(["2013-01-01T06:00:00.0005Z"])");
  const auto converted = convert_cells(times, column_of(millis, true), format, true);
  ASSERT_FALSE(converted);
  EXPECT_NE(converted.error().problem.find("want a time in ms"), std::string::npos);
}

TEST(ConvertCells, CountsEpochs) {
  auto format = TimeFormat::parse("epoch_ms");
  ASSERT_TRUE(format);
  const auto integers =
      convert_cells(array_of(arrow::int64(), "[1357020000001]"), column_of(kMicros, true), *format, true);
  ASSERT_TRUE(integers);
  EXPECT_TRUE((*integers)->Equals(array_of(kMicros, "[1357020000001000]")));
  const auto floats =
      convert_cells(array_of(arrow::float64(), "[1357020000001.5]"), column_of(kMicros, true), *format, true);
  ASSERT_TRUE(floats);
  EXPECT_TRUE((*floats)->Equals(array_of(kMicros, "[1357020000001500]")));
}

TEST(ConvertCells, AsksWhatIntegersMean) {
  TimeFormat format;
  const auto converted = convert_cells(array_of(arrow::int64(), "[5]"), column_of(kMicros, true), format, false);
  ASSERT_FALSE(converted);
  EXPECT_NE(converted.error().problem.find("epoch_s"), std::string::npos);
}

TEST(ConvertCells, KeepsInstantsWhateverTheirZone) {
  TimeFormat format;
  const auto zoned = array_of(arrow::timestamp(arrow::TimeUnit::MILLI, "America/New_York"), "[1, null]");
  const auto converted = convert_cells(zoned, column_of(kMicros, true), format, false);
  ASSERT_TRUE(converted);
  EXPECT_TRUE((*converted)->Equals(array_of(kMicros, "[1000, null]")));
  const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const auto back = convert_cells(*converted, column_of(utc, true), format, false);
  ASSERT_TRUE(back);
  EXPECT_TRUE((*back)->Equals(array_of(utc, "[1000, null]")));
}

TEST(ConvertCells, RefusesUnitsThatLoseDigits) {
  TimeFormat format;
  const auto nanos = array_of(arrow::timestamp(arrow::TimeUnit::NANO), "[1500]");
  EXPECT_FALSE(convert_cells(nanos, column_of(kMicros, true), format, false));
}

TEST(ConvertCells, ReadsAbsentTextAsNullInFieldsOnly) {
  TimeFormat format;
  const auto texts = array_of(arrow::utf8(), R"(["NA", "", "NaN", "Nairobi", null])");
  const auto field = convert_cells(texts, column_of(arrow::utf8()), format, true);
  ASSERT_TRUE(field);
  EXPECT_TRUE((*field)->Equals(array_of(arrow::utf8(), R"([null, null, null, "Nairobi", null])")));
  const auto tag =
      convert_cells(array_of(arrow::utf8(), R"(["NA"])"), column_of(arrow::utf8(), false, true), format, true);
  ASSERT_TRUE(tag);
  EXPECT_TRUE((*tag)->Equals(array_of(arrow::utf8(), R"(["NA"])")));
  const auto stored = convert_cells(texts, column_of(arrow::utf8()), format, false);  // Parquet says what is null
  ASSERT_TRUE(stored);
  EXPECT_EQ((*stored)->null_count(), 1);
}

TEST(ConvertCells, WantsEveryTag) {
  TimeFormat format;
  for (const char* json : {R"(["JFK", ""])", R"(["JFK", null])"}) {
    const auto converted =
        convert_cells(array_of(arrow::utf8(), json), column_of(arrow::utf8(), false, true), format, true);
    ASSERT_FALSE(converted);
    EXPECT_EQ(converted.error().row, 1);
  }
}

TEST(ConvertCells, WidensNumbersAndRefusesToNarrow) {
  TimeFormat format;
  const auto widened = convert_cells(array_of(arrow::int32(), "[1, null]"), column_of(arrow::float64()), format, false);
  ASSERT_TRUE(widened);
  EXPECT_TRUE((*widened)->Equals(array_of(arrow::float64(), "[1, null]")));
  EXPECT_FALSE(convert_cells(array_of(arrow::int64(), "[3000000000]"), column_of(arrow::int32()), format, false));
  EXPECT_FALSE(convert_cells(array_of(arrow::float64(), "[1.5]"), column_of(arrow::int64()), format, false));
}

}  // namespace
}  // namespace marigram::cli
