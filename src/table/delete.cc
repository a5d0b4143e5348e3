#include "table/delete.h"

#include "base/hash.h"
#include "base/parallel.h"
#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "segment/reader.h"
#include "table/absent_tags.h"
#include "table/coverage_files.h"
#include "table/field_conditions.h"
#include "table/rewrite.h"
#include "table/row_order.h"
#include "table/scan_part.h"
#include "table/staging.h"

#include <arrow/api.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::table {
namespace {

using coverage::CoverageMap;
using coverage::IdRange;

/// Buckets of the rows that go.
struct Buckets {
  CoverageMap touched;
  CoverageMap emptied;  // of these, those that have no other rows
};

/// A delete of one version's rows.
class Deletion {
 public:
  Deletion(Engine& engine, StatePtr state, const model::IndexSpec& index, const RowSelection& choice)
      : engine_(engine),
        state_(std::move(state)),
        bare_(*state_),
        index_(index),
        choice_(choice),
        grid_(state_->dialect(), index.kind),
        files_(engine.store()) {
    bare_.segments.clear();
  }

  /// Finds the rows that it takes, and says how many.
  Result<std::uint64_t> find() {
    MARIGRAM_ASSIGN(coverage_, engine_.coverage(*state_));
    const std::uint64_t first = choice_.from ? id_of(*choice_.from) : 0;
    std::uint64_t last = grid_.max_id();
    if (choice_.to) {
      MARIGRAM_ASSIGN(last, grid_.last_id_before(*choice_.to));
    }
    if (!choice_.fields.empty()) {
      MARIGRAM_TRY(look_into({first, last}));
      return points_found_;
    }
    MARIGRAM_ASSIGN(const std::uint64_t rows, count());
    if (rows > 0) MARIGRAM_TRY(look_at_edges(first, last));
    return rows;
  }

  /// False, and nothing is there, if another writer came first.
  Result<bool> commit() {
    bool lost = false;
    MARIGRAM_ASSIGN(log::Proposal proposal, propose());
    const auto committed = engine_.commit([&](const log::TableState& now) -> Result<log::Proposal> {
      lost = now.version != state_->version;
      if (lost) return fail(ErrorCode::kConflict, "cannot delete rows: another writer came first");
      return proposal;
    });
    files_.keep_after(committed);
    if (committed) return true;
    if (lost) return false;
    return std::unexpected(committed.error());
  }

 private:
  std::vector<SegmentPtr> concerned() const {
    std::vector<SegmentPtr> segments;
    for (const SegmentPtr& segment : engine_.segments(state_)->all()) {
      if (segment_may_match(*segment, index_, choice_.from, choice_.to, choice_.where)) segments.push_back(segment);
    }
    return segments;
  }

  /// Whether all rows of the segment go.
  bool takes_all_of(const model::SegmentMeta& segment) const {
    if (!choice_.fields.empty()) return false;
    if (choice_.from && model::is_before(segment.min, *choice_.from)) return false;
    if (choice_.to && !model::is_before(segment.max, *choice_.to)) return false;
    // What may match of one series does.
    return choice_.where.empty() || std::holds_alternative<SeriesKey>(segment.layout);
  }

  // ---- count ----

  Result<std::uint64_t> count() const {
    std::vector<Cluster> apart;   // segments whose rows are counted where they lie
    std::vector<Cluster> merged;  // rows of one may have been replaced by another, or are hidden
    MARIGRAM_ASSIGN(const auto tombstones, engine_.tombstones(*state_));
    for (Cluster& cluster : cut_where_none_overlaps(concerned())) {
      const bool has_hidden =
          std::ranges::any_of(cluster, [&](const auto& s) { return tombstones->of(*s) != nullptr; });
      const bool is_merged = has_hidden || (cluster.size() > 1 && state_->duplicates == Duplicates::kLast);
      (is_merged ? merged : apart).push_back(std::move(cluster));
    }
    std::vector<std::uint64_t> rows(apart.size());
    MARIGRAM_TRY(for_each_part(*engine_.environment().pool, apart.size(), [&](std::size_t i) -> Status {
      for (const SegmentPtr& segment : apart[i]) {
        MARIGRAM_ASSIGN(const std::uint64_t own, count_in(*segment));
        rows[i] += own;
      }
      return {};
    }));
    for (const Cluster& cluster : merged) {
      MARIGRAM_ASSIGN(const std::uint64_t own, count_scanned(cluster));
      rows.push_back(own);
    }
    return std::accumulate(rows.begin(), rows.end(), std::uint64_t{0});
  }

  Result<std::uint64_t> count_in(const model::SegmentMeta& segment) const {
    if (takes_all_of(segment)) return segment.row_count;
    const Environment& environment = engine_.environment();
    MARIGRAM_ASSIGN(const auto reader, environment.segments->open(*environment.store, segment));
    MARIGRAM_ASSIGN(const model::Schema schema, require_schema(*state_));
    segment::ReadRequest request{.columns = {}, .from = choice_.from, .to = choice_.to, .where = choice_.where};
    if (segment.format == SegmentFormat::kParquet) request.columns.push_back(index_.column);
    MARIGRAM_ASSIGN(const auto rows, reader->read(schema, index_, std::move(request)));
    std::uint64_t count = 0;
    while (true) {
      MARIGRAM_ASSIGN(const auto batch, rows->next());
      if (!batch) return count;
      count += static_cast<std::uint64_t>(batch->num_rows());
    }
  }

  Result<std::uint64_t> count_scanned(const Cluster& cluster) const {
    std::uint64_t count = 0;
    ScanRequest request{.from = choice_.from, .to = choice_.to, .columns = {index_.column}, .where = choice_.where};
    request.order = ScanOrder::kAny;
    MARIGRAM_ASSIGN(const ScanStream stream, scan_part(engine_, bare_, cluster, request, {}));
    while (true) {
      MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
      if (!batch) return count;
      count += static_cast<std::uint64_t>(batch->num_rows());
    }
  }

  // ---- look ----

  /// Bounds were checked to be of the index's domain; before the first bucket there is none.
  std::uint64_t id_of(const IndexValue& value) const { return grid_.id_of(value).value_or(grid_.max_id()); }

  /// Buckets that lie in the range as a whole.
  void take_whole(const IdRange& range) {
    for (const auto& [series, buckets] : *coverage_) {
      if (!series_matches(series, index_, choice_.where)) continue;
      const std::vector<IdRange> runs = buckets.runs_in(range);
      if (runs.empty()) continue;
      coverage::BucketSet& own = buckets_.emptied[series];
      for (const IdRange& run : runs) own.add_range(run);
    }
    buckets_.touched = buckets_.emptied;
  }

  /// Buckets that lie in the range as a whole lose all rows; those that it cuts are looked into.
  Status look_at_edges(std::uint64_t first, std::uint64_t last) {
    const bool cuts_first = choice_.from && grid_.start_of(first) != *choice_.from;
    const bool cuts_last = choice_.to && grid_.end_of(last) != *choice_.to;
    const std::uint64_t whole_first = first + (cuts_first ? 1 : 0);
    if (last >= whole_first + (cuts_last ? 1 : 0)) take_whole({whole_first, last - (cuts_last ? 1 : 0)});
    if (cuts_first) MARIGRAM_TRY(look_into({first, first}));
    if (cuts_last && !(cuts_first && first == last)) MARIGRAM_TRY(look_into({last, last}));
    return {};
  }

  /// Reads the rows of these buckets: notes which lose some, and which of these keep none; with conditions on fields
  /// also which rows go.
  Status look_into(const IdRange& ids) {
    ScanRequest request{.columns = index_.tags, .where = choice_.where};
    if (ids.first > 0) request.from = grid_.start_of(ids.first);
    if (ids.last < grid_.max_id()) request.to = grid_.end_of(ids.last);
    request.columns.push_back(index_.column);
    std::ranges::copy(fields_of(choice_.fields), std::back_inserter(request.columns));
    request.order = ScanOrder::kAny;
    MARIGRAM_ASSIGN(const ScanStream stream, scan(engine_, state_, request, {}));
    MARIGRAM_ASSIGN(const model::Schema schema, require_schema(*state_));
    MARIGRAM_ASSIGN(const HiddenRows chosen, HiddenRows::make(schema, index_, choice_));
    CoverageMap losing;
    CoverageMap keeping;
    while (true) {
      MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
      if (!batch) break;
      MARIGRAM_ASSIGN(const auto stored, empty_for_null_tags(batch, index_.tags));
      MARIGRAM_TRY(sort_out(*stored, schema.find(index_.column)->type.unit, chosen, losing, keeping));
    }
    std::erase_if(losing, [](const auto& series) { return series.second.empty(); });
    coverage::unite(buckets_.touched, losing);
    coverage::subtract(losing, keeping);
    coverage::unite(buckets_.emptied, losing);
    return {};
  }

  /// What a series has in a batch.
  struct OwnRows {
    KeyRanges ranges;  // of which rows go
    coverage::BucketSet* losing = nullptr;
    coverage::BucketSet* keeping = nullptr;
    coverage::BucketSet* points = nullptr;
  };

  /// The batch has the tags, then the time, then fields.
  Status sort_out(const arrow::RecordBatch& batch, TimeUnit unit, const HiddenRows& chosen, CoverageMap& losing,
                  CoverageMap& keeping) {
    const arrow::Array& time = *batch.column(static_cast<int>(index_.tags.size()));
    std::vector<std::shared_ptr<arrow::Array>> tags = batch.columns();
    tags.resize(index_.tags.size());
    const SeriesRanks ranks = series_ranks(tags, batch.num_rows());
    const std::vector<std::uint64_t> keys = index_keys(time);
    const std::vector<std::uint8_t> fulfils = fulfilling_rows(batch, choice_.fields);
    std::vector<std::uint64_t> ids(keys.size());
    MARIGRAM_TRY(grid_.ids_of({time.data()->GetValues<std::int64_t>(1), keys.size()}, unit, ids));
    std::vector<std::optional<OwnRows>> known(ranks.series);
    for (std::uint32_t row = 0; row < keys.size(); ++row) {
      std::optional<OwnRows>& own = known[ranks.rank[row]];
      if (!own) {
        const SeriesKey series = series_key(tags, row);
        own = OwnRows{chosen.of(series), &losing[series], &keeping[series], &points_[series]};
      }
      const bool goes = fulfils[row] != 0 && has_key(own->ranges, keys[row]);
      (goes ? own->losing : own->keeping)->add(ids[row]);
      if (!goes || choice_.fields.empty()) continue;
      own->points->add(keys[row]);
      ++points_found_;
    }
    return {};
  }

  // ---- commit ----

  Result<log::Proposal> propose() {
    log::Proposal proposal{.actions = {}, .extension = {.operation = "remove_rows"}};
    if (!state_->meta->requires_feature(log::kTombstonesFeature)) {
      model::TableMeta meta = *state_->meta;
      meta.require(log::kTombstonesFeature);
      proposal.actions.emplace_back(log::UpdateTableMeta{std::move(meta)});
    }
    bool is_hidden = false;  // some rows are: not all that go are those of segments that go
    for (const SegmentPtr& segment : concerned()) {
      if (takes_all_of(*segment)) {
        proposal.actions.emplace_back(log::RemoveSegment{segment->key(state_->dialect())});
      } else {
        is_hidden = true;
      }
    }
    if (is_hidden) {
      model::Tombstone tombstone{
          .rank = state_->version, .from = choice_.from, .to = choice_.to, .where = choice_.where};
      MARIGRAM_ASSIGN(tombstone.touched_path, stage(buckets_.touched));
      if (!choice_.fields.empty()) {
        std::erase_if(points_, [](const auto& series) { return series.second.empty(); });
        MARIGRAM_ASSIGN(tombstone.points_path, stage(points_));
      }
      if (!buckets_.emptied.empty()) {
        MARIGRAM_ASSIGN(tombstone.emptied_path, stage(buckets_.emptied));
      }
      proposal.extension.tombstones.push_back(std::move(tombstone));
    }
    CoverageMap left = *coverage_;
    coverage::subtract(left, buckets_.emptied);
    const CoverageFile file = make_table_coverage(*state_, left, state_->version + 1, random_uuid());
    files_.add(file.path);
    MARIGRAM_TRY(put_coverage_file(engine_.store(), file));
    proposal.actions.emplace_back(log::UpdateTableCoverage{index_.kind, file.path});
    return proposal;
  }

  Result<std::string> stage(const CoverageMap& map) {
    return stage_coverage(engine_.store(), *state_, map, random_uuid(), files_);
  }

  Engine& engine_;
  StatePtr state_;
  log::TableState bare_;  // the state without segments
  const model::IndexSpec& index_;
  const RowSelection& choice_;
  coverage::BucketGrid grid_;
  StagedFiles files_;
  CoveragePtr coverage_;
  Buckets buckets_;
  CoverageMap points_;  // with conditions on fields: which rows go, by key
  std::uint64_t points_found_ = 0;
};

/// Whether a tombstone can say which rows go, and may: programs that know nothing of ours may read the table.
bool may_hide_rows(const log::TableState& state, const RowSelection& choice) {
  const auto is_ours = [](const std::string& feature) { return feature.starts_with("marigram_"); };
  const bool is_open = state.dialect() == Dialect::kV1 || std::ranges::none_of(state.meta->reader_features, is_ours);
  return !is_open && (choice.fields.empty() || state.duplicates != Duplicates::kAll);
}

}  // namespace

Result<std::uint64_t> remove_rows(Engine& engine, const RowSelection& rows, bool dry_run) {
  MARIGRAM_TRY(engine.check_writable());
  while (true) {
    MARIGRAM_TRY(engine.refresh());
    const StatePtr state = engine.state();
    MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(*state));
    MARIGRAM_TRY(check_range_and_tags(index, rows.from, rows.to, rows.where));
    if (!state->meta->schema) return 0;
    MARIGRAM_TRY(check_conditions(*state->meta->schema, index, rows.fields));
    if (!dry_run && !may_hide_rows(*state, rows)) return rewrite_without(engine, rows);
    Deletion deletion(engine, state, index, rows);
    MARIGRAM_ASSIGN(const std::uint64_t count, deletion.find());
    if (count == 0 || dry_run) return count;
    MARIGRAM_ASSIGN(const bool committed, deletion.commit());
    if (committed) return count;
  }
}

}  // namespace marigram::table
