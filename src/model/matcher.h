// A condition on a tag, made ready to be asked of many values.
#pragma once

#include <marigram/error.h>
#include <marigram/tags.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace marigram::model {

/// Either a list of values or an expression, and whether a value has to be it or must not. Immutable; thread-safe;
/// copies share the expression.
class Matcher {
 public:
  /// Expressions are RE2's, over UTF-8, matched against the whole value, case-sensitive unless they say `(?i)`; `.` is
  /// any character. An expression of plain alternatives (`a|b\.c`) becomes a list. kInvalidInput for an empty tag name
  /// and for an expression that RE2 refuses or that needs more than about a MiB; names tag, expression and reason.
  static Result<Matcher> compile(const TagMatcher& condition);

  const std::string& tag() const { return tag_; }
  /// Whether a series with this value of the tag fulfils the condition; "" for one without the tag. O(log list), or
  /// O(value) for an expression.
  bool matches(std::string_view value) const { return describes(value) != negated_; }

  /// `!=` and `!~`: the values that are described are those not wanted.
  bool negated() const { return negated_; }
  /// Whether the list or the expression describes the value, apart from negation.
  bool describes(std::string_view value) const;
  /// The values described: distinct, ascending by bytes, "" perhaps among them. Unset for an expression.
  std::optional<std::span<const std::string>> listed() const;

 private:
  Matcher() = default;

  std::string tag_;
  bool negated_ = false;
  std::vector<std::string> values_;             // the list, if there is no expression
  std::shared_ptr<const re2::RE2> expression_;  // null for a list
};

/// All of them.
Result<std::vector<Matcher>> compile_matchers(std::span<const TagMatcher> conditions);

}  // namespace marigram::model
