#include "table/rewrite.h"

#include "base/hash.h"
#include "base/try.h"
#include "table/append.h"
#include "table/coverage_files.h"
#include "table/definition.h"
#include "table/field_conditions.h"
#include "table/rollups.h"
#include "table/scan_part.h"
#include "table/tombstone_list.h"

#include <arrow/api.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <set>
#include <utility>
#include <variant>

namespace marigram::table {
namespace {

using Filter = std::function<Result<std::unique_ptr<BatchSource>>(std::unique_ptr<BatchSource>)>;

/// What rewriting makes. Native segments are read block by block, so that large ones cost nothing more, and their
/// blocks hold more of a series: as many rows as take some 64 MiB.
SegmentSize rewritten_size(const log::TableState& state) {
  SegmentSize size;
  if (state.segment_format != SegmentFormat::kNative || !state.meta->schema) return size;
  constexpr std::int64_t kCells = 8 << 20;
  const auto columns = static_cast<std::int64_t>(state.meta->schema->columns.size());
  size.most = std::clamp(kCells / columns, size.most, 8 * size.most);
  size.good = size.most / 2;
  return size;
}

/// Segments of one state, which may be that of a level, taken out, and what their rows became; then the commit that
/// says so.
class Rewrite {
 public:
  Rewrite(Engine& engine, StatePtr state)
      : engine_(engine), state_(std::move(state)), bare_(*state_), files_(engine.store()) {
    bare_.segments.clear();
  }

  bool empty() const { return old_.empty(); }
  const std::vector<SegmentPtr>& old_segments() const { return old_; }
  const std::vector<model::SegmentMeta>& new_segments() const { return new_; }

  /// The rows of some segments alone, as a scan of the table gives them.
  Result<ScanStream> rows_of(const Cluster& segments, const ScanRequest& request) const {
    return scan_part(engine_, bare_, segments, request, {});
  }

  /// Writes the rows of the segments that the filter lets through as new segments in their place.
  Status replace(const Cluster& segments, const Filter& filter) {
    // Rows in order of time become segments that do not overlap; those of one segment lie in its own order already.
    const ScanOrder order = segments.size() == 1 ? ScanOrder::kSeries : ScanOrder::kTime;
    MARIGRAM_ASSIGN(ScanStream stream, rows_of(segments, {.order = order}));
    MARIGRAM_ASSIGN(const Alignment alignment, Alignment::make(*stream.schema, *state_));
    MARIGRAM_ASSIGN(auto kept, filter(std::move(stream.rows)));
    AlignedSource rows(*kept, alignment);
    const auto taken = std::make_shared<const coverage::CoverageMap>();  // they come back where they were
    MARIGRAM_ASSIGN(Staged staged,
                    stage_append(engine_, state_, alignment, taken, rows, rewritten_size(*state_), attempt_, files_));
    std::ranges::copy(segments, std::back_inserter(old_));
    std::ranges::move(staged.segments, std::back_inserter(new_));
    return {};
  }

  /// `covers_less`: rows are gone, and so may be buckets. False, and nothing is there, if another writer took one of
  /// the old segments away.
  Result<bool> commit(const std::string& operation, bool covers_less) {
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
    if (committed) return true;
    if (lost) return false;
    return std::unexpected(committed.error());
  }

 private:
  const std::string& key_of(const model::SegmentMeta& segment) const { return segment.key(state_->dialect()); }

  /// Tags may have come to the table since the segments were written.
  void fill_absent_tags(std::size_t tags) {
    for (model::SegmentMeta& segment : new_) model::fill_absent_tags(segment.layout, tags);
  }

  log::Proposal replacement(const std::string& operation, const log::TableState& now, bool covers_less) const {
    log::Proposal proposal{.actions = {}, .extension = {.operation = operation}};
    for (const SegmentPtr& segment : old_) proposal.actions.emplace_back(log::RemoveSegment{key_of(*segment)});
    for (const model::SegmentMeta& segment : new_) proposal.actions.emplace_back(log::AddSegment{segment});
    if (now.has_ranks()) proposal.extension.rank = state_->version;
    proposal.extension.dissolved = tombstones_without_rows(now);
    proposal.extension.keeps_rollups = !covers_less;
    return proposal;
  }

  /// What is to be done to the level, as a commit of the table.
  log::Proposal of_level(log::Proposal proposal) const {
    log::Extension& own = proposal.extension;
    log::Proposal outer{.actions = {}, .extension = {.operation = own.operation}};
    outer.extension.levels.push_back({.interval = state_->level,
                                      .actions = std::move(proposal.actions),
                                      .rank = own.rank,
                                      .dissolved = std::move(own.dissolved)});
    return outer;
  }

  /// Those that hide nothing any more once the new segments, of which none has hidden rows, are there.
  std::vector<std::string> tombstones_without_rows(const log::TableState& now) const {
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
  Result<log::UpdateTableCoverage> snapshot_after(const log::TableState& now) {
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

  Engine& engine_;
  StatePtr state_;
  log::TableState bare_;  // the state without segments
  StagedFiles files_;
  const std::string attempt_ = random_uuid();
  std::string snapshot_path_;
  std::vector<SegmentPtr> old_;
  std::vector<model::SegmentMeta> new_;
};

// ---- compact ----

Result<std::unique_ptr<BatchSource>> all_rows(std::unique_ptr<BatchSource> rows) {
  return rows;
}

/// The partition that a cluster lies in; unset if it crosses one. `seconds`: the width, unset for integer indexes.
std::optional<std::int64_t> partition_of(const Cluster& cluster, std::optional<std::int64_t> seconds) {
  if (!seconds) return 0;
  const auto number = [&](const IndexValue& value) {
    const std::int64_t at = std::get<Instant>(value).seconds;
    return at / *seconds - (at % *seconds < 0 ? 1 : 0);
  };
  const std::int64_t first = number(cluster.front()->min);
  const bool crosses = std::ranges::any_of(cluster, [&](const auto& segment) { return number(segment->max) != first; });
  return crosses ? std::nullopt : std::optional(first);
}

/// Overlapping segments of different commits: rows may have been replaced, and ranges read more than they need.
bool is_mixed(const Cluster& cluster) {
  return std::ranges::any_of(cluster, [&](const auto& s) { return s->rank.rank != cluster.front()->rank.rank; });
}

bool has_other_format(const model::SegmentMeta& segment, const log::TableState& state) {
  return segment.format != state.segment_format;
}

bool has_hidden(const Cluster& cluster, const TombstoneList& tombstones) {
  return std::ranges::any_of(cluster, [&](const auto& segment) { return tombstones.of(*segment) != nullptr; });
}

std::uint64_t rows_of(const Cluster& cluster) {
  std::uint64_t rows = 0;
  for (const SegmentPtr& segment : cluster) rows += segment->row_count;
  return rows;
}

/// A large segment; or those of one append that came with more than one segment holds: they follow one another by
/// series, and would not if they were written anew.
bool is_good(const Cluster& cluster, const log::TableState& state, const TombstoneList& tombstones) {
  if (is_mixed(cluster) || has_hidden(cluster, tombstones)) return false;
  if (std::ranges::any_of(cluster, [&](const auto& s) { return has_other_format(*s, state); })) return false;
  const std::int64_t good = cluster.size() == 1 ? rewritten_size(state).good : SegmentSize().good;
  return rows_of(cluster) >= cluster.size() * static_cast<std::uint64_t>(good);
}

/// Neighbours in one partition, to be rewritten together if there is something to gain.
struct Run {
  std::optional<std::int64_t> partition = {};
  Cluster segments = {};
  std::uint64_t rows = 0;
  bool defective = false;  // rows may have been replaced or are hidden, or lie in another format than they should

  void add(const Cluster& cluster, const log::TableState& state, const TombstoneList& tombstones) {
    std::ranges::copy(cluster, std::back_inserter(segments));
    rows += rows_of(cluster);
    for (const SegmentPtr& segment : cluster) defective |= has_other_format(*segment, state);
    defective |= is_mixed(cluster) || has_hidden(cluster, tombstones);
  }
  /// What comes of it has at most a segment per so many good rows, of one commit: it is not worth it again.
  bool is_worth_it(const log::TableState& state) const {
    const auto good = static_cast<std::uint64_t>(rewritten_size(state).good);
    return defective || segments.size() > (rows + good - 1) / good;
  }
};

Result<std::vector<Cluster>> worth_merging(const Engine& engine, const StatePtr& state) {
  std::optional<std::int64_t> seconds;
  if (std::holds_alternative<model::TimestampIndex>(state->meta->index->kind)) {
    MARIGRAM_ASSIGN(seconds, segment_seconds(*state));
  }
  MARIGRAM_ASSIGN(const auto tombstones, engine.tombstones(*state));
  std::vector<Cluster> worth;
  Run run;
  const auto end_run = [&] {
    if (run.is_worth_it(*state)) worth.push_back(std::move(run.segments));
    run = {};
  };
  for (const Cluster& cluster : cut_where_none_overlaps(engine.segments(state)->all())) {
    const auto partition = is_good(cluster, *state, *tombstones) ? std::nullopt : partition_of(cluster, seconds);
    if (partition != run.partition) end_run();
    run.partition = partition;
    if (partition) run.add(cluster, *state, *tombstones);
  }
  end_run();
  return worth;
}

CompactReport::Total total_of(const model::SegmentMeta& segment) {
  return {.segments = 1, .rows = segment.row_count, .bytes = segment.file_size.value_or(0)};
}

/// The table's rows, or a level of that name, if it is still there.
Status compact_part(Engine& engine, const std::string& name, CompactReport& report) {
  while (true) {
    const StatePtr whole = engine.state();
    const log::Level* const level = whole->find_level(name);
    if (level == nullptr && !name.empty()) return {};
    const StatePtr state = level == nullptr ? whole : level->table;
    MARIGRAM_TRY(require_index(*state));
    Rewrite rewrite(engine, state);
    MARIGRAM_ASSIGN(const std::vector<Cluster> worth, worth_merging(engine, state));
    for (const Cluster& segments : worth) MARIGRAM_TRY(rewrite.replace(segments, all_rows));
    if (rewrite.empty()) return {};
    MARIGRAM_ASSIGN(const bool committed, rewrite.commit("compact", false));
    if (committed) {
      for (const SegmentPtr& segment : rewrite.old_segments()) report.before += total_of(*segment);
      for (const model::SegmentMeta& segment : rewrite.new_segments()) report.after += total_of(segment);
      return {};
    }
    MARIGRAM_TRY(engine.refresh());
  }
}

// ---- remove ----

/// Segments that must be rewritten together: in a table that rejects duplicates none concerns another.
std::vector<Cluster> inseparable_segments(const Engine& engine, const StatePtr& state) {
  const auto list = engine.segments(state);
  if (state->duplicates != Duplicates::kReject) return cut_where_none_overlaps(list->all());
  std::vector<Cluster> alone;
  alone.reserve(list->all().size());
  for (const SegmentPtr& segment : list->all()) alone.push_back({segment});
  return alone;
}

/// Whether one of the rows chosen is there.
Result<bool> has_rows(const Rewrite& rewrite, const Cluster& cluster, const model::IndexSpec& index,
                      const RowSelection& choice) {
  const bool may = std::ranges::any_of(cluster, [&](const SegmentPtr& segment) {
    return segment_may_match(*segment, index, choice.from, choice.to, choice.where);
  });
  if (!may) return false;
  ScanRequest request{.from = choice.from, .to = choice.to, .columns = fields_of(choice.fields), .where = choice.where};
  request.columns.push_back(index.column);
  request.order = ScanOrder::kAny;
  if (choice.fields.empty()) request.limit = 1;
  MARIGRAM_ASSIGN(const ScanStream stream, rewrite.rows_of(cluster, request));
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
    if (!batch) return false;
    const std::vector<std::uint8_t> fulfils = fulfilling_rows(*batch, choice.fields);
    if (std::ranges::find(fulfils, 1) != fulfils.end()) return true;
  }
}

KeyColumns key_columns(const model::Schema& schema, const model::IndexSpec& index) {
  const auto position = [&](const std::string& name) {
    const auto found = std::ranges::find(schema.columns, name, &model::Column::name);
    return static_cast<int>(found - schema.columns.begin());
  };
  KeyColumns keys{.index = position(index.column), .tags = {}};
  for (const std::string& tag : index.tags) keys.tags.push_back(position(tag));
  return keys;
}

}  // namespace

Result<CompactReport> compact(Engine& engine, const CompactOptions& /*options*/) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(engine.refresh());
  CompactReport report;
  MARIGRAM_TRY(compact_part(engine, "", report));
  for (const std::string& level : level_names(*engine.state())) MARIGRAM_TRY(compact_part(engine, level, report));
  report.version = engine.state()->version;
  return report;
}

Result<std::uint64_t> rewrite_without(Engine& engine, const RowSelection& choice) {
  while (true) {
    MARIGRAM_TRY(engine.refresh());
    const StatePtr state = engine.state();
    MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(*state));
    MARIGRAM_ASSIGN(const model::Schema schema, require_schema(*state));
    MARIGRAM_ASSIGN(HiddenRows chosen, HiddenRows::make(schema, index, choice.from, choice.to, {choice.where, {}}));
    const HiddenFilter filter(std::make_shared<const HiddenRows>(std::move(chosen)), key_columns(schema, index),
                              choice.fields);
    std::uint64_t removed = 0;
    const Filter without_chosen = [&](std::unique_ptr<BatchSource> rows) {
      return without_hidden(std::move(rows), filter, removed);
    };
    Rewrite rewrite(engine, state);
    for (const Cluster& segments : inseparable_segments(engine, state)) {
      MARIGRAM_ASSIGN(const bool concerned, has_rows(rewrite, segments, index, choice));
      if (concerned) MARIGRAM_TRY(rewrite.replace(segments, without_chosen));
    }
    if (rewrite.empty()) return 0;
    MARIGRAM_ASSIGN(const bool committed, rewrite.commit("remove_rows", true));
    if (committed) return removed;
  }
}

}  // namespace marigram::table
