#include "table/segment_rewrite.h"

#include "base/hash.h"
#include "base/try.h"
#include "table/alignment.h"
#include "table/coverage_files.h"
#include "table/scan_part.h"
#include "table/tombstone_list.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <utility>

namespace marigram::table {

NewSegments rewritten_segments(const log::TableState& state, bool cold) {
  NewSegments wanted{.cold = cold};
  if (format_of(state, cold) != SegmentFormat::kNative || !state.meta->schema) return wanted;
  constexpr std::int64_t kCells = 8 << 20;
  const auto columns = static_cast<std::int64_t>(state.meta->schema->columns.size());
  wanted.most = std::clamp(kCells / columns, wanted.most, 8 * wanted.most);
  wanted.good = wanted.most / 2;
  return wanted;
}

SegmentRewrite::SegmentRewrite(Engine& engine, StatePtr state)
    : engine_(engine), state_(std::move(state)), bare_(*state_), files_(engine.store()), attempt_(random_uuid()) {
  bare_.segments.clear();
}

Result<ScanStream> SegmentRewrite::rows_of(const Cluster& segments, const ScanRequest& request) const {
  return scan_part(engine_, bare_, segments, request, {});
}

Status SegmentRewrite::replace(const Cluster& segments, bool cold, const std::optional<model::SegmentRank>& rank,
                               const RowFilter& filter) {
  // Rows in order of time become segments that do not overlap; those of one segment lie in its own order already.
  const ScanOrder order = segments.size() == 1 ? ScanOrder::kSeries : ScanOrder::kTime;
  MARIGRAM_ASSIGN(ScanStream stream, rows_of(segments, {.order = order}));
  MARIGRAM_ASSIGN(const Alignment alignment, Alignment::make(*stream.schema, *state_));
  if (filter) {
    MARIGRAM_ASSIGN(stream.rows, filter(std::move(stream.rows)));
  }
  AlignedSource rows(*stream.rows, alignment);
  const auto taken = std::make_shared<const coverage::CoverageMap>();  // they come back where they were
  MARIGRAM_ASSIGN(Staged staged, stage_append(engine_, state_, alignment, taken, rows,
                                              rewritten_segments(*state_, cold), attempt_, files_));
  if (rank) {
    for (const model::SegmentMeta& segment : staged.segments) ranks_.emplace(segment.path, *rank);
  }
  std::ranges::copy(segments, std::back_inserter(old_));
  std::ranges::move(staged.segments, std::back_inserter(new_));
  return {};
}

Result<bool> SegmentRewrite::commit(const std::string& operation, bool covers_less) {
  bool lost = false;
  const auto propose = [&](const log::TableState& newest) -> Result<log::Proposal> {
    const log::Level* const level = newest.find_level(state_->level);
    const log::TableState& now = level == nullptr ? newest : *level->table;
    lost = now.level != state_->level ||
           std::ranges::any_of(old_, [&](const auto& old) { return !now.segments.contains(key_of(*old)); });
    if (lost) return fail(ErrorCode::kConflict, "cannot rewrite segments: another writer took one away meanwhile");
    if (now.meta->grows()) fill_absent_tags(now.meta->index->tags.size());
    log::Proposal proposal = replacement(operation, now, covers_less);
    if (covers_less) {
      MARIGRAM_ASSIGN(auto coverage, snapshot_after(now));
      proposal.actions.emplace_back(std::move(coverage));
    }
    if (level != nullptr) return of_level(std::move(proposal));
    return proposal;
  };
  const Status committed = engine_.commit(propose);
  files_.keep_after(committed);
  if (committed) {
    for (const model::SegmentMeta& segment : new_) engine_.traffic().rewritten += segment.file_size.value_or(0);
    return true;
  }
  if (lost) return false;
  return std::unexpected(committed.error());
}

/// Tags may have come to the table since the segments were written.
void SegmentRewrite::fill_absent_tags(std::size_t tags) {
  for (model::SegmentMeta& segment : new_) model::fill_absent_tags(segment.layout, tags);
}

log::Proposal SegmentRewrite::replacement(const std::string& operation, const log::TableState& now,
                                          bool covers_less) const {
  log::Proposal proposal{.actions = {}, .extension = {.operation = operation}};
  for (const SegmentPtr& segment : old_) proposal.actions.emplace_back(log::RemoveSegment{key_of(*segment)});
  for (const model::SegmentMeta& segment : new_) proposal.actions.emplace_back(log::AddSegment{segment});
  if (now.has_ranks()) proposal.extension.rank = state_->version;
  if (now.has_ranks()) proposal.extension.ranks = ranks_;
  proposal.extension.dissolved = tombstones_without_rows(now);
  proposal.extension.keeps_rollups = !covers_less;
  return proposal;
}

/// What is to be done to the level, as a commit of the table.
log::Proposal SegmentRewrite::of_level(log::Proposal proposal) const {
  log::Extension& own = proposal.extension;
  log::Proposal outer{.actions = {}, .extension = {.operation = own.operation}};
  outer.extension.levels.push_back({.interval = state_->level,
                                    .actions = std::move(proposal.actions),
                                    .rank = own.rank,
                                    .ranks = std::move(own.ranks),
                                    .dissolved = std::move(own.dissolved)});
  return outer;
}

/// Those that hide nothing any more once the new segments, of which none has hidden rows, are there.
std::vector<std::string> SegmentRewrite::tombstones_without_rows(const log::TableState& now) const {
  std::set<std::string, std::less<>> gone;
  for (const SegmentPtr& segment : old_) gone.insert(key_of(*segment));
  std::vector<std::string> names;
  for (const auto& [name, tombstone] : now.tombstones) {
    const bool hides = std::ranges::any_of(now.segments, [&](const auto& live) {
      return !gone.contains(live.first) && may_hide(*tombstone, *live.second, *now.meta->index);
    });
    if (!hides && state_->tombstones.contains(name)) names.push_back(name);
  }
  return names;
}

/// The coverage of the table as it will be.
Result<log::UpdateTableCoverage> SegmentRewrite::snapshot_after(const log::TableState& now) {
  log::TableState after = now;
  for (const SegmentPtr& segment : old_) after.segments.erase(key_of(*segment));
  for (const model::SegmentMeta& segment : new_) {
    after.segments.emplace(key_of(segment), std::make_shared<const model::SegmentMeta>(segment));
  }
  MARIGRAM_ASSIGN(const coverage::CoverageMap left, union_of_sidecars(engine_.store(), after));
  if (!snapshot_path_.empty() && now.dialect() == Dialect::kV7) files_.remove(snapshot_path_);  // of a try that lost
  MARIGRAM_ASSIGN(auto coverage, stage_table_coverage(engine_.store(), now, left, attempt_, files_));
  snapshot_path_ = coverage.coverage_path;
  return coverage;
}

}  // namespace marigram::table
