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
#include <set>
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

// Rows as they came.
class NaiveRows {
 public:
  bool add(const Tags& tags, std::int64_t time, const std::vector<Field>& fields) {
    Row row{.time = time};
    auto types = types_;
    for (const Tag& tag : tags) {
      if (!row.tags.emplace(tag.name, tag.value).second) return false;
    }
    std::erase_if(row.tags, [](const auto& tag) { return tag.second.empty(); });
    for (const Field& field : fields) {
      if (!row.fields.emplace(field.name, field.value).second) return false;
      const std::size_t type = field.value.index();
      if (type != 0 && types.emplace(field.name, type).first->second != type) return false;
    }
    types_ = std::move(types);
    rows_.push_back(std::move(row));
    return true;
  }

  void expect_equal(const TableRows& rows) const {
    ASSERT_EQ(rows.times.size(), rows_.size());
    ASSERT_EQ(rows.fields.size(), types_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      ASSERT_EQ(rows.times[i], rows_[i].time);
      Tags tags;
      for (const auto& [name, value] : rows_[i].tags) tags.push_back({name, value});
      ASSERT_EQ(rows.series.at(rows.row_series.at(i)), tags);
      for (const FieldColumn& column : rows.fields) {
        const auto want = rows_[i].fields.find(column.name);
        ASSERT_EQ(value_at(column, i), want == rows_[i].fields.end() ? FieldValue() : want->second);
      }
    }
    const std::set<Tags> distinct(rows.series.begin(), rows.series.end());
    EXPECT_EQ(distinct.size(), rows.series.size());
  }

 private:
  struct Row {
    std::map<std::string, std::string> tags = {};
    std::int64_t time = 0;
    std::map<std::string, FieldValue> fields = {};
  };
  std::vector<Row> rows_;
  std::map<std::string, std::size_t> types_;
};

FieldValue random_value(std::mt19937_64& random) {
  switch (random() % (random() % 3 == 0 ? 6 : 2)) {
    case 0:
      return static_cast<std::int64_t>(random());
    case 1:
      return {};
    case 2:
      return static_cast<double>(random() % 100) / 4;
    case 3:
      return random();
    case 4:
      return random() % 2 == 0;
    default:
      return std::string(random() % 30, 'x');
  }
}

// With types that clash, and names that come twice, by chance.
TEST(RowsBuilder, EqualsANaiveModel) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto name = [&random](char first, std::uint64_t count) {
      return std::string(1, static_cast<char>(first + static_cast<char>(random() % count)));
    };
    RowsBuilder builder("t", TimeUnit::kNano);
    NaiveRows model;
    for (int i = 0; i < 300; ++i) {
      Tags tags;
      for (std::uint64_t n = random() % 4; n > 0; --n) tags.push_back({name('a', 8), std::string(random() % 3, 'v')});
      std::vector<std::string> names;
      for (std::uint64_t n = random() % 6; n > 0; --n) names.push_back(name('p', 10));
      std::vector<Field> fields;
      fields.reserve(names.size());
      for (const std::string& field : names) fields.push_back({.name = field, .value = random_value(random)});
      const auto time = static_cast<std::int64_t>(random());
      ASSERT_EQ(builder.add(tags, time, fields).has_value(), model.add(tags, time, fields));
    }
    model.expect_equal(builder.finish());
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
