// Segments taken out, what their rows become, and the commit that says so.
#pragma once

#include "table/append.h"
#include "table/batch_source.h"
#include "table/engine.h"
#include "table/scan.h"
#include "table/segment_list.h"
#include "table/staging.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marigram::table {

/// What of the rows is written again.
using RowFilter = std::function<Result<std::unique_ptr<BatchSource>>(std::unique_ptr<BatchSource>)>;

/// What rewriting makes. Native segments are read block by block, so that large ones cost nothing more, and their
/// blocks hold more of a series: as many rows as take some 64 MiB.
NewSegments rewritten_segments(const log::TableState& state, bool cold);

/// Not thread-safe.
class SegmentRewrite {
 public:
  /// `state` may be that of a level.
  SegmentRewrite(Engine& engine, StatePtr state);

  bool empty() const { return old_.empty(); }
  const std::vector<SegmentPtr>& old_segments() const { return old_; }
  const std::vector<model::SegmentMeta>& new_segments() const { return new_; }

  /// The rows of some segments alone, as a scan of the table gives them.
  Result<ScanStream> rows_of(const Cluster& segments, const ScanRequest& request) const;

  /// Writes the rows of the segments, but for those that are hidden, as new segments in their place. `rank`: where
  /// these stand; unset: behind all that there is, which only segments may that share no time with others.
  Status replace(const Cluster& segments, bool cold, const std::optional<model::SegmentRank>& rank = {},
                 const RowFilter& filter = {});

  /// `covers_less`: rows are gone, and so may be buckets. False, and nothing is there, if another writer took one of
  /// the old segments away.
  Result<bool> commit(const std::string& operation, bool covers_less);

 private:
  const std::string& key_of(const model::SegmentMeta& segment) const { return segment.key(state_->dialect()); }
  void fill_absent_tags(std::size_t tags);
  log::Proposal replacement(const std::string& operation, const log::TableState& now, bool covers_less) const;
  log::Proposal of_level(log::Proposal proposal) const;
  std::vector<std::string> tombstones_without_rows(const log::TableState& now) const;
  Result<log::UpdateTableCoverage> snapshot_after(const log::TableState& now);

  Engine& engine_;
  StatePtr state_;
  log::TableState bare_;  // the state without segments
  StagedFiles files_;
  const std::string attempt_;
  std::string snapshot_path_;
  std::vector<SegmentPtr> old_;
  std::vector<model::SegmentMeta> new_;
  std::map<std::string, model::SegmentRank> ranks_;  // of those of the new ones that have one
};

}  // namespace marigram::table
