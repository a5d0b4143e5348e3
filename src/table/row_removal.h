// Rows that are to go, of one version of a table or of a level: how many, in which buckets, and what a commit says of
// it.
#pragma once

#include "coverage/bucket_grid.h"
#include "coverage/coverage_map.h"
#include "log/action.h"
#include "model/series_set.h"
#include "table/batch_source.h"
#include "table/engine.h"
#include "table/hidden_rows.h"
#include "table/segment_list.h"
#include "table/staging.h"

#include <marigram/error.h>
#include <marigram/remove.h>
#include <marigram/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace marigram::table {

/// Rows of the half-open range, of these series, with fields that fulfil all conditions.
struct RowChoice {
  std::optional<IndexValue> from = {};
  std::optional<IndexValue> to = {};
  model::SeriesSet series = {};
  std::vector<FieldCondition> fields = {};
};

/// What a commit says of rows that go.
struct RemovedRows {
  std::vector<log::Action> actions = {};          // segments that lose all rows go
  std::vector<model::Tombstone> tombstones = {};  // for the others; at most one
};

/// Not thread-safe.
class RowRemoval {
 public:
  /// `coverage` of the rows at `state`, which may be that of a level.
  RowRemoval(const Engine& engine, StatePtr state, CoveragePtr coverage, RowChoice choice);

  /// Finds the rows that go, and says how many: those that are there to be seen. Reads the edges of the range and what
  /// is needed to count; with conditions on fields all rows of the range.
  Result<std::uint64_t> find();
  /// Buckets in which rows go that were found, and of these those that have no others.
  const coverage::CoverageMap& touched() const { return buckets_.touched; }
  const coverage::CoverageMap& emptied() const { return buckets_.emptied; }
  /// Segments in which rows go, and others stay.
  std::vector<SegmentPtr> cut_segments() const;
  /// Those of which nothing stays.
  std::vector<SegmentPtr> dropped_segments() const;

  /// For the commit behind `rank`, which is the version that was looked at. Tombstones of before that hide no more than
  /// the new one are to be dissolved by it: `replaced`.
  Result<RemovedRows> stage(std::uint64_t rank, const std::vector<model::Tombstone>& replaced, StagedFiles& files);

 private:
  struct Buckets {
    coverage::CoverageMap touched;
    coverage::CoverageMap emptied;
  };
  struct OwnRows;

  std::vector<SegmentPtr> concerned() const;
  bool takes_all_of(const model::SegmentMeta& segment) const;
  std::uint64_t id_of(const IndexValue& value) const;
  Result<HiddenRows> chosen_rows() const;

  Result<std::uint64_t> count() const;
  Result<std::uint64_t> count_in(const model::SegmentMeta& segment) const;
  Result<std::uint64_t> count_scanned(const Cluster& cluster) const;

  void take_whole(const coverage::IdRange& range);
  Status look_at_edges(std::uint64_t first, std::uint64_t last);
  Status look_into(const coverage::IdRange& ids);
  Status sort_out(const arrow::RecordBatch& batch, TimeUnit unit, const HiddenRows& chosen,
                  coverage::CoverageMap& losing, coverage::CoverageMap& keeping);

  const Engine& engine_;
  StatePtr state_;
  log::TableState bare_;  // the state without segments
  CoveragePtr coverage_;
  RowChoice choice_;
  model::IndexSpec index_;
  coverage::BucketGrid grid_;
  Buckets buckets_;
  coverage::CoverageMap points_;  // with conditions on fields: which rows go, by key
  std::uint64_t points_found_ = 0;
};

/// What a removal of rows of a level must know of its coverage, of which nobody keeps a snapshot.
Result<CoveragePtr> level_coverage(const Engine& engine, const StatePtr& level, const RowChoice& choice);

}  // namespace marigram::table
