// One open table: its log, the version this handle reads, and the one way to commit. A zola folder (zola_folder.h) has
// no log: it is read at version 0, and never written to.
//
// Operations (append, scan, verify, ...) are free functions in their own files over an Engine. Reads take a snapshot
// (state()) and never lock afterwards; writes of one engine are serialised here, those of others are met by the log.
#pragma once

#include "coverage/coverage_map.h"
#include "log/log.h"
#include "log/table_state.h"
#include "table/environment.h"
#include "table/segment_list.h"
#include "table/tombstone_list.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace marigram::table {

using StatePtr = std::shared_ptr<const log::TableState>;
using CoveragePtr = std::shared_ptr<const coverage::CoverageMap>;

/// Bytes of segments that were committed by an engine.
struct SegmentTraffic {
  std::atomic<std::uint64_t> written = 0;    ///< of new rows
  std::atomic<std::uint64_t> rewritten = 0;  ///< of those of other segments
};

/// Thread-safe.
class Engine {
 public:
  static constexpr std::uint64_t kCheckpointEvery = 64;  ///< versions

  static Result<std::unique_ptr<Engine>> create(Environment environment, const TableOptions& options);
  static Result<std::unique_ptr<Engine>> open(Environment environment, const OpenOptions& options);

  bool has_log() const { return state()->version > 0; }
  const Environment& environment() const { return environment_; }
  io::ObjectStore& store() const { return *environment_.store; }
  SegmentTraffic& traffic() const { return traffic_; }
  log::Log& log() { return log_; }
  const log::Log& log() const { return log_; }

  /// The version this handle reads. Immutable.
  StatePtr state() const;
  /// How many columns it has, or a moment earlier than it has them. Cheap where many threads ask.
  std::size_t columns() const { return columns_.load(std::memory_order_acquire); }
  /// Moves to the newest version; kInvalidInput for a handle opened at an earlier one.
  Status refresh();
  /// kInvalidInput when the handle is pinned to an earlier version, kPermissionDenied when the store is read-only, or
  /// the table has no log.
  Status check_writable() const;
  /// Commits what `propose` returns, retrying on conflict; the handle then reads the new version. Each kCheckpointEvery
  /// versions also writes a checkpoint, so that opening costs the live segments and few commits.
  Status commit(const std::function<Result<log::Proposal>(const log::TableState&)>& propose);

  // Of the table and of each of its levels the last of these is cached.

  /// The live segments of a state.
  std::shared_ptr<const SegmentList> segments(const StatePtr& state) const;
  /// The tombstones of a state, or of a part of one that has them all.
  Result<std::shared_ptr<const TombstoneList>> tombstones(const log::TableState& state) const;
  /// The buckets of the table at `state` whose rows the level does not say as they are. O(what changed since).
  Result<CoveragePtr> due(const log::TableState& state, const log::Level& level) const;
  /// Coverage of the table at `state`, from the snapshot file or, if that is missing or damaged, from the segments'
  /// sidecars. The last one is cached.
  Result<CoveragePtr> coverage(const log::TableState& state) const;
  /// Remembers what a commit of ours made, so that the next append need not read it back.
  void remember_coverage(const std::string& path, CoveragePtr map) const;

 private:
  Engine(Environment environment, log::TableState state, bool pinned);
  static Result<std::unique_ptr<Engine>> open_zola(Environment environment, const OpenOptions& options);
  void move_to(StatePtr state);

  Environment environment_;
  log::Log log_;
  const bool pinned_;  // opened at a version or time: reads only
  mutable SegmentTraffic traffic_;

  std::mutex write_mutex_;  // held while a write of this handle commits
  mutable std::mutex mutex_;
  StatePtr state_;                     // guarded by mutex_
  std::atomic<std::size_t> columns_;   // of state_
  mutable std::string coverage_path_;  // guarded by mutex_
  mutable CoveragePtr coverage_;       // guarded by mutex_; belongs to coverage_path_
  template <typename Key, typename Value>
  using ByLevel = std::map<std::string, std::pair<Key, std::shared_ptr<const Value>>>;  // of the table by ""
  mutable ByLevel<StatePtr, SegmentList> segments_;                                     // guarded by mutex_
  mutable ByLevel<std::uint64_t, TombstoneList> tombstones_;                            // guarded by mutex_; by version
  mutable ByLevel<std::uint64_t, coverage::CoverageMap> due_;  // guarded by mutex_; by version of the table
};

/// From here on the environment's store finds the cold segments of that state.
void reach_cold(const Environment& environment, const log::TableState& state);
/// The index of a table with data; kInvalidInput for the "Generic" kind, which has none.
Result<model::IndexSpec> require_index(const log::TableState& state);
/// The schema, which a table has from its first append on at the latest; kInvalidInput before.
Result<model::Schema> require_schema(const log::TableState& state);

}  // namespace marigram::table
