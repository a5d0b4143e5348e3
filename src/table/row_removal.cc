#include "table/row_removal.h"

#include "base/hash.h"
#include "base/parallel.h"
#include "base/try.h"
#include "segment/reader.h"
#include "table/absent_tags.h"
#include "table/coverage_files.h"
#include "table/field_conditions.h"
#include "table/row_order.h"
#include "table/scan_part.h"

#include <arrow/api.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>
#include <variant>

namespace marigram::table {

using coverage::CoverageMap;
using coverage::IdRange;

namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

Result<std::int64_t> all_rows(const BatchPtr& batch) {
  return batch->num_rows();
}

/// Of all batches together, as `count` says of each.
template <typename Rows, typename Count>
Result<std::uint64_t> count_rows(Rows& rows, const Count& count) {
  std::uint64_t all = 0;
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, rows.next());
    if (!batch) return all;
    MARIGRAM_ASSIGN(const std::int64_t own, count(batch));
    all += static_cast<std::uint64_t>(own);
  }
}

}  // namespace

RowRemoval::RowRemoval(const Engine& engine, StatePtr state, CoveragePtr coverage, RowChoice choice)
    : engine_(engine),
      state_(std::move(state)),
      bare_(*state_),
      coverage_(std::move(coverage)),
      choice_(std::move(choice)),
      index_(*state_->meta->index),
      grid_(state_->dialect(), index_.kind) {
  bare_.segments.clear();
}

Result<std::uint64_t> RowRemoval::find() {
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

std::vector<SegmentPtr> RowRemoval::concerned() const {
  std::vector<SegmentPtr> segments;
  for (const SegmentPtr& segment : engine_.segments(state_)->all()) {
    if (!segment_may_match(*segment, index_, choice_.from, choice_.to, choice_.series.where)) continue;
    const auto* const series = std::get_if<SeriesKey>(&segment->layout);
    if (series == nullptr || choice_.series.has(*series, index_)) segments.push_back(segment);
  }
  return segments;
}

/// Whether all rows of the segment go.
bool RowRemoval::takes_all_of(const model::SegmentMeta& segment) const {
  if (!choice_.fields.empty()) return false;
  if (choice_.from && model::is_before(segment.min, *choice_.from)) return false;
  if (choice_.to && !model::is_before(segment.max, *choice_.to)) return false;
  // What may match of one series does.
  return choice_.series.is_all() || std::holds_alternative<SeriesKey>(segment.layout);
}

std::vector<SegmentPtr> RowRemoval::cut_segments() const {
  std::vector<SegmentPtr> cut = concerned();
  std::erase_if(cut, [&](const SegmentPtr& segment) { return takes_all_of(*segment); });
  return cut;
}

std::vector<SegmentPtr> RowRemoval::dropped_segments() const {
  std::vector<SegmentPtr> dropped = concerned();
  std::erase_if(dropped, [&](const SegmentPtr& segment) { return !takes_all_of(*segment); });
  return dropped;
}

Result<HiddenRows> RowRemoval::chosen_rows() const {
  MARIGRAM_ASSIGN(const model::Schema schema, require_schema(*state_));
  return HiddenRows::make(schema, index_, choice_.from, choice_.to, choice_.series);
}

// ---- count ----

Result<std::uint64_t> RowRemoval::count() const {
  std::vector<Cluster> apart;   // segments whose rows are counted where they lie
  std::vector<Cluster> merged;  // rows of one may have been replaced by another, or are hidden
  MARIGRAM_ASSIGN(const auto tombstones, engine_.tombstones(*state_));
  for (Cluster& cluster : cut_where_none_overlaps(concerned())) {
    const bool has_hidden = std::ranges::any_of(cluster, [&](const auto& s) { return tombstones->of(*s) != nullptr; });
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

Result<std::uint64_t> RowRemoval::count_in(const model::SegmentMeta& segment) const {
  if (takes_all_of(segment)) return segment.row_count;
  if (!choice_.series.except.empty()) return count_scanned({std::make_shared<const model::SegmentMeta>(segment)});
  const Environment& environment = engine_.environment();
  MARIGRAM_ASSIGN(const auto reader, environment.segments->open(*environment.store, segment));
  MARIGRAM_ASSIGN(const model::Schema schema, require_schema(*state_));
  segment::ReadRequest request{.columns = {}, .from = choice_.from, .to = choice_.to, .where = choice_.series.where};
  if (segment.format == SegmentFormat::kParquet) request.columns.push_back(index_.column);
  MARIGRAM_ASSIGN(const auto rows, reader->read(schema, index_, std::move(request)));
  return count_rows(*rows, all_rows);
}

Result<std::uint64_t> RowRemoval::count_scanned(const Cluster& cluster) const {
  ScanRequest request{.from = choice_.from, .to = choice_.to, .columns = {}, .where = choice_.series.where};
  request.order = ScanOrder::kAny;
  const bool is_filtered = !choice_.series.except.empty();
  if (is_filtered) request.columns = index_.tags;
  request.columns.push_back(index_.column);
  MARIGRAM_ASSIGN(ScanStream stream, scan_part(engine_, bare_, cluster, request, {}));
  if (!is_filtered) return count_rows(*stream.rows, all_rows);
  KeyColumns keys{.index = static_cast<int>(index_.tags.size()), .tags = {}};
  for (int tag = 0; tag < keys.index; ++tag) keys.tags.push_back(tag);
  MARIGRAM_ASSIGN(HiddenRows chosen, chosen_rows());
  const HiddenFilter others(std::make_shared<const HiddenRows>(std::move(chosen)), std::move(keys));
  return count_rows(*stream.rows, [&](const BatchPtr& batch) -> Result<std::int64_t> {
    MARIGRAM_ASSIGN(const BatchPtr stored, empty_for_null_tags(batch, index_.tags));
    MARIGRAM_ASSIGN(const BatchPtr kept, others.visible(stored));
    return batch->num_rows() - (kept ? kept->num_rows() : 0);
  });
}

// ---- look ----

/// Bounds were checked to be of the index's domain; before the first bucket there is none.
std::uint64_t RowRemoval::id_of(const IndexValue& value) const {
  return grid_.id_of(value).value_or(grid_.max_id());
}

/// Buckets that lie in the range as a whole.
void RowRemoval::take_whole(const IdRange& range) {
  for (const auto& [series, buckets] : *coverage_) {
    if (!choice_.series.has(series, index_)) continue;
    const std::vector<IdRange> runs = buckets.runs_in(range);
    if (runs.empty()) continue;
    coverage::BucketSet& own = buckets_.emptied[series];
    for (const IdRange& run : runs) own.add_range(run);
  }
  buckets_.touched = buckets_.emptied;
}

/// Buckets that lie in the range as a whole lose all rows; those that it cuts are looked into.
Status RowRemoval::look_at_edges(std::uint64_t first, std::uint64_t last) {
  const bool cuts_first = choice_.from && grid_.start_of(first) != *choice_.from;
  const bool cuts_last = choice_.to && grid_.end_of(last) != *choice_.to;
  const std::uint64_t whole_first = first + (cuts_first ? 1 : 0);
  if (last >= whole_first + (cuts_last ? 1 : 0)) take_whole({whole_first, last - (cuts_last ? 1 : 0)});
  if (cuts_first) MARIGRAM_TRY(look_into({first, first}));
  if (cuts_last && !(cuts_first && first == last)) MARIGRAM_TRY(look_into({last, last}));
  return {};
}

/// Reads the rows of these buckets: notes which lose some, and which of these keep none; with conditions on fields also
/// which rows go.
Status RowRemoval::look_into(const IdRange& ids) {
  ScanRequest request{.columns = index_.tags, .where = choice_.series.where};
  if (ids.first > 0) request.from = grid_.start_of(ids.first);
  if (ids.last < grid_.max_id()) request.to = grid_.end_of(ids.last);
  request.columns.push_back(index_.column);
  std::ranges::copy(fields_of(choice_.fields), std::back_inserter(request.columns));
  request.order = ScanOrder::kAny;
  MARIGRAM_ASSIGN(const ScanStream stream, scan(engine_, state_, request, {}));
  MARIGRAM_ASSIGN(const model::Schema schema, require_schema(*state_));
  MARIGRAM_ASSIGN(const HiddenRows chosen, chosen_rows());
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
struct RowRemoval::OwnRows {
  KeyRanges ranges;  // of which rows go
  coverage::BucketSet* losing = nullptr;
  coverage::BucketSet* keeping = nullptr;
  coverage::BucketSet* points = nullptr;
};

/// The batch has the tags, then the time, then fields.
Status RowRemoval::sort_out(const arrow::RecordBatch& batch, TimeUnit unit, const HiddenRows& chosen,
                            CoverageMap& losing, CoverageMap& keeping) {
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

// ---- say ----

Result<RemovedRows> RowRemoval::stage(std::uint64_t rank, const std::vector<model::Tombstone>& replaced,
                                      StagedFiles& files) {
  const auto put = [&](const CoverageMap& map) {
    return stage_coverage(engine_.store(), *state_, map, random_uuid(), files);
  };
  RemovedRows removed;
  for (const SegmentPtr& segment : dropped_segments()) {
    removed.actions.emplace_back(log::RemoveSegment{segment->key(state_->dialect())});
  }
  if (cut_segments().empty()) return removed;
  Buckets all = buckets_;
  for (const model::Tombstone& old : replaced) {
    const auto read = [&](const std::string& path, CoverageMap& into) -> Status {
      MARIGRAM_ASSIGN(const auto map, read_coverage_file(engine_.store(), *state_, coverage::FileRole::kSegment, path));
      coverage::unite(into, map);
      return {};
    };
    MARIGRAM_TRY(read(old.touched_path, all.touched));
    if (old.emptied_path) MARIGRAM_TRY(read(*old.emptied_path, all.emptied));
  }
  model::Tombstone tombstone{.rank = rank,
                             .from = choice_.from,
                             .to = choice_.to,
                             .where = choice_.series.where,
                             .except = choice_.series.except};
  MARIGRAM_ASSIGN(tombstone.touched_path, put(all.touched));
  if (!choice_.fields.empty()) {
    std::erase_if(points_, [](const auto& series) { return series.second.empty(); });
    MARIGRAM_ASSIGN(tombstone.points_path, put(points_));
  }
  if (!all.emptied.empty()) {
    MARIGRAM_ASSIGN(tombstone.emptied_path, put(all.emptied));
  }
  removed.tombstones.push_back(std::move(tombstone));
  return removed;
}

Result<CoveragePtr> level_coverage(const Engine& engine, const StatePtr& level, const RowChoice& choice) {
  const RowRemoval removal(engine, level, std::make_shared<const coverage::CoverageMap>(), choice);
  log::TableState cut = *level;
  cut.segments.clear();
  cut.tombstones.clear();
  for (const SegmentPtr& segment : removal.cut_segments()) cut.segments.emplace(segment->key(cut.dialect()), segment);
  MARIGRAM_ASSIGN(coverage::CoverageMap map, union_of_sidecars(engine.store(), cut));
  return std::make_shared<const coverage::CoverageMap>(std::move(map));
}

}  // namespace marigram::table
