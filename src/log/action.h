// What a commit says: the actions of the two open dialects and our own extension.
//
// On disk (docs/format/log.md) a commit is one JSON object
//   {"version":N,"base_version":N-1,"timestamp":RFC3339,"actions":[...]}
// v7 carries our extension as one more action, {"Marigram":{...}}, which other readers ignore; v1 readers refuse
// unknown actions but ignore unknown members, so there it is a member of the commit beside "actions": "marigram":{...}.
#pragma once

#include "model/retention.h"
#include "model/rollup.h"
#include "model/table_meta.h"
#include "model/tiers.h"
#include "model/tombstone.h"

#include <marigram/table.h>
#include <marigram/time.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace marigram::log {

struct UpdateTableMeta {
  model::TableMeta meta = {};

  friend bool operator==(const UpdateTableMeta&, const UpdateTableMeta&) = default;
};
struct AddSegment {
  model::SegmentMeta segment = {};

  friend bool operator==(const AddSegment&, const AddSegment&) = default;
};
/// `key` is the segment id in v1, its path in v7. Removing an unknown segment is no error on replay.
struct RemoveSegment {
  std::string key = {};

  friend bool operator==(const RemoveSegment&, const RemoveSegment&) = default;
};
struct UpdateTableCoverage {
  model::IndexKind index_kind = {};
  std::string coverage_path = {};

  friend bool operator==(const UpdateTableCoverage&, const UpdateTableCoverage&) = default;
};
/// An action that this library does not know (v7 only): the compact JSON of the whole action, carried by checkpoints.
struct UnknownAction {
  std::string json = {};

  friend bool operator==(const UnknownAction&, const UnknownAction&) = default;
};

using Action = std::variant<UpdateTableMeta, AddSegment, RemoveSegment, UpdateTableCoverage, UnknownAction>;

/// A position in a write-ahead log: what its records before `lsn` say of a table is in the table's segments.
struct WalMark {
  std::string log = {};  // the log's id: 32 lower-case hex digits
  std::uint64_t lsn = 0;

  friend bool operator==(const WalMark&, const WalMark&) = default;
};

/// Required of readers and writers of tables whose policy on duplicates is not kReject: who does not know it would show
/// rows that others replaced, or refuse rows that the table takes.
inline constexpr const char* kDuplicatesFeature = "marigram_duplicates";

/// Required of readers and writers of tables with native segments.
inline constexpr const char* kNativeFeature = "marigram_native";

/// Required of readers and writers of tables with tombstones.
inline constexpr const char* kTombstonesFeature = "marigram_tombstones";

/// Required of readers and writers of tables whose cold segments lie elsewhere than in the table's folder.
inline constexpr const char* kColdRootFeature = "marigram_cold_root";

/// What a commit does to a level of rollups, which is a table of its own beside the rows.
struct LevelChange {
  std::string interval = {};               // which level, as format_interval spells it
  std::vector<Action> actions = {};        // on its segments
  std::optional<std::uint64_t> rank = {};  // as that of Extension, as are the next three
  std::map<std::string, model::SegmentRank> ranks = {};
  std::vector<model::Tombstone> tombstones = {};
  std::vector<std::string> dissolved = {};
  /// The level says what the rows of that version say, but for buckets in the coverage file `pending`. Stays as it was
  /// if unset; `pending` belongs to it.
  std::optional<std::uint64_t> through = {};
  std::optional<std::string> pending = {};

  friend bool operator==(const LevelChange&, const LevelChange&) = default;
};

/// What Marigram adds to a commit. Every commit of ours has it; members that are unset are left out of the JSON.
struct Extension {
  std::string transaction_id = {};            // a UUID: a retry after a lost reply recognises its own commit by it
  std::string operation = {};                 // create, append, mark, compact, remove_rows, add_tags, ...
  std::optional<std::string> partition = {};  // table option: segment partition width ("1d"); last one wins
  std::optional<std::string> calendar = {};   // table option: calendar JSON; last one wins; "" removes it
  /// Table option: types declared for columns before the first append brings the schema, as model::format_type spells
  /// them ({"ts":"timestamp[us]"}); last one wins. Left out of the JSON when empty.
  std::map<std::string, std::string> declared_types = {};
  /// Table option: comes with the commit that creates the table and never changes. kReject is left out of the JSON.
  Duplicates duplicates = Duplicates::kReject;
  std::optional<SegmentFormat> segments = {};  // table option: of segments to come; last one wins, at first Parquet
  /// Table option: of native segments to come; last one wins, at first "auto".
  std::optional<std::string> compression = {};
  std::optional<WalMark> wal = {};  // last one wins
  std::optional<std::uint64_t> rank =
      {};  // of all segments that the commit adds; 1 to its version, which is the default
  /// Of some of them by path, in place of that: they stand where others stood.
  std::map<std::string, model::SegmentRank> ranks = {};
  std::vector<model::Tombstone> tombstones = {};   // that the commit brings
  std::vector<std::string> dissolved = {};         // by touched_path: no segment has rows that they hide any more
  std::optional<model::RollupSpec> rollups = {};   // table option; last one wins. Levels that it does not change stay
  std::vector<LevelChange> levels = {};            // those that it makes among them
  std::optional<model::Retention> retention = {};  // what is kept how long, and what is gone by now; last one wins
  std::optional<std::uint64_t> oldest = {};  // versions before it are given up: files that they alone have may be gone
  std::optional<model::Tiers> tiers = {};    // table option; last one wins
  /// Names of versions, which are not given up; last one wins.
  std::optional<std::map<std::string, std::uint64_t>> version_names = {};
  /// What levels say of the rows is as true after the commit as before: it moved rows, or these have expired.
  bool keeps_rollups = false;

  friend bool operator==(const Extension&, const Extension&) = default;
};

struct Commit {
  std::uint64_t version = 0;  // >= 1
  Instant timestamp = {};
  std::vector<Action> actions = {};
  std::optional<Extension> extension = {};  // unset in commits of other writers
  /// Set by decoding: the dialect that the members of its actions belong to; unset when no action tells.
  std::optional<Dialect> dialect = {};
};

}  // namespace marigram::log
