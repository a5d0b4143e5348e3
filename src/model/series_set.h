// Series by their tags.
#pragma once

#include "model/index.h"

#include <marigram/series.h>

#include <vector>

namespace marigram::model {

/// Whether the series is one that all predicates ask for; they are on tags of the index. O(values).
bool series_matches(const SeriesKey& series, const IndexSpec& index, const std::vector<TagPredicate>& where);

/// The series that `where` asks for, without those that one of `except` does.
struct SeriesSet {
  std::vector<TagPredicate> where = {};
  std::vector<std::vector<TagPredicate>> except = {};

  bool is_all() const { return where.empty() && except.empty(); }
  bool has(const SeriesKey& series, const IndexSpec& index) const;

  friend bool operator==(const SeriesSet&, const SeriesSet&) = default;
};

/// Whether no series fulfils both: they ask for different values of a tag.
bool are_apart(const std::vector<TagPredicate>& left, const std::vector<TagPredicate>& right);

/// Whether all series that fulfil the one fulfil the other.
bool implies(const std::vector<TagPredicate>& one, const std::vector<TagPredicate>& other);

}  // namespace marigram::model
