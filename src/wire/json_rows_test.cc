// Programs send rows as JSON: a number that loses digits, or a member that is silently ignored, is data lost.
#include "wire/json_rows.h"
#include "wire/test_parsing.h"

#include <marigram/time.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
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
  JsonParser parser(options);
  return test::parse_whole(parser, text);
}

Parsed parse_value(std::string_view value) {
  return parse(fmt::format(R"({{"table":"m","time":1,"fields":{{"v":{}}}}})", value));
}

void expect_error(std::string_view text, const std::string& reason) {
  const Parsed parsed = parse(text);
  EXPECT_THAT(parsed.points, IsEmpty()) << text;
  ASSERT_EQ(parsed.errors.size(), 1U) << text;
  EXPECT_EQ(parsed.errors[0].line, 1U);
  EXPECT_THAT(parsed.errors[0].reason, HasSubstr(reason)) << text;
}

TEST(JsonRows, LineWithEverything) {
  const Parsed parsed = parse(R"({"table":"cpu","tags":{"host":"a","none":""},"time":"1970-01-01T00:00:01.5Z",)"
                              R"("fields":{"f":1.5,"e":1e2,"i":-3,"b":false,"s":"x\ny\u0000","n":null}})"
                              "\r\n\n  \n");
  EXPECT_THAT(parsed.errors, IsEmpty());
  EXPECT_THAT(
      parsed.points,
      ElementsAre(Point{.table = "cpu",
                        .tags = {{"host", "a"}},
                        .fields = {{"f", 1.5}, {"e", 100.0}, {"i", std::int64_t{-3}}, {"b", false}, {"s", "x\ny\0"s}},
                        .time = 1'500'000'000}));
}

TEST(JsonRows, IntegersKeepAllDigits) {
  const auto value = [](std::string_view text) { return parse_value(text).points.at(0).fields.at("v"); };
  EXPECT_EQ(value("9223372036854775807"), model::FieldValue(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(value("-9223372036854775808"), model::FieldValue(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(value("9223372036854775808"), model::FieldValue(std::uint64_t{1} << 63U));
  EXPECT_EQ(value("18446744073709551615"), model::FieldValue(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(value("1.0"), model::FieldValue(1.0));
  EXPECT_EQ(value("5e-324"), model::FieldValue(5e-324));
  for (const char* bad :
       {"18446744073709551616", "-9223372036854775809", "1e400", "01", "+1", ".5", "NaN", "1.", "tru"}) {
    EXPECT_EQ(parse_value(bad).error_count, 1U) << bad;
  }
}

TEST(JsonRows, TimeIsTextOrUnits) {
  const auto time = [](std::string_view text, TimeUnit unit) {
    return parse(fmt::format(R"({{"table":"m","time":{},"fields":{{"v":1}}}})", text), {.unit = unit});
  };
  EXPECT_EQ(time("-5", TimeUnit::kMilli).points.at(0).time, -5);
  EXPECT_EQ(time("\"1969-12-31T23:59:59.999Z\"", TimeUnit::kMilli).points.at(0).time, -1);
  EXPECT_EQ(time("\"2026-01-01T01:00:00+01:00\"", TimeUnit::kSecond).points.at(0).time, 1'767'225'600);
  for (const char* bad :
       {"1.5", "1e3", "\"yesterday\"", "\"1970-01-01T00:00:00.0001Z\"", "null", "true", "[1]", "9223372036854775808"}) {
    EXPECT_EQ(time(bad, TimeUnit::kMilli).error_count, 1U) << bad;
  }
}

TEST(JsonRows, ErrorsNameTheMember) {
  expect_error(R"({"tags":{},"time":1,"fields":{"v":1}})", "member \"table\" is missing");
  expect_error(R"({"table":"","time":1,"fields":{"v":1}})", "\"table\" is empty");
  expect_error(R"({"table":7,"time":1,"fields":{"v":1}})", "member \"table\" is wrong; got 7");
  expect_error(R"({"table":"m","fields":{"v":1}})", "member \"time\" is missing");
  expect_error(R"({"table":"m","time":1.5,"fields":{"v":1}})", "member \"time\" is wrong; got 1.5");
  expect_error(R"({"table":"m","time":1})", "member \"fields\" is missing");
  expect_error(R"({"table":"m","time":1,"fields":{}})", "member \"fields\" is empty");
  expect_error(R"({"table":"m","time":1,"fields":[1]})", "member \"fields\" is wrong; got [1]");
  expect_error(R"({"table":"m","time":1,"fields":{"v":[1]}})", "field \"v\" is wrong; got [1]");
  expect_error(R"({"table":"m","time":1,"fields":{"v":{"w":1}}})", "field \"v\" is wrong");
  expect_error(R"({"table":"m","time":1,"fields":{"v":1,"v":2}})", "field \"v\" is there twice");
  expect_error(R"({"table":"m","time":1,"fields":{"v":null,"v":null}})", "field \"v\" is there twice");
  expect_error(R"({"table":"m","time":1,"fields":{"":1}})", "no name");
  expect_error(R"({"table":"m","tags":{"a":1},"time":1,"fields":{"v":1}})", "tag \"a\" is wrong; got 1, want a string");
  expect_error(R"({"table":"m","tags":{"a":null},"time":1,"fields":{"v":1}})", "tag \"a\" is wrong");
  expect_error(R"({"table":"m","tags":null,"time":1,"fields":{"v":1}})", "member \"tags\" is wrong; got null");
  expect_error(R"({"table":"m","tags":{"a":"","a":"b"},"time":1,"fields":{"v":1}})", "tag \"a\" is there twice");
  expect_error(R"({"table":"m","time":1,"fields":{"v":1},"extra":0})", "member that is not known: \"extra\"");
  expect_error(R"({"table":"m","time":1,"time":2,"fields":{"v":1}})", "member \"time\" twice");
  expect_error("[]", "want an object");
  expect_error("{", "not whole JSON");
  expect_error(R"({"table":"m","time":1,"fields":{"v":1}} {})", "not whole JSON");
  expect_error("{\"table\":\"m\xff\",\"time\":1,\"fields\":{\"v\":1}}", "UTF-8");
  expect_error(R"({"table":"m","time":1,"fields":{"v":)" + std::string(200, '[') + std::string(200, ']') + "}}",
               "too deep");
}

TEST(JsonRows, GoodLinesGoOnAfterBadOnes) {
  const std::string good = R"({"table":"m","time":1,"fields":{"v":1}})";
  const Parsed parsed =
      parse(good + "\n\n{bad\n" + good + "\n" + R"({"table":"m","time":1,"fields":{"v":1.5}})" + "\n" + good);
  EXPECT_EQ(parsed.points.size(), 3U);
  ASSERT_EQ(parsed.errors.size(), 2U);
  EXPECT_EQ(parsed.errors[0].line, 3U);
  EXPECT_EQ(parsed.errors[1].line, 5U);
  EXPECT_THAT(parsed.errors[1].reason, HasSubstr("got float64, want int64"));
}

TEST(JsonRows, ErrorsStayShort) {
  std::string name;
  while (name.size() < 100'000) name += "\xc3\xa9";
  const Parsed parsed = parse("{\"" + name + "\":1}");
  ASSERT_EQ(parsed.errors.size(), 1U);
  EXPECT_LE(parsed.errors[0].reason.size(), kReasonBytesMax);
  EXPECT_TRUE(parsed.errors[0].reason.ends_with("\xc3\xa9"));
}

TEST(JsonRows, LineThatIsTooLongIsSkipped) {
  const std::string good = R"({"table":"m","time":1,"fields":{"v":1}})";
  const Parsed parsed =
      parse(good + "\n" + std::string(100, ' ') + good + "\n" + good, {.record_bytes_max = good.size()});
  EXPECT_EQ(parsed.points.size(), 2U);
  ASSERT_EQ(parsed.errors.size(), 1U);
  EXPECT_EQ(parsed.errors[0].line, 2U);
}

TEST(JsonRows, PiecesMakeNoDifference) {
  const std::vector<std::string> kinds = {R"({"table":"m","time":1,"fields":{"v":1}})",
                                          R"({"table":"n","tags":{"a":"\n"},"time":2,"fields":{"v":"x"}})",
                                          "",
                                          R"({"table":"m","time":1,"fields":{"v":"x"}})",
                                          "{",
                                          "\r"};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::mt19937_64 random(seed);
    std::string text;
    for (std::uint64_t n = random() % 20; n > 0; --n) text += kinds[random() % kinds.size()] + "\n";
    const Parsed whole = parse(text, {.record_bytes_max = 60});
    JsonParser again({.record_bytes_max = 60});
    ASSERT_EQ(test::parse_in_pieces(again, text, [&] { return 1 + random() % 50; }), whole) << text;
  }
}

}  // namespace
}  // namespace marigram::wire
