// Conditions on tags. Without this test a matcher could select series that Prometheus would not: match a part of a
// value, forget that a missing tag counts as empty, take an escaped character for a special one, or treat a list of
// plain alternatives otherwise than the expression that it stands for.
#include "model/matcher.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace marigram::model {
namespace {

Matcher matcher(MatchOp op, const std::string& value) {
  return Matcher::compile({.name = "host", .op = op, .value = value}).value();
}

bool regex(const std::string& expression, std::string_view value) {
  const bool wanted = matcher(MatchOp::kRegex, expression).matches(value);
  EXPECT_NE(wanted, matcher(MatchOp::kNotRegex, expression).matches(value)) << expression << " " << value;
  return wanted;
}

std::vector<std::string> listed(const std::string& expression) {
  const Matcher compiled = matcher(MatchOp::kRegex, expression);
  const auto values = compiled.listed();
  return values ? std::vector<std::string>(values->begin(), values->end()) : std::vector<std::string>{"no list"};
}

std::string message_of(const TagMatcher& condition) {
  const auto result = Matcher::compile(condition);
  if (result) return "no error";
  EXPECT_EQ(result.error().code, ErrorCode::kInvalidInput);
  return result.error().message;
}

TEST(Matcher, EqualComparesBytes) {
  EXPECT_TRUE(matcher(MatchOp::kEqual, "a.c").matches("a.c"));
  EXPECT_FALSE(matcher(MatchOp::kEqual, "a.c").matches("abc"));
  EXPECT_FALSE(matcher(MatchOp::kEqual, "a").matches("A"));
  EXPECT_TRUE(matcher(MatchOp::kNotEqual, "a").matches("A"));
  EXPECT_FALSE(matcher(MatchOp::kNotEqual, "a").matches("a"));
}

TEST(Matcher, AMissingTagIsAnEmptyValue) {
  EXPECT_TRUE(matcher(MatchOp::kEqual, "").matches(""));
  EXPECT_TRUE(matcher(MatchOp::kNotEqual, "a").matches(""));
  EXPECT_FALSE(matcher(MatchOp::kNotEqual, "").matches(""));
  EXPECT_TRUE(regex(".*", ""));
  EXPECT_FALSE(regex(".+", ""));
  EXPECT_TRUE(regex("", ""));
  EXPECT_FALSE(regex("", "a"));
  EXPECT_TRUE(regex("a|", ""));
  EXPECT_TRUE(regex("a?", ""));
}

TEST(Matcher, ExpressionsMatchTheWholeValue) {
  EXPECT_TRUE(regex("web-[0-9]+", "web-12"));
  EXPECT_FALSE(regex("web-[0-9]+", "web-12b"));
  EXPECT_FALSE(regex("web-[0-9]+", "a web-12"));
  EXPECT_FALSE(regex("a|b", "ab"));
  EXPECT_FALSE(regex("(a|ab)", "abc"));
  EXPECT_TRUE(regex("a|ab.*", "abc"));  // an alternative that matches a part does not hide one that matches all
  EXPECT_FALSE(regex("WEB", "web"));
  EXPECT_TRUE(regex("(?i)WEB", "web"));
  EXPECT_TRUE(regex("a.b", "a\nb"));
  EXPECT_TRUE(regex("a.b", "aéb"));
  EXPECT_FALSE(regex("web$|x.", "web\n"));
}

TEST(Matcher, PlainAlternativesAreAList) {
  EXPECT_EQ(listed("b|a|b"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(listed("a"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(listed(""), (std::vector<std::string>{""}));
  EXPECT_EQ(listed("a||b"), (std::vector<std::string>{"", "a", "b"}));
  EXPECT_EQ(listed(R"(10\.0\.0\.1|10\.0\.0\.2)"), (std::vector<std::string>{"10.0.0.1", "10.0.0.2"}));
  EXPECT_EQ(listed(R"(a\|b|\\)"), (std::vector<std::string>{"\\", "a|b"}));
  for (const char* more : {"a.b", "a*", "(a|b)", "[ab]", "^a", "a$", R"(\d)", R"(\n)", "a{2}"}) {
    EXPECT_EQ(listed(more), (std::vector<std::string>{"no list"})) << more;
  }
  EXPECT_EQ(matcher(MatchOp::kNotRegex, "a|b").listed()->size(), 2U);
  EXPECT_TRUE(matcher(MatchOp::kNotRegex, "a|b").negated());
}

/// Short random texts over few characters find what one would not think of.
TEST(Matcher, AgreesWithTheEngineOnRandomExpressions) {
  std::mt19937_64 random(1);
  const auto text = [&](const std::string& characters, std::size_t length_max) {
    std::string result(random() % (length_max + 1), ' ');
    for (char& c : result) c = characters[random() % characters.size()];
    return result;
  };
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_dot_nl(true);
  int valid = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string expression = text("aab||\\\\.*()", 8);
    const re2::RE2 engine("\\A(?:" + expression + ")\\z", options);
    const auto compiled = Matcher::compile({.name = "t", .op = MatchOp::kRegex, .value = expression});
    ASSERT_EQ(compiled.has_value(), re2::RE2(expression, options).ok()) << expression;
    if (!compiled) continue;
    ++valid;
    for (int j = 0; j < 8; ++j) {
      const std::string value = text("ab|\\.*", 3);
      ASSERT_EQ(compiled->matches(value), re2::RE2::PartialMatch(value, engine)) << expression << " " << value;
    }
  }
  EXPECT_GT(valid, 5'000);
}

TEST(Matcher, RefusesWhatIsNoExpression) {
  EXPECT_EQ(message_of({.name = "host", .op = MatchOp::kRegex, .value = "web-(a"}),
            "cannot match tag host: bad regular expression: missing ): web-(a; got `web-(a`, want RE2 syntax, or "
            "compare text as it is with = or !=");
  EXPECT_EQ(message_of({.name = "", .op = MatchOp::kEqual, .value = "a"}),
            "cannot match a tag without a name; got the condition `a`");
  for (const char* bad : {"a)", "*", "[", "a\\", "(?<name>a", "(?=a)", "\xff.", R"(\1)"}) {
    EXPECT_NE(message_of({.name = "t", .op = MatchOp::kNotRegex, .value = bad}), "no error") << bad;
  }
}

TEST(Matcher, AnExpressionThatNeedsTooMuchMemoryIsRefused) {
  EXPECT_NE(message_of({.name = "t", .op = MatchOp::kRegex, .value = "((a{100}){100}){100}"}), "no error");
  EXPECT_NE(message_of({.name = "t", .op = MatchOp::kRegex, .value = std::string(200'000, 'a') + "."}), "no error");
}

/// RE2 needs time linear in the value; an engine that backtracks would not come back.
TEST(Matcher, HasNoSlowExpressions) {
  EXPECT_FALSE(regex("(a*)*(a*)*(a*)*b", std::string(100'000, 'a')));
}

TEST(Matcher, CompilesAllOrNamesTheBadOne) {
  const std::vector<TagMatcher> good = {{.name = "a", .op = MatchOp::kEqual, .value = "1"},
                                        {.name = "b", .op = MatchOp::kRegex, .value = "2.*"}};
  const auto both = compile_matchers(good);
  ASSERT_TRUE(both);
  EXPECT_EQ((*both)[1].tag(), "b");
  const std::vector<TagMatcher> bad = {good[0], {.name = "b", .op = MatchOp::kRegex, .value = "("}};
  ASSERT_FALSE(compile_matchers(bad));
  EXPECT_NE(compile_matchers(bad).error().message.find("tag b"), std::string::npos);
}

}  // namespace
}  // namespace marigram::model
