#include "table/coverage_report.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "coverage/bucket_set.h"
#include "coverage/calendar.h"
#include "coverage/queries.h"
#include "model/series_set.h"
#include "table/definition.h"
#include "table/scan.h"

#include <algorithm>
#include <map>
#include <utility>

namespace marigram::table {
namespace {

using coverage::BucketGrid;
using coverage::BucketSet;
using coverage::IdRange;

/// The series that the predicates ask for, with their names as users know them: v1 files hold no series in their
/// coverage, the table's metadata does.
std::map<SeriesKey, const BucketSet*> matching_series(const log::TableState& state, const model::IndexSpec& index,
                                                      const coverage::CoverageMap& map,
                                                      const std::vector<TagPredicate>& where) {
  std::map<SeriesKey, const BucketSet*> found;
  for (const auto& [stored, buckets] : map) {
    const SeriesKey& series =
        state.dialect() == Dialect::kV1 && state.meta->pinned_series ? *state.meta->pinned_series : stored;
    if (series.size() == index.tags.size() ? model::series_matches(series, index, where) : where.empty()) {
      found.emplace(series, &buckets);
    }
  }
  return found;
}

/// What all reports of one request share.
struct Question {
  BucketGrid grid;
  CoveragePtr coverage;  // keeps the sets of `series` alive
  std::map<SeriesKey, const BucketSet*> series;
  std::optional<IdRange> range;  // unset: nothing covered, nothing asked
  std::optional<BucketSet> expected;
  IndexValue from;
  IndexValue to;
};

BucketSet union_of(const std::map<SeriesKey, const BucketSet*>& series) {
  BucketSet all;
  for (const auto& [key, buckets] : series) all.unite(*buckets);
  return all;
}

std::optional<IdRange> covered_range(const std::map<SeriesKey, const BucketSet*>& series) {
  std::optional<IdRange> range;
  for (const auto& [key, buckets] : series) {
    if (buckets->empty()) continue;
    const IdRange own{*buckets->min(), *buckets->max()};
    range = range ? IdRange{std::min(range->first, own.first), std::max(range->last, own.last)} : own;
  }
  return range;
}

Result<std::optional<BucketSet>> expected_buckets(const log::TableState& state, const BucketGrid& grid, IdRange range) {
  MARIGRAM_ASSIGN(const auto calendar, table_calendar(state));
  if (!calendar) return std::nullopt;
  MARIGRAM_ASSIGN(BucketSet expected, calendar->expected(grid, range));
  return expected;
}

/// The ids of [from, to), each end by default that of the coverage.
Result<std::optional<IdRange>> asked_range(const BucketGrid& grid, const std::map<SeriesKey, const BucketSet*>& series,
                                           const CoverageRequest& request) {
  std::optional<IdRange> range = covered_range(series);
  if (!range && !(request.from && request.to)) return std::nullopt;
  if (!range) range = IdRange{0, 0};
  if (request.from) {
    MARIGRAM_ASSIGN(range->first, grid.id_of(*request.from));
  }
  if (request.to) {
    MARIGRAM_ASSIGN(range->last, grid.last_id_before(*request.to));
  }
  if (range->first > range->last) return std::nullopt;
  return range;
}

Result<Question> ask(const Engine& engine, const log::TableState& state, const CoverageRequest& request) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  MARIGRAM_TRY(check_range_and_tags(index, request.from, request.to, request.where));
  Question question{.grid = BucketGrid(state.dialect(), index.kind),
                    .coverage = {},
                    .series = {},
                    .range = {},
                    .expected = {},
                    .from = {},
                    .to = {}};
  MARIGRAM_ASSIGN(question.coverage, engine.coverage(state));
  question.series = matching_series(state, index, *question.coverage, request.where);
  MARIGRAM_ASSIGN(question.range, asked_range(question.grid, question.series, request));
  if (question.range) {
    MARIGRAM_ASSIGN(question.expected, expected_buckets(state, question.grid, *question.range));
    question.from = request.from.value_or(question.grid.start_of(question.range->first));
    question.to = request.to.value_or(question.grid.end_of(question.range->last));
  } else {
    question.from = request.from.value_or(question.grid.start_of(0));
    question.to = request.to.value_or(question.from);
  }
  return question;
}

BucketRange bucket_range(const BucketGrid& grid, IdRange ids, const BucketSet* expected) {
  return {grid.start_of(ids.first), grid.end_of(ids.last), coverage::expected_in(ids, expected)};
}

CoverageReport answer(const Question& question, const BucketSet& present, std::uint64_t min_gap_buckets) {
  CoverageReport report{.series = {}, .from = question.from, .to = question.to, .gaps = {}};
  if (!question.range) {
    report.ratio = 0;
    return report;
  }
  const BucketSet* expected = question.expected ? &*question.expected : nullptr;
  const coverage::RangeCoverage covered = coverage::cover_range(present, *question.range, expected, min_gap_buckets);
  report.covered_buckets = covered.covered;
  report.expected_buckets = covered.expected;
  report.ratio = covered.ratio();
  report.max_gap_buckets = covered.max_gap;
  report.gaps.reserve(covered.gaps.size());
  for (const IdRange& gap : covered.gaps) report.gaps.push_back(bucket_range(question.grid, gap, expected));
  return report;
}

}  // namespace

Result<CoverageReport> report_coverage(const Engine& engine, const log::TableState& state,
                                       const CoverageRequest& request) {
  MARIGRAM_ASSIGN(const Question question, ask(engine, state, request));
  CoverageReport report = question.series.size() == 1
                              ? answer(question, *question.series.begin()->second, request.min_gap_buckets)
                              : answer(question, union_of(question.series), request.min_gap_buckets);
  return report;
}

Result<std::vector<CoverageReport>> report_coverage_by_series(const Engine& engine, const log::TableState& state,
                                                              const CoverageRequest& request) {
  MARIGRAM_ASSIGN(const Question question, ask(engine, state, request));
  std::vector<CoverageReport> reports;
  reports.reserve(question.series.size());
  for (const auto& [series, buckets] : question.series) {
    reports.push_back(answer(question, *buckets, request.min_gap_buckets));
    reports.back().series = series;
  }
  return reports;
}

Result<std::optional<BucketRange>> find_last_covered_window(const Engine& engine, const log::TableState& state,
                                                            std::uint64_t length,
                                                            const std::optional<IndexValue>& before,
                                                            const std::vector<TagPredicate>& where) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  MARIGRAM_TRY(check_range_and_tags(index, {}, before, where));
  const BucketGrid grid(state.dialect(), index.kind);
  MARIGRAM_ASSIGN(const CoveragePtr map, engine.coverage(state));
  const auto series = matching_series(state, index, *map, where);
  const std::optional<IdRange> covered = covered_range(series);
  if (!covered) return std::nullopt;
  std::uint64_t last_id = covered->last;
  if (before) {
    MARIGRAM_ASSIGN(const std::uint64_t asked, grid.last_id_before(*before));
    last_id = std::min(last_id, asked);
  }
  if (last_id < covered->first) return std::nullopt;
  MARIGRAM_ASSIGN(const auto expected, expected_buckets(state, grid, {covered->first, last_id}));
  const auto window = coverage::last_covered_window(union_of(series), last_id, length, expected ? &*expected : nullptr);
  if (!window) return std::nullopt;
  return bucket_range(grid, *window, expected ? &*expected : nullptr);
}

}  // namespace marigram::table
