#include "coverage/coverage_map.h"

#include "coverage/bucket_set.h"
#include "model/table_meta.h"

#include <marigram/series.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace marigram::coverage {
namespace {

/// `change` keeps the order of the series.
template <typename F>
void change_keys(CoverageMap& map, F change) {
  CoverageMap changed;
  while (!map.empty()) {
    auto node = map.extract(map.begin());
    change(node.key());
    changed.insert(changed.end(), std::move(node));
  }
  map = std::move(changed);
}

}  // namespace

std::optional<Overlap> find_overlap(const CoverageMap& a, const CoverageMap& b) {
  std::optional<Overlap> overlap;
  const CoverageMap& few = a.size() <= b.size() ? a : b;
  const CoverageMap& many = a.size() <= b.size() ? b : a;
  for (const auto& [series, set] : few) {
    const auto other = many.find(series);
    if (other == many.end()) continue;
    const std::uint64_t common = set.overlap_size(other->second);
    if (common == 0) continue;
    if (!overlap) overlap = {.buckets = 0, .series = series, .id = *set.first_common(other->second)};
    overlap->buckets += common;
  }
  return overlap;
}

void unite(CoverageMap& into, const CoverageMap& from) {
  for (const auto& [series, set] : from) {
    const auto [place, added] = into.try_emplace(series, set);
    if (!added) place->second.unite(set);
  }
}

void subtract(CoverageMap& from, const CoverageMap& what) {
  if (&from == &what) return from.clear();
  for (const auto& [series, set] : what) {
    const auto place = from.find(series);
    if (place == from.end()) continue;
    place->second.subtract(set);
    if (place->second.empty()) from.erase(place);
  }
}

void fill_absent_tags(CoverageMap& map, std::size_t tags) {
  if (map.empty() || map.begin()->first.size() >= tags) return;
  change_keys(map, [&](SeriesKey& series) { model::fill_absent_tags(series, tags); });
}

bool drop_absent_tag(CoverageMap& map) {
  const TagValue absent{std::string()};
  const auto lacks = [&](const auto& entry) { return !entry.first.empty() && entry.first.back() == absent; };
  if (!std::ranges::all_of(map, lacks)) return false;
  change_keys(map, [](SeriesKey& series) { series.pop_back(); });
  return true;
}

BucketSet across_series(const CoverageMap& map) {
  BucketSet all;
  for (const auto& [series, set] : map) all.unite(set);
  return all;
}

}  // namespace marigram::coverage
