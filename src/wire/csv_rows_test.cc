// CSV says nothing of types and little of quotes: what we guess and refuse must be the same for any cut of the text.
#include "wire/csv_rows.h"
#include "wire/test_parsing.h"

#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marigram::wire {
namespace {

using model::FieldType;
using model::FieldValue;
using test::Parsed;
using test::Point;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const CsvMapping kMapping = {.table = "cpu", .time_column = "t", .time_unit = TimeUnit::kNano, .tags = {"host"}};

Parsed parse(std::string_view text, const CsvMapping& mapping = kMapping, const ParserOptions& options = {}) {
  CsvParser parser(options, mapping);
  return test::parse_whole(parser, text);
}

// The values of column "v", null where there is none.
std::vector<FieldValue> values(const std::vector<std::string>& cells, const CsvMapping& mapping = kMapping) {
  std::string text = "t,host,v\n";
  for (const std::string& cell : cells) text += "1,a," + cell + "\n";
  std::vector<FieldValue> values;
  for (const Point& point : parse(text, mapping).points) {
    const auto found = point.fields.find("v");
    values.push_back(found == point.fields.end() ? FieldValue() : found->second);
  }
  return values;
}

void expect_error(std::string_view text, std::uint64_t line, std::uint64_t column, const std::string& reason,
                  const CsvMapping& mapping = kMapping) {
  const Parsed parsed = parse(text, mapping);
  ASSERT_EQ(parsed.errors.size(), 1U) << text;
  EXPECT_EQ(parsed.errors[0].line, line) << text;
  EXPECT_EQ(parsed.errors[0].column, column) << text;
  EXPECT_THAT(parsed.errors[0].reason, HasSubstr(reason)) << text;
}

TEST(CsvRows, FileWithEverything) {
  const Parsed parsed = parse(
      "\xef\xbb\xbfhost,t,usage,\"a \"\"b\"\"\",up\r\n"
      "a,1,1.5,\"x,\r\ny\",true\r\n"
      "\r\n"
      ",-2,,,\r\n"
      "b,3,2,\"\",False");
  EXPECT_THAT(parsed.errors, IsEmpty());
  EXPECT_THAT(parsed.points,
              ElementsAre(Point{.table = "cpu",
                                .tags = {{"host", "a"}},
                                .fields = {{"usage", 1.5}, {"a \"b\"", std::string("x,\r\ny")}, {"up", true}},
                                .time = 1},
                          Point{.table = "cpu", .time = -2},
                          Point{.table = "cpu",
                                .tags = {{"host", "b"}},
                                .fields = {{"usage", 2.0}, {"a \"b\"", std::string()}, {"up", false}},
                                .time = 3}));
}

TEST(CsvRows, TypesAreInferred) {
  EXPECT_THAT(values({"1", "", "NA", "-2"}),
              ElementsAre(FieldValue(std::int64_t{1}), FieldValue(), FieldValue(), FieldValue(std::int64_t{-2})));
  EXPECT_THAT(values({"1", "18446744073709551615"}),
              ElementsAre(FieldValue(std::uint64_t{1}), FieldValue(std::numeric_limits<std::uint64_t>::max())));
  EXPECT_THAT(values({"-1", "18446744073709551615"}),
              ElementsAre(FieldValue(-1.0), FieldValue(18446744073709551615.0)));
  EXPECT_THAT(values({"1", "nan", "-inf", "1e3"}),
              ElementsAre(FieldValue(1.0), FieldValue(), FieldValue(-std::numeric_limits<double>::infinity()),
                          FieldValue(1000.0)));
  EXPECT_THAT(values({"TRUE", "false"}), ElementsAre(FieldValue(true), FieldValue(false)));
  EXPECT_THAT(values({"t", "f"}), ElementsAre(FieldValue("t"), FieldValue("f")));  // words only
  EXPECT_THAT(values({"1", "NA", "x", "\"\"", ""}),
              ElementsAre(FieldValue("1"), FieldValue("NA"), FieldValue("x"), FieldValue(""), FieldValue()));
  EXPECT_THAT(values({"\"1\"", "2"}), ElementsAre(FieldValue(std::int64_t{1}), FieldValue(std::int64_t{2})));
}

TEST(CsvRows, SampleEnds) {
  CsvMapping mapping = kMapping;
  mapping.sample_rows = 2;
  const Parsed parsed = parse("t,host,v,w\n1,a,1,\n2,a,2,\n3,a,3.5,\n4,a,4,x\n5,a,5,1.5\n", mapping);
  EXPECT_EQ(parsed.points.size(), 3U);
  ASSERT_EQ(parsed.errors.size(), 2U);
  EXPECT_EQ(parsed.errors[0].text(), "line 4, column 5: column \"v\": got \"3.5\", want int64");
  EXPECT_EQ(parsed.errors[1].text(), "line 5, column 7: column \"w\": got \"x\", want float64");
}

TEST(CsvRows, RowsComeOnceTypesAreKnown) {
  CsvMapping mapping = kMapping;
  mapping.sample_rows = 2;
  CsvParser guessing({}, mapping);
  guessing.feed("t,host,v\n1,a,1\n");
  EXPECT_EQ(guessing.rows(), 0U);
  guessing.feed("2,a,1\n");
  EXPECT_EQ(guessing.rows(), 2U);
  mapping.types = {{"v", FieldType::kFloat64}};
  CsvParser told({}, mapping);
  told.feed("t,host,v\n1,a,1\n");
  EXPECT_EQ(test::points_of(told.take()).at(0).fields.at("v"), FieldValue(1.0));
}

TEST(CsvRows, TypesMayBeDeclared) {
  CsvMapping mapping = kMapping;
  mapping.types = {{"v", FieldType::kString}};
  EXPECT_THAT(values({"1", "NA"}, mapping), ElementsAre(FieldValue("1"), FieldValue("NA")));
  mapping.types = {{"v", FieldType::kUInt64}};
  EXPECT_THAT(values({"1", "-1"}, mapping), ElementsAre(FieldValue(std::uint64_t{1})));
}

TEST(CsvRows, TimesAreTextOrUnits) {
  CsvMapping mapping = kMapping;
  const auto time_of = [&](const std::string& cell, TimeUnit unit) {
    return parse("t,host,v\n" + cell + ",a,1\n", mapping, {.unit = unit});
  };
  mapping.time_unit = TimeUnit::kSecond;
  EXPECT_EQ(time_of("7", TimeUnit::kMilli).points.at(0).time, 7'000);
  EXPECT_EQ(time_of("9223372036854775807", TimeUnit::kMilli).error_count, 1U);
  EXPECT_EQ(time_of("7.5", TimeUnit::kMilli).error_count, 1U);
  EXPECT_EQ(time_of("", TimeUnit::kMilli).error_count, 1U);
  mapping.time_unit = TimeUnit::kMilli;
  EXPECT_EQ(time_of("7000", TimeUnit::kSecond).points.at(0).time, 7);
  EXPECT_EQ(time_of("7001", TimeUnit::kSecond).error_count, 1U);  // a digit would be lost
  mapping.time_unit.reset();
  EXPECT_EQ(time_of("1970-01-01 00:00:01", TimeUnit::kNano).points.at(0).time, 1'000'000'000);
  EXPECT_THAT(time_of("soon", TimeUnit::kNano).errors.at(0).reason, HasSubstr("column \"t\": "));
}

TEST(CsvRows, ErrorsSayWhere) {
  expect_error("t,host,v\n1,a,1\n2,a\n", 3, 0, "got 2 cells, want 3");
  expect_error("t,host,v\n2,a,1,\n", 2, 0, "got 4 cells, want 3");
  expect_error("t,host,v\n1,a,\"x\ny\"\n2,b\"c,1\n", 4, 4, "a quote in a cell");
  expect_error("t,host,v\n1,\"a\"b,1\n", 2, 6, "text behind a cell's closing quote");
  expect_error("t,host,v\n1,a,\"x\n2,a,1\n", 2, 5, "not closed");
  expect_error("t,host,v\n1,\"\n\n\",1\nx,a,1\n", 5, 1, "column \"t\": got \"x\", want an integer");
  expect_error("t,host,v\n1,\xff,1\n", 2, 0, "UTF-8");
}

TEST(CsvRows, HeaderThatCannotBeUsedEndsIt) {
  expect_error("", 1, 0, "empty; want a header line");
  expect_error("\n\n", 2, 0, "empty; want a header line");
  expect_error("time,host,v\n1,a,1\nx\n", 1, 0, "there is no column \"t\"");
  expect_error("t,v\n1,1\n", 1, 0, "there is no column \"host\"");
  expect_error("t,host,v,v\n", 1, 0, "column \"v\" is there twice");
  expect_error("t,host,\n", 1, 0, "a column has no name");
  expect_error("t,ho\"st\n", 1, 0, "a quote in a cell");
  CsvMapping mapping = kMapping;
  mapping.types = {{"w", FieldType::kBool}};
  expect_error("t,host,v\n", 1, 0, "there is no column \"w\"", mapping);
}

TEST(CsvRows, HeaderThatIsTooLongEndsIt) {
  const Parsed parsed = parse("t,host,v,w\nt,host,v\n1,a,1\n", kMapping, {.record_bytes_max = 8});
  EXPECT_THAT(parsed.points, IsEmpty());
  ASSERT_EQ(parsed.errors.size(), 1U);
  EXPECT_THAT(parsed.errors[0].text(), HasSubstr("line 1: the record is too long"));
}

std::string in_quotes(const std::string& cell) {
  std::string text = "\"";
  for (const char c : cell) text += c == '"' ? "\"\"" : std::string(1, c);
  return text + "\"";
}

// Strings of what CSV gives a meaning, written in quotes, come back as they were, however the text is cut.
TEST(CsvRows, WhatIsQuotedIsReadAgain) {
  CsvMapping mapping = kMapping;
  mapping.types = {{"v", FieldType::kString}, {"w", FieldType::kString}};
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    std::mt19937_64 random(seed);
    const auto cell = [&random] {
      std::string text;
      for (std::uint64_t n = random() % 6; n > 0; --n) text += "\",\n\rx"[random() % 5];
      return text;
    };
    std::string text = "t,host,v,w\r\n";
    std::vector<Point> want;
    for (std::int64_t row = 0; row < 5; ++row) {
      Point& point = want.emplace_back(Point{.table = "cpu", .fields = {{"v", cell()}, {"w", cell()}}, .time = row});
      const std::string host = cell();
      if (!host.empty()) point.tags = {{"host", host}};
      text += fmt::format("{},{},{},{}\r\n", row, in_quotes(host), in_quotes(std::get<std::string>(point.fields["v"])),
                          in_quotes(std::get<std::string>(point.fields["w"])));
    }
    CsvParser parser({}, mapping);
    const Parsed parsed = test::parse_in_pieces(parser, text, [&] { return 1 + random() % 10; });
    ASSERT_THAT(parsed.errors, IsEmpty()) << text << parsed.errors[0].text();
    ASSERT_EQ(parsed.points, want) << text;
  }
}

TEST(CsvRows, PiecesMakeNoDifference) {
  static const std::vector<std::string> kPieces = {"1",       ",",    "\n",   "\"", "a", "\r\n",
                                                   "1,a,2\n", "\"\"", "\xff", "-",  "."};
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    std::mt19937_64 random(seed);
    std::string text = "t,host,v\n";
    for (std::uint64_t n = random() % 40; n > 0; --n) text += kPieces[random() % kPieces.size()];
    CsvMapping mapping = kMapping;
    mapping.sample_rows = random() % 4;
    const ParserOptions options = {.record_bytes_max = seed % 2 == 0 ? std::size_t{100} : 10};
    const Parsed whole = parse(text, mapping, options);
    CsvParser again(options, mapping);
    ASSERT_EQ(test::parse_in_pieces(again, text, [&] { return 1 + random() % 20; }), whole) << text;
  }
}

}  // namespace
}  // namespace marigram::wire
