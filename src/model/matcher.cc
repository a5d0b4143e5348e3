#include "model/matcher.h"

#include "base/try.h"

#include <marigram/error.h>
#include <marigram/tags.h>

#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/stringpiece.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::model {
namespace {

// For the compiled program and the states that RE2 caches while it matches; beyond it matching is slower, not wrong.
constexpr std::int64_t kExpressionBytesMax = 1 << 20;

constexpr std::string_view kSpecial = R"(\.+*?()|[]{}^$)";

bool is_special(char c) {
  return kSpecial.find(c) != std::string_view::npos;
}

/// The strings that an expression of plain alternatives stands for, ascending; unset if it is more than that.
std::optional<std::vector<std::string>> plain_alternatives(std::string_view expression) {
  std::vector<std::string> values(1);
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const char c = expression[i];
    if (c == '|') {
      values.emplace_back();
    } else if (c == '\\' && i + 1 < expression.size() && is_special(expression[i + 1])) {
      values.back() += expression[++i];
    } else if (is_special(c)) {
      return std::nullopt;
    } else {
      values.back() += c;
    }
  }
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
  return values;
}

Result<std::shared_ptr<const re2::RE2>> compile_expression(const TagMatcher& condition) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kExpressionBytesMax);
  options.set_never_capture(true);
  options.set_dot_nl(true);
  auto expression = std::make_shared<const re2::RE2>(condition.value, options);
  if (expression->ok()) return expression;
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot match tag {}: bad regular expression: {}; got `{}`, want RE2 syntax, or compare "
                          "text as it is with = or !=",
                          condition.name, expression->error(), condition.value));
}

}  // namespace

Result<Matcher> Matcher::compile(const TagMatcher& condition) {
  if (condition.name.empty()) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot match a tag without a name; got the condition `{}`", condition.value));
  }
  Matcher matcher;
  matcher.tag_ = condition.name;
  matcher.negated_ = condition.op == MatchOp::kNotEqual || condition.op == MatchOp::kNotRegex;
  if (condition.op == MatchOp::kEqual || condition.op == MatchOp::kNotEqual) {
    matcher.values_ = {condition.value};
    return matcher;
  }
  if (auto values = plain_alternatives(condition.value)) {
    matcher.values_ = *std::move(values);
    return matcher;
  }
  MARIGRAM_ASSIGN(matcher.expression_, compile_expression(condition));
  return matcher;
}

bool Matcher::describes(std::string_view value) const {
  if (expression_) return re2::RE2::FullMatch(re2::StringPiece(value.data(), value.size()), *expression_);
  return std::ranges::binary_search(values_, value, std::less<>());
}

std::optional<std::span<const std::string>> Matcher::listed() const {
  if (expression_) return std::nullopt;
  return values_;
}

Result<std::vector<Matcher>> compile_matchers(std::span<const TagMatcher> conditions) {
  std::vector<Matcher> matchers;
  matchers.reserve(conditions.size());
  for (const TagMatcher& condition : conditions) {
    MARIGRAM_ASSIGN(Matcher matcher, Matcher::compile(condition));
    matchers.push_back(std::move(matcher));
  }
  return matchers;
}

}  // namespace marigram::model
