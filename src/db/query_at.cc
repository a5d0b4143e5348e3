#include "db/query_at.h"

#include "base/try.h"
#include "table/history.h"

#include <marigram/series.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace marigram::db {
namespace {

/// The values of a tag that the series of the table have and the condition wants.
TagPredicate predicate_of(const model::Matcher& matcher, std::size_t tag, const table::CoveragePtr& series) {
  TagPredicate predicate{.column = matcher.tag(), .values = {}};
  if (const auto listed = matcher.listed(); listed && !matcher.negated()) {
    predicate.values.assign(listed->begin(), listed->end());
    return predicate;
  }
  std::set<std::string> values;
  for (const auto& [key, buckets] : *series) {
    std::string value = format_tag_value(key[tag]);
    if (matcher.matches(value)) values.insert(std::move(value));
  }
  predicate.values.assign(values.begin(), values.end());
  return predicate;
}

}  // namespace

Result<table::StatePtr> state_at(const table::LiveTable& table, const OpenOptions& at) {
  MARIGRAM_ASSIGN(log::TableState state, table::load_at(table.engine().log(), at));
  return std::make_shared<const log::TableState>(std::move(state));
}

Result<table::ChosenRows> choose_at(const table::LiveTable& table, table::StatePtr state, const ScanRequest& request,
                                    std::span<const model::Matcher> where) {
  table::ChosenRows chosen{.view = {.state = std::move(state)}, .request = request};
  if (where.empty()) return chosen;
  MARIGRAM_ASSIGN(const table::CoveragePtr series, table.engine().coverage(*chosen.view.state));
  const std::vector<std::string>& tags = chosen.view.state->meta->index->tags;
  for (const model::Matcher& matcher : where) {
    const auto tag = std::ranges::find(tags, matcher.tag());
    if (tag != tags.end()) {
      chosen.request.where.push_back(predicate_of(matcher, static_cast<std::size_t>(tag - tags.begin()), series));
    } else if (!matcher.matches("")) {
      chosen.request.limit = 0;
    }
  }
  return chosen;
}

}  // namespace marigram::db
