#include "table/bucket_guard.h"

#include "base/try.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace marigram::table {
namespace {

std::unexpected<Error> overlap(const std::string& table, const std::string& series, std::uint64_t buckets,
                               const coverage::BucketGrid& grid, std::uint64_t id, std::string_view by) {
  const std::string bucket =
      fmt::format("[{}, {})", format_index_value(grid.start_of(id)), format_index_value(grid.end_of(id)));
  return std::unexpected(
      Error{.code = ErrorCode::kOverlap,
            .message = fmt::format("cannot insert into {}: bucket {} of series {} is covered {}; insert rows of other "
                                   "buckets, or create the table with another policy on duplicates",
                                   table, bucket, series, by),
            .detail = OverlapInfo{.buckets = buckets, .series = series, .example = bucket}});
}

std::string name_of(const LiveSchema& schema, SeriesKey key) {
  const std::vector<std::string> tags = schema.tag_names();
  key.resize(tags.size(), TagValue(std::string()));
  return format_series(tags, key);
}

std::size_t tags_in(const coverage::CoverageMap& map) {
  return map.empty() ? 0 : map.begin()->first.size();
}

/// With the keys that series had when the table had so many tags. Those that have a later tag were not there yet.
coverage::CoverageMap with_tags(coverage::CoverageMap map, std::size_t tags) {
  const auto is_later = [&](const auto& entry) {
    const auto is_absent = [](const TagValue& value) { return value == TagValue(std::string()); };
    const SeriesKey& key = entry.first;
    return key.size() > tags && !std::all_of(key.begin() + static_cast<std::ptrdiff_t>(tags), key.end(), is_absent);
  };
  std::erase_if(map, is_later);
  while (tags_in(map) > tags) coverage::drop_absent_tag(map);
  coverage::fill_absent_tags(map, tags);
  return map;
}

/// Tags may have been added to the table between the two.
void unite_grown(coverage::CoverageMap& into, coverage::CoverageMap from) {
  const std::size_t tags = std::max(tags_in(into), tags_in(from));
  coverage::fill_absent_tags(into, tags);
  coverage::fill_absent_tags(from, tags);
  coverage::unite(into, from);
}

}  // namespace

Result<coverage::CoverageMap> BucketGuard::cover(const IncomingRows& rows, const head::SeriesDictionary& series,
                                                 const std::string& table) const {
  const head::ArrivingRows arriving = rows.arriving();
  std::vector<std::uint64_t> ids(arriving.times.size());
  MARIGRAM_TRY(grid_.ids_of(arriving.times, rows.schema()->unit, ids));
  std::map<head::SeriesId, coverage::BucketSet> by_series;
  for (std::size_t row = 0; row < ids.size(); ++row) {
    coverage::BucketSet& set = by_series[arriving.series[row]];
    if (set.contains(ids[row])) {
      const SeriesKey key = series_key(*rows.schema(), series, arriving.series[row]);
      return overlap(table, name_of(*rows.schema(), key), 1, grid_, ids[row], "twice by the batch itself");
    }
    set.add(ids[row]);
  }
  coverage::CoverageMap covered;
  for (auto& [id, set] : by_series) covered.emplace(series_key(*rows.schema(), series, id), std::move(set));
  return covered;
}

Status BucketGuard::check_head(const coverage::CoverageMap& added, const LiveSchema& schema,
                               const std::string& table) const {
  const std::lock_guard lock(mutex_);
  MARIGRAM_TRY(check(added, open_, schema, table));
  return check(added, closed_, schema, table);
}

Status BucketGuard::check(const coverage::CoverageMap& added, const coverage::CoverageMap& covered,
                          const LiveSchema& schema, const std::string& table) const {
  if (covered.empty()) return {};
  std::optional<coverage::CoverageMap> aligned;
  if (tags_in(added) != tags_in(covered)) aligned = with_tags(added, tags_in(covered));
  const auto common = coverage::find_overlap(covered, aligned ? *aligned : added);
  if (!common) return {};
  return overlap(table, name_of(schema, common->series), common->buckets, grid_, common->id, "by the table already");
}

void BucketGuard::add(const coverage::CoverageMap& added) {
  const std::lock_guard lock(mutex_);
  unite_grown(open_, added);
}

void BucketGuard::close() {
  const std::lock_guard lock(mutex_);
  unite_grown(closed_, std::exchange(open_, {}));
}

void BucketGuard::forget_closed() {
  const std::lock_guard lock(mutex_);
  closed_.clear();
}

}  // namespace marigram::table
