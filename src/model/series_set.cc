#include "model/series_set.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace marigram::model {

bool series_matches(const SeriesKey& series, const IndexSpec& index, const std::vector<TagPredicate>& where) {
  return std::ranges::all_of(where, [&](const TagPredicate& predicate) {
    const auto tag = std::ranges::find(index.tags, predicate.column) - index.tags.begin();
    const std::string value = format_tag_value(series[static_cast<std::size_t>(tag)]);
    return std::ranges::find(predicate.values, value) != predicate.values.end();
  });
}

bool SeriesSet::has(const SeriesKey& series, const IndexSpec& index) const {
  return series_matches(series, index, where) &&
         std::ranges::none_of(except, [&](const auto& others) { return series_matches(series, index, others); });
}

bool are_apart(const std::vector<TagPredicate>& left, const std::vector<TagPredicate>& right) {
  return std::ranges::any_of(left, [&](const TagPredicate& one) {
    return std::ranges::any_of(right, [&](const TagPredicate& other) {
      return one.column == other.column && std::ranges::find_first_of(one.values, other.values) == one.values.end();
    });
  });
}

bool implies(const std::vector<TagPredicate>& one, const std::vector<TagPredicate>& other) {
  const auto has = [](const std::vector<std::string>& values, const std::string& value) {
    return std::ranges::find(values, value) != values.end();
  };
  return std::ranges::all_of(other, [&](const TagPredicate& wanted) {
    return std::ranges::any_of(one, [&](const TagPredicate& given) {
      return given.column == wanted.column &&
             std::ranges::all_of(given.values, [&](const auto& value) { return has(wanted.values, value); });
    });
  });
}

}  // namespace marigram::model
