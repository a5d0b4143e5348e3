// What the corpus leaves open: pieces, positions of errors, limits, numbers at their edges, and lines that we write.
#include "wire/line_protocol.h"
#include "wire/test_parsing.h"

#include <marigram/error.h>
#include <marigram/tags.h>
#include <marigram/time.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marigram::wire {
namespace {

using namespace std::string_literals;
using test::Parsed;
using test::Point;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Parsed parse(std::string_view text, const ParserOptions& options = {}) {
  LineParser parser(options, 42);
  return test::parse_whole(parser, text);
}

model::FieldValue value_of(std::string_view text) {
  const Parsed parsed = parse(fmt::format("m v={}", text));
  if (parsed.points.size() != 1) return "refused: " + parsed.errors.at(0).text();
  return parsed.points[0].fields.at("v");
}

void expect_error(std::string_view text, std::uint64_t line, std::uint64_t column, const std::string& reason) {
  const Parsed parsed = parse(text);
  ASSERT_EQ(parsed.errors.size(), 1U) << text;
  EXPECT_EQ(parsed.errors[0].line, line) << text << '\n' << parsed.errors[0].text();
  EXPECT_EQ(parsed.errors[0].column, column) << text << '\n' << parsed.errors[0].text();
  EXPECT_THAT(parsed.errors[0].reason, HasSubstr(reason)) << text;
}

TEST(LineProtocol, LineWithEverything) {
  const Parsed parsed = parse("  cpu,host=a,region=eu  f=1.5,i=-3i,u=4u,b=t,s=\"x \\\"y\\\"\"   -17  \r\n");
  EXPECT_THAT(parsed.errors, IsEmpty());
  EXPECT_THAT(parsed.points, ElementsAre(Point{.table = "cpu",
                                               .tags = {{"host", "a"}, {"region", "eu"}},
                                               .fields = {{"f", 1.5},
                                                          {"i", std::int64_t{-3}},
                                                          {"u", std::uint64_t{4}},
                                                          {"b", true},
                                                          {"s", std::string("x \"y\"")}},
                                               .time = -17}));
}

TEST(LineProtocol, NumbersAtTheirEdges) {
  EXPECT_EQ(value_of("9223372036854775807i"), model::FieldValue(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(value_of("-9223372036854775808i"), model::FieldValue(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(value_of("18446744073709551615u"), model::FieldValue(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(value_of("5e-324"), model::FieldValue(5e-324));
  EXPECT_EQ(value_of("1e-400"), model::FieldValue(0.0));
  EXPECT_TRUE(std::signbit(std::get<double>(value_of("-1e-400"))));
  EXPECT_EQ(value_of("0." + std::string(400, '0') + "1"), model::FieldValue(0.0));
  EXPECT_EQ(value_of("0." + std::string(400, '0') + "1e401"), model::FieldValue(1.0));
  EXPECT_EQ(value_of("1e-99999999999999999999"), model::FieldValue(0.0));
  EXPECT_EQ(value_of("0e99999999999999999999"), model::FieldValue(0.0));
  for (const char* number :
       {"1e309", "-1e309", "1e99999999999999999999", "9223372036854775808i", "18446744073709551616u"}) {
    EXPECT_THAT(std::get<std::string>(value_of(number)), HasSubstr("out of range")) << number;
  }
  EXPECT_THAT(std::get<std::string>(value_of("1" + std::string(400, '0'))), HasSubstr("out of range"));
  for (const char* number : {"nan", "NaN",  "inf", "-inf", "-nan", "+1",  "1e", "1e+",  ".",  "-",   "-.", "0x10",
                             "1_0", "1.5i", "-1u", "i",    "u",    "1ii", "tr", "truE", "fa", "'a'", "1d"}) {
    EXPECT_THAT(std::get<std::string>(value_of(number)), HasSubstr("is wrong")) << number;
  }
}

TEST(LineProtocol, ErrorsSayWhere) {
  expect_error(",a=b f=1", 1, 1, "got \",\", want a measurement's name");
  expect_error("m", 1, 2, "got the line's end, want a comma and a tag, or a blank and a field");
  expect_error("m f=1\nm,=b f=1\nm f=2", 2, 3, "want a tag's name");
  expect_error("m,a f=1", 1, 4, "want an equals sign after tag \"a\"");
  expect_error("m,a= f=1", 1, 5, "want a value of tag \"a\"");
  expect_error("m ", 1, 3, "want a field's name");
  expect_error("m f=1,", 1, 7, "want a field's name");
  expect_error("m f=1, g=1", 1, 7, "want a field's name");
  expect_error("m f", 1, 4, "want an equals sign after field \"f\"");
  expect_error("m f=", 1, 5, "value of field \"f\" is wrong; got ``");
  expect_error("m f=\"a\nb\"x 1\nm f=1", 2, 3, "got \"x\"");
  expect_error("m f=\"a\nb 1\nm f=1", 1, 5, "not closed");
  expect_error("m f=1 1.5", 1, 7, "timestamp is wrong; got `1.5`, want an integer in ns");
  expect_error("m f=1 9223372036854775808", 1, 7, "out of range");
  expect_error("m f=1 1 1", 1, 9, "want the line's end");
  expect_error("m f=1\n\n# a\x01\n", 3, 4, "control character");
  expect_error("m,a=\xc3\xa9\xff f=1", 1, 7, "UTF-8");
  expect_error("m s=\"\xff\"", 1, 6, "UTF-8");
  expect_error("  \x80", 1, 3, "UTF-8");
  expect_error("m,a=b,a=c f=1", 1, 0, "tag \"a\" is there twice");
  expect_error("m f=1,f=2", 1, 0, "field \"f\" is there twice");
  expect_error("m f=1\nm f=t", 2, 0, "got bool, want float64");
}

TEST(LineProtocol, GoodLinesGoOnAfterBadOnes) {
  const Parsed parsed = parse("a f=1 1\nb f=x 2\na f=2 3\n\tc f=1 4\n\r\nd f=3 5");
  ASSERT_EQ(parsed.points.size(), 3U);
  EXPECT_EQ(parsed.points[1].time, 3);
  EXPECT_EQ(parsed.points[2].table, "d");
  ASSERT_EQ(parsed.errors.size(), 2U);
  EXPECT_EQ(parsed.errors[0].line, 2U);
  EXPECT_EQ(parsed.errors[1].line, 4U);
}

TEST(LineProtocol, ErrorsAreCountedBeyondThoseThatAreKept) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "bad\n";
  const Parsed parsed = parse(text, {.errors_max = 3});
  EXPECT_EQ(parsed.errors.size(), 3U);
  EXPECT_EQ(parsed.error_count, 50U);
}

TEST(LineProtocol, LineThatIsTooLongIsSkipped) {
  const ParserOptions options = {.record_bytes_max = 20};
  const std::string fits = "m f=1,g=2 1234567890\n";  // 20 bytes and a newline
  const std::string longer = "m f=1,g=2 12345678901\n";
  const std::string text = "x f=1 1\n" + fits + longer + "m s=\"" + std::string(30, '\n') + "\"\n" + fits;
  LineParser whole(options, 0);
  const Parsed parsed = test::parse_whole(whole, text);
  EXPECT_EQ(parsed.points.size(), 3U);
  ASSERT_GE(parsed.errors.size(), 2U);
  EXPECT_EQ(parsed.errors[0].line, 3U);
  EXPECT_THAT(parsed.errors[0].reason, HasSubstr("too long; want at most 20 bytes"));
  EXPECT_EQ(parsed.errors[1].line, 4U);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    LineParser parser(options, 0);
    EXPECT_EQ(test::parse_in_pieces(parser, text, [&] { return 1 + random() % 40; }), parsed) << seed;
  }
}

TEST(LineProtocol, RowsMayBeTakenAnyTime) {
  LineParser parser({}, 0);
  parser.feed("a f=1 1\nb f=2 2\na f=3 3\nb f=");
  EXPECT_EQ(parser.rows(), 3U);
  EXPECT_EQ(parser.bytes(), 21U);
  const model::WriteBatch batch = parser.take();
  ASSERT_EQ(batch.tables.size(), 2U);
  EXPECT_EQ(batch.tables[0].table, "a");
  EXPECT_THAT(batch.tables[0].times, ElementsAre(1, 3));
  EXPECT_EQ(parser.rows(), 0U);
  EXPECT_EQ(parser.bytes(), 0U);
  EXPECT_THAT(parser.take().tables, IsEmpty());
  parser.feed("t 4\n");
  EXPECT_EQ(test::points_of(parser.take()).at(0).fields.at("f"), model::FieldValue(true));
}

// Text of the bytes that mean something, so that most of the grammar's corners come up.
std::string random_text(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces = {
      "m",      ",",        "=",    " ",   "\"", "\\", "\n", "\r", "#", "1", "-", "i", "t", "e", ".", "m,a=b f=1 5\n",
      "m f=\"", "\xc3\xa9", "\xff", "f=1", "\t"};
  std::string text;
  for (std::uint64_t n = random() % 60; n > 0; --n) text += kPieces[random() % kPieces.size()];
  return text;
}

TEST(LineProtocol, PiecesMakeNoDifference) {
  std::size_t points = 0;
  for (std::uint64_t seed = 0; seed < 5'000; ++seed) {
    std::mt19937_64 random(seed);
    const std::string text = random_text(random);
    const ParserOptions options = {.record_bytes_max = seed % 2 == 0 ? std::size_t{1024} : 10};
    LineParser parser(options, 0);
    const Parsed whole = test::parse_whole(parser, text);
    points += whole.points.size();
    for (int i = 0; i < 3; ++i) {
      LineParser again(options, 0);
      ASSERT_EQ(test::parse_in_pieces(again, text, [&] { return 1 + random() % 20; }), whole) << text;
    }
  }
  EXPECT_GT(points, 1'000U);
}

std::string random_name(std::mt19937_64& random) {
  static const std::vector<std::string> kPieces = {"a", ",", "=", " ", "\"", "\\", "#", "\xc3\xa9", "_"};
  std::string name;
  for (std::uint64_t n = random() % 5; n > 0; --n) name += kPieces[random() % kPieces.size()];
  return name + "z" + std::to_string(random() % 4);  // a backslash at the end cannot be said
}

model::FieldValue random_value(std::mt19937_64& random) {
  switch (random() % 5) {
    case 0: {
      const auto number = std::bit_cast<double>(random());
      return std::isfinite(number) ? number : 1.5;
    }
    case 1:
      return static_cast<std::int64_t>(random());
    case 2:
      return random();
    case 3:
      return random() % 2 == 0;
    default:
      return random_name(random) + "\n\t\r\"\\"s.substr(random() % 6) + "\0\\n"s;
  }
}

TEST(LineProtocol, WhatIsWrittenIsReadAgain) {
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    std::mt19937_64 random(seed);
    Point point{.table = "m" + random_name(random), .time = static_cast<std::int64_t>(random())};
    for (std::uint64_t n = random() % 4; n > 0; --n) {
      point.tags.push_back({random_name(random) + std::to_string(n), random_name(random)});
    }
    for (std::uint64_t n = 1 + random() % 4; n > 0; --n) point.fields[random_name(random)] = random_value(random);
    std::vector<model::Field> fields = {{.name = "null", .value = {}}};
    for (const auto& [name, value] : point.fields) fields.push_back({.name = name, .value = value});
    const auto line = to_line(point.table, point.tags, fields, point.time);
    ASSERT_TRUE(line.has_value()) << line.error().message;
    std::ranges::sort(point.tags);
    const Parsed parsed = parse(*line + "\n" + *line);
    ASSERT_THAT(parsed.errors, IsEmpty()) << *line << '\n' << parsed.errors[0].text();
    ASSERT_THAT(parsed.points, ElementsAre(point, point)) << *line;
  }
}

TEST(LineProtocol, RowWithoutTimeGetsTheDefault) {
  const std::vector<model::Field> fields = {{.name = "f", .value = 1.0}};
  EXPECT_EQ(to_line("m", {}, fields, std::nullopt).value(), "m f=1");
  EXPECT_EQ(parse("m f=1").points.at(0).time, 42);
}

TEST(LineProtocol, WhatCannotBeSaidIsAnError) {
  const std::vector<model::Field> one = {{.name = "f", .value = 1.0}};
  const auto expect_refused = [](const auto& line, const std::string& why) {
    ASSERT_FALSE(line.has_value()) << *line;
    EXPECT_EQ(line.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(line.error().message, HasSubstr(why));
  };
  const auto tagged = [&one](const std::string& name, const std::string& value) {
    return to_line("m", Tags{{name, value}}, one, 0);
  };
  const auto of = [](model::FieldValue value) {
    return to_line("m", {}, std::vector<model::Field>{{.name = "f", .value = std::move(value)}}, 0);
  };
  expect_refused(to_line("", {}, one, 0), "empty");
  expect_refused(to_line("#m", {}, one, 0), "comment");
  expect_refused(to_line("m\n", {}, one, 0), "control");
  expect_refused(to_line("m", {}, {}, 0), "no field");
  expect_refused(of({}), "no field");
  expect_refused(of(std::nan("")), "field \"f\" is nan");
  expect_refused(of(-std::numeric_limits<double>::infinity()), "field \"f\" is -inf");
  expect_refused(of("\xff"s), "UTF-8");
  expect_refused(tagged("", "v"), "empty");
  expect_refused(tagged("t", ""), "empty");
  expect_refused(tagged("t", "a\\"), "backslash");
  expect_refused(tagged("t\\", "a"), "backslash");
  expect_refused(tagged("t", "a\tb"), "control");
  expect_refused(tagged("t", "\xc3"), "UTF-8");
}

}  // namespace
}  // namespace marigram::wire
