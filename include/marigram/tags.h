// Tags as the time-series API names them: text by name, in any order, appearing as they come.
#pragma once

#include <string>
#include <vector>

namespace marigram {

/// One tag of a series. An empty value says the same as no such tag.
struct Tag {
  std::string name = {};
  std::string value = {};

  friend auto operator<=>(const Tag&, const Tag&) = default;
};

using Tags = std::vector<Tag>;

enum class MatchOp {
  kEqual,     ///< `=`
  kNotEqual,  ///< `!=`
  kRegex,     ///< `=~`: the whole value matches the RE2 expression
  kNotRegex,  ///< `!~`
};

/// A condition on a tag, as Prometheus has them: a series without the tag counts as one whose value is empty.
struct TagMatcher {
  std::string name = {};
  MatchOp op = MatchOp::kEqual;
  std::string value = {};
};

}  // namespace marigram
