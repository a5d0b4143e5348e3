// A table at one version: the fold of its commits.
#pragma once

#include "log/action.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marigram::log {

struct CoveragePointer {
  std::string path = {};
  std::uint64_t version = 0;  // commit that set it
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
  std::vector<std::string> unknown_actions = {};                                   // verbatim, oldest first

  /// Whether it matters which of two segments is later. Those that came before it did have rank 0.
  bool has_ranks() const {
    return duplicates != Duplicates::kReject || (meta && meta->requires_feature(kTombstonesFeature));
  }
  Dialect dialect() const { return meta ? meta->dialect : Dialect::kV7; }
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

/// Live segments by (min, max, key).
std::vector<std::shared_ptr<const model::SegmentMeta>> ordered_segments(const TableState& state);

}  // namespace marigram::log
