// Bad names and endless values must be refused before anything is written: afterwards they are in the log for good.
#include "model/row_limits.h"

#include <marigram/error.h>
#include <marigram/tags.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marigram::model {
namespace {

using namespace std::string_literals;
using testing::AllOf;
using testing::HasSubstr;

TableRows rows_of(Tags tags, const std::string& field = "usage") {
  TableRows rows{.table = "cpu", .series = {{}, std::move(tags)}, .row_series = {0, 1}, .times = {1, 2}};
  rows.fields = {{.name = field, .cells = {1, 2}}};
  return rows;
}

TableRows with_string(std::string value) {
  TableRows rows = rows_of({});
  rows.fields.push_back({.name = "note", .type = FieldType::kString, .strings = {"", std::move(value)}});
  return rows;
}

TableRows of_table(std::string table) {
  TableRows rows = rows_of({{"host", "a"}});
  rows.table = std::move(table);
  return rows;
}

void expect_fine(const TableRows& rows) {
  const Status status = check_rows(rows);
  EXPECT_TRUE(status.has_value()) << status.error().message;
}

void expect_refused(const TableRows& rows, std::string_view why) {
  const Status status = check_rows(rows);
  ASSERT_FALSE(status.has_value()) << "want: " << why;
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
  EXPECT_THAT(status.error().message, HasSubstr(std::string(why)));
  EXPECT_LT(status.error().message.size(), 400U);
}

TEST(RowLimits, TableNames) {
  expect_fine(of_table(std::string(kTableNameBytesMax, 't')));
  expect_fine(of_table("a b/\xc3\xa9"));
  expect_refused(of_table(std::string(kTableNameBytesMax + 1, 't')), "got 256 bytes, want at most 255");
  expect_refused(of_table(""), "empty");
  expect_refused(of_table("a\0b"s), "NUL");
  expect_refused(of_table("a\xff"), "UTF-8");
}

TEST(RowLimits, ColumnNames) {
  for (const bool tag : {true, false}) {
    const auto named = [tag](const std::string& name) { return tag ? rows_of({{name, "v"}}) : rows_of({}, name); };
    const std::string kind = tag ? "tag" : "field";
    expect_fine(named(std::string(kColumnNameBytesMax, 'n')));
    expect_fine(named("_"));
    expect_fine(named("_measurement"));
    expect_fine(named("Time"));
    expect_fine(named("times"));
    expect_fine(named("a__"));
    expect_refused(named(std::string(kColumnNameBytesMax + 1, 'n')), "is too long; got 256 bytes, want at most 255");
    expect_refused(named(""), "empty");
    expect_refused(named("a\0b"s), "NUL");
    expect_refused(named("\xc3"), "UTF-8");
    expect_refused(named("\xed\xa0\x80"), "UTF-8");  // half of a surrogate pair
    expect_refused(named("time"), kind + " \"time\" has the name of the time column");
    expect_refused(named("__"), "reserved");
    expect_refused(named("__name__"), kind + " \"__name__\" begins with \"__\", which is reserved");
  }
}

TEST(RowLimits, TimeColumnIsTheTables) {
  EXPECT_TRUE(check_rows(rows_of({{"time", "v"}}), "ts").has_value());
  EXPECT_FALSE(check_rows(rows_of({{"ts", "v"}}), "ts").has_value());
  EXPECT_FALSE(check_rows(rows_of({}, "ts"), "ts").has_value());
}

TEST(RowLimits, TagValues) {
  expect_fine(rows_of({{"host", std::string(kTagValueBytesMax, 'v')}}));
  expect_fine(rows_of({{"host", "__\n\x7f"}}));
  expect_refused(rows_of({{"host", std::string(kTagValueBytesMax + 1, 'v')}}),
                 "of tag \"host\" is too long; got 16385 bytes");
  expect_refused(rows_of({{"host", "a\0"s}}), "NUL");
  expect_refused(rows_of({{"host", "a\x80"}}), "UTF-8");
}

TEST(RowLimits, TagsOfASeries) {
  Tags tags;
  while (tags.size() < kSeriesTagsMax) tags.push_back({fmt::format("tag{:04}", tags.size()), "v"});
  expect_fine(rows_of(tags));
  tags.push_back({"tag9999", "v"});
  expect_refused(rows_of(tags), "got 257, want at most 256");
}

TEST(RowLimits, FieldsOfABatch) {
  TableRows rows = rows_of({});
  while (rows.fields.size() < kTableFieldsMax) rows.fields.push_back({.name = fmt::format("f{}", rows.fields.size())});
  expect_fine(rows);
  rows.fields.push_back({.name = "more"});
  expect_refused(rows, "got 4097, want at most 4096");
}

TEST(RowLimits, Strings) {
  expect_fine(with_string(std::string(kStringBytesMax, 's')));
  expect_fine(with_string("a\0b"s));
  expect_fine(with_string("\xf0\x9f\x8c\x8a"));
  expect_refused(with_string(std::string(kStringBytesMax + 1, 's')), "field \"note\" is too long; got 1048577 bytes");
  expect_refused(with_string("a\xf0\x9f\x8c"), "field \"note\" is no valid UTF-8");
}

TEST(RowLimits, NameIsATagOrAField) {
  expect_fine(rows_of({{"usage2", "v"}}));
  expect_refused(rows_of({{"usage", "v"}}), "field \"usage\" is a tag too");
}

TEST(RowLimits, NoRowsAreFine) {
  expect_fine({.table = "cpu"});
}

}  // namespace
}  // namespace marigram::model
