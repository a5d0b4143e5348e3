// A table at one version: the fold of its commits.
#pragma once

#include "log/action.h"

#include <marigram/error.h>
#include <marigram/interval.h>
#include <marigram/table.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::log {

struct CoveragePointer {
  std::string path = {};
  std::uint64_t version = 0;  // commit that set it
};

struct TableState;

/// A level of rollups: a table of its own, of native segments, that keeps the last of equal rows (model/rollup.h).
struct Level {
  std::string name = {};  // its interval, as format_interval spells it
  Interval interval = {};
  std::shared_ptr<const TableState> table = {};  // its version is that of the commit that changed it last
  std::uint64_t through = 0;                     // it says what the rows of this version say,
  std::optional<std::string> pending = {};       // but for the buckets in this coverage file
};

/// A coverage file: buckets of rows that a commit added, replaced or removed.
struct ChangedRows {
  std::uint64_t version = 0;
  std::string coverage_path = {};
};

struct TableState {
  std::uint64_t version = 0;
  Instant timestamp = {};                                                          // of commit `version`
  std::optional<model::TableMeta> meta = {};                                       // set by the first commit
  std::map<std::string, std::shared_ptr<const model::SegmentMeta>> segments = {};  // by SegmentMeta::key
  std::optional<CoveragePointer> coverage = {};
  std::optional<std::string> partition = {};
  std::optional<std::string> calendar = {};
  std::map<std::string, std::string> declared_types = {};  // see Extension
  Duplicates duplicates = Duplicates::kReject;
  SegmentFormat segment_format = SegmentFormat::kParquet;
  std::string compression = "auto";  // as written: a later version may know more than this one
  std::optional<WalMark> wal = {};
  std::map<std::string, std::shared_ptr<const model::Tombstone>> tombstones = {};  // by touched_path
  model::RollupSpec rollups = {};
  std::vector<Level> levels = {};         // one an interval of it, from the finest to the coarsest
  std::vector<ChangedRows> changed = {};  // since the level that is furthest behind; oldest first
  model::Retention retention = {};
  std::uint64_t oldest = 1;                                 // version that can be gone back to,
  std::map<std::string, std::uint64_t> version_names = {};  // and those that have a name
  model::Tiers tiers = {};
  std::string level = {};                         // of a level's table: its name
  std::vector<std::string> unknown_actions = {};  // verbatim, oldest first

  /// Whether it matters which of two segments is later. Those that came before it did have rank 0.
  bool has_ranks() const {
    return duplicates != Duplicates::kReject || (meta && meta->requires_feature(kTombstonesFeature));
  }
  Dialect dialect() const { return meta ? meta->dialect : Dialect::kV7; }
  /// Whether files that this version alone has may be gone.
  bool has_given_up(std::uint64_t of) const;
  /// Null: there is none of that name.
  const Level* find_level(std::string_view name) const;
  void add(model::Tombstone tombstone);
};

/// Applies the next commit (commit.version == state.version + 1). kCorruption when it contradicts the state: a
/// duplicate live path (v7), metadata that lowers the protocol, drops a feature, or changes the index (but for tags at
/// its end, where the table grows) or existing columns (v7), an index value of another domain, a first commit without
/// metadata, another policy on duplicates than the table's, a rank above the commit's version. The state is unchanged
/// after an error. O(actions), whatever the state holds; O(segments) when tags come.
Status apply(TableState& state, Commit commit);
/// Whether apply would succeed.
Status check(const TableState& state, const Commit& commit);

/// Whether a segment fits a table with that metadata. kCorruption.
Status check_segment(const model::TableMeta& meta, const model::SegmentMeta& segment);

/// Paths of all files that a reader of this version may open, those of the log apart. O(segments).
std::set<std::string, std::less<>> files_of(const TableState& state);

/// Live segments by (min, max, key).
std::vector<std::shared_ptr<const model::SegmentMeta>> ordered_segments(const TableState& state);

}  // namespace marigram::log
