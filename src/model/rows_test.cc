// Every protocol's rows go through this builder: a value in the wrong row, or under the wrong series, would be written
// without anybody noticing.
#include "model/rows.h"

#include <marigram/error.h>
#include <marigram/tags.h>
#include <marigram/time.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marigram::model {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ErrorCode code_of(const Status& status) {
  return status ? ErrorCode::kInternal : status.error().code;
}

FieldValue value_at(const FieldColumn& column, std::size_t row) {
  if (column.is_null(row)) return {};
  switch (column.type) {
    case FieldType::kFloat64:
      return std::bit_cast<double>(column.cells.at(row));
    case FieldType::kInt64:
      return std::bit_cast<std::int64_t>(column.cells.at(row));
    case FieldType::kUInt64:
      return column.cells.at(row);
    case FieldType::kBool:
      return column.cells.at(row) == 1;
    case FieldType::kString:
      return column.strings.at(row);
  }
  return {};
}

TEST(RowsBuilder, TagsNameASeriesInAnyOrder) {
  RowsBuilder builder("cpu", TimeUnit::kMilli);
  const std::vector<Field> fields = {{"usage", 1.5}};
  ASSERT_TRUE(builder.add(Tags{{"region", "eu"}, {"host", "a"}}, 1, fields));
  ASSERT_TRUE(builder.add(Tags{{"host", "a"}, {"region", "eu"}, {"rack", ""}}, 2, fields));
  ASSERT_TRUE(builder.add(Tags{{"host", "a"}}, 3, fields));
  ASSERT_TRUE(builder.add({}, 4, fields));
  EXPECT_EQ(builder.rows(), 4U);
  const TableRows rows = builder.finish();
  EXPECT_EQ(rows.table, "cpu");
  EXPECT_EQ(rows.unit, TimeUnit::kMilli);
  EXPECT_THAT(rows.series, ElementsAre(Tags{{"host", "a"}, {"region", "eu"}}, Tags{{"host", "a"}}, Tags{}));
  EXPECT_THAT(rows.row_series, ElementsAre(0, 0, 1, 2));
  EXPECT_THAT(rows.times, ElementsAre(1, 2, 3, 4));
  ASSERT_EQ(rows.fields.size(), 1U);
  EXPECT_THAT(rows.fields[0].valid, IsEmpty());
}

TEST(RowsBuilder, TagsThatJoinToTheSameTextStayApart) {
  RowsBuilder builder("t", TimeUnit::kNano);
  const std::vector<Tags> apart = {{{"a", "bc"}},    {{"ab", "c"}},    {{"a", "b"}, {"c", "d"}}, {{"a", "b,c=d"}},
                                   {{"a", "b\0c"s}}, {{"a\0b"s, "c"}}, {{"a", "b"}, {"cd", "e"}}};
  for (const Tags& tags : apart) ASSERT_TRUE(builder.add(tags, 0, {}));
  ASSERT_TRUE(builder.add(apart.front(), 0, {}));
  EXPECT_EQ(builder.finish().series.size(), apart.size());
}

TEST(RowsBuilder, ColumnsThatComeLateOrStayAwayAreNull) {
  RowsBuilder builder("t", TimeUnit::kNano);
  ASSERT_TRUE(builder.add({}, 1, std::vector<Field>{{"a", std::int64_t{1}}}));
  ASSERT_TRUE(builder.add({}, 2, std::vector<Field>{{"s", std::string("x")}, {"n", {}}}));
  ASSERT_TRUE(builder.add({}, 3, std::vector<Field>{{"b", true}, {"a", {}}, {"n", {}}}));
  const TableRows rows = builder.finish();
  ASSERT_EQ(rows.fields.size(), 3U);  // "n" never had a value
  EXPECT_EQ(rows.fields[0],
            (FieldColumn{.name = "a", .type = FieldType::kInt64, .cells = {1, 0, 0}, .valid = {1, 0, 0}}));
  EXPECT_EQ(rows.fields[1],
            (FieldColumn{.name = "s", .type = FieldType::kString, .strings = {"", "x", ""}, .valid = {0, 1, 0}}));
  EXPECT_EQ(rows.fields[2],
            (FieldColumn{.name = "b", .type = FieldType::kBool, .cells = {0, 0, 1}, .valid = {0, 0, 1}}));
}

TEST(RowsBuilder, FieldThatBeginsWithNullTakesTheTypeOfItsFirstValue) {
  RowsBuilder builder("t", TimeUnit::kNano);
  ASSERT_TRUE(builder.add({}, 1, std::vector<Field>{{"a", {}}}));
  ASSERT_TRUE(builder.add({}, 2, std::vector<Field>{{"a", std::string("x")}}));
  EXPECT_EQ(code_of(builder.add({}, 3, std::vector<Field>{{"a", 1.5}})), ErrorCode::kSchemaMismatch);
  EXPECT_THAT(builder.finish().fields.at(0).strings, ElementsAre("", "x"));
}

TEST(RowsBuilder, RefusedRowLeavesNothingBehind) {
  RowsBuilder builder("t", TimeUnit::kNano, true);
  ASSERT_TRUE(builder.add(Tags{{"host", "a"}}, 1, std::vector<Field>{{"i", std::int64_t{7}}}));
  const auto refused = [&](const Tags& tags, const std::vector<Field>& fields, ErrorCode code, const char* why) {
    const Status status = builder.add(tags, 2, fields);
    EXPECT_EQ(code_of(status), code);
    EXPECT_THAT(status.error().message, HasSubstr(why));
  };
  const Tags other = {{"host", "b"}};
  refused({{"host", "b"}, {"x", "1"}, {"host", "c"}}, {{"i", 1.5}}, ErrorCode::kInvalidInput,
          "tag \"host\" is there twice");
  refused({{"host", ""}, {"host", "c"}}, {{"i", 1.5}}, ErrorCode::kInvalidInput, "twice");
  refused({{"", "b"}}, {{"i", 1.5}}, ErrorCode::kInvalidInput, "no name");
  refused(other, {{"new", 1.5}, {"", 1.5}}, ErrorCode::kInvalidInput, "no name");
  refused(other, {{"new", 1.5}, {"i", 1.5}, {"new", 2.5}}, ErrorCode::kInvalidInput, "field \"new\" is there twice");
  refused(other, {{"new", {}}, {"new", {}}}, ErrorCode::kInvalidInput, "twice");
  refused(other, {{"new", 1.5}, {"i", true}}, ErrorCode::kSchemaMismatch, "got bool, want int64");
  ASSERT_TRUE(builder.add(Tags{{"host", "a"}}, 3, std::vector<Field>{{"i", std::int64_t{8}}}));
  const TableRows rows = builder.finish();
  EXPECT_EQ(rows, (TableRows{.table = "t",
                             .series = {{{"host", "a"}}},
                             .row_series = {0, 0},
                             .times = {1, 3},
                             .fields = {{.name = "i", .type = FieldType::kInt64, .cells = {7, 8}}}}));
}

TEST(RowsBuilder, NumbersMeetInFloatsOnlyIfAsked) {
  const std::vector<FieldValue> numbers = {std::int64_t{-3}, 1.5, std::uint64_t{UINT64_MAX}};
  for (const FieldValue& first : numbers) {
    for (const FieldValue& second : numbers) {
      if (first.index() == second.index()) continue;
      RowsBuilder strict("t", TimeUnit::kNano);
      ASSERT_TRUE(strict.add({}, 1, std::vector<Field>{{"a", first}}));
      EXPECT_EQ(code_of(strict.add({}, 2, std::vector<Field>{{"a", second}})), ErrorCode::kSchemaMismatch);
      RowsBuilder widening("t", TimeUnit::kNano, true);
      ASSERT_TRUE(widening.add({}, 1, std::vector<Field>{{"a", first}}));
      ASSERT_TRUE(widening.add({}, 2, {}));
      ASSERT_TRUE(widening.add({}, 3, std::vector<Field>{{"a", second}}));
      EXPECT_FALSE(widening.add({}, 4, std::vector<Field>{{"a", true}}));
      const FieldColumn column = widening.finish().fields.at(0);
      const auto number = [](const FieldValue& value) {
        return std::visit(
            []<typename T>(const T& alternative) {
              if constexpr (std::is_arithmetic_v<T>) return static_cast<double>(alternative);
              return 0.0;
            },
            value);
      };
      EXPECT_EQ(value_at(column, 0), FieldValue(number(first)));
      EXPECT_TRUE(column.is_null(1));
      EXPECT_EQ(value_at(column, 2), FieldValue(number(second)));
    }
  }
}

TEST(RowsBuilder, FloatsKeepTheirBits) {
  const std::uint64_t odd_nan = 0x7ff8'0000'dead'beefULL;
  RowsBuilder builder("t", TimeUnit::kNano);
  ASSERT_TRUE(builder.add({}, 1, std::vector<Field>{{"a", std::bit_cast<double>(odd_nan)}}));
  ASSERT_TRUE(builder.add({}, 2, std::vector<Field>{{"a", -0.0}}));
  ASSERT_TRUE(builder.add({}, 3, std::vector<Field>{{"a", -std::numeric_limits<double>::infinity()}}));
  EXPECT_THAT(builder.finish().fields.at(0).cells,
              ElementsAre(odd_nan, 0x8000'0000'0000'0000ULL, 0xfff0'0000'0000'0000ULL));
}

TEST(RowsBuilder, IsEmptyAndUsableAfterFinish) {
  RowsBuilder builder("t", TimeUnit::kSecond);
  ASSERT_TRUE(builder.add(Tags{{"host", "a"}}, 1, std::vector<Field>{{"a", true}}));
  builder.finish();
  EXPECT_EQ(builder.rows(), 0U);
  EXPECT_EQ(builder.finish(), (TableRows{.table = "t", .unit = TimeUnit::kSecond}));
  ASSERT_TRUE(builder.add(Tags{{"host", "a"}}, 1, std::vector<Field>{{"a", 1.5}}));  // of another type: a new batch
  const TableRows rows = builder.finish();
  EXPECT_THAT(rows.row_series, ElementsAre(0));
  EXPECT_EQ(rows.fields.at(0).type, FieldType::kFloat64);
}

// Against rows kept as they came, with types that clash, repeats and widening, all by chance.
TEST(RowsBuilder, EqualsANaiveModel) {
  struct Row {
    std::map<std::string, std::string> tags;
    std::int64_t time = 0;
    std::map<std::string, FieldValue> fields;
  };
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&random](std::uint64_t n) { return random() % n; };
    const auto any_value = [&]() -> FieldValue {
      switch (below(below(3) == 0 ? 6 : 2)) {
        case 0:
          return static_cast<std::int64_t>(below(100)) - 50;
        case 1:
          return {};
        case 2:
          return static_cast<double>(below(100)) / 4;
        case 3:
          return std::uint64_t{below(100)};
        case 4:
          return below(2) == 0;
        default:
          return std::string(below(30), 'x');
      }
    };
    RowsBuilder builder("t", TimeUnit::kNano);
    std::vector<Row> model;
    std::map<std::string, std::size_t> types;
    for (int i = 0; i < 300; ++i) {
      Row row{.time = static_cast<std::int64_t>(random())};
      Tags tags;
      for (std::uint64_t n = below(4); n > 0; --n) {
        tags.push_back({std::string(1, static_cast<char>('a' + below(8))), std::string(below(3), 'v')});
      }
      bool good = true;
      std::map<std::string, int> seen;
      for (const Tag& tag : tags) {
        good = good && seen[tag.name]++ == 0;
        if (!tag.value.empty()) row.tags.emplace(tag.name, tag.value);
      }
      std::vector<std::string> names;
      for (std::uint64_t n = below(6); n > 0; --n) names.emplace_back(1, static_cast<char>('p' + below(10)));
      std::vector<Field> fields;
      auto types_then = types;
      seen.clear();
      for (const std::string& name : names) {
        fields.push_back({.name = name, .value = any_value()});
        const FieldValue& value = fields.back().value;
        good = good && seen[name]++ == 0;
        if (value.index() == 0) continue;
        good = good && types_then.emplace(name, value.index()).first->second == value.index();
        row.fields.emplace(name, value);
      }
      ASSERT_EQ(builder.add(tags, row.time, fields).has_value(), good);
      if (!good) continue;
      types = types_then;
      model.push_back(std::move(row));
    }
    const TableRows rows = builder.finish();
    ASSERT_EQ(rows.times.size(), model.size());
    ASSERT_EQ(rows.fields.size(), types.size());
    for (std::size_t i = 0; i < model.size(); ++i) {
      ASSERT_EQ(rows.times[i], model[i].time);
      Tags tags;
      for (const auto& [name, value] : model[i].tags) tags.push_back({name, value});
      ASSERT_EQ(rows.series.at(rows.row_series.at(i)), tags);
      for (const FieldColumn& column : rows.fields) {
        const auto want = model[i].fields.find(column.name);
        ASSERT_EQ(value_at(column, i), want == model[i].fields.end() ? FieldValue() : want->second);
      }
    }
    for (std::size_t i = 0; i < rows.series.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) ASSERT_NE(rows.series[i], rows.series[j]);
    }
  }
}

TEST(FieldType, HasTheWordsOfColumns) {
  EXPECT_STREQ(field_type_name(FieldType::kFloat64), "float64");
  EXPECT_STREQ(field_type_name(FieldType::kInt64), "int64");
  EXPECT_STREQ(field_type_name(FieldType::kUInt64), "uint64");
  EXPECT_STREQ(field_type_name(FieldType::kBool), "bool");
  EXPECT_STREQ(field_type_name(FieldType::kString), "string");
}

}  // namespace
}  // namespace marigram::model
