// The transaction log: numbered commit files, the CURRENT pointer, optimistic concurrency, checkpoints.
//
//   _timeseries_log/CURRENT            decimal version + "\n"
//   _timeseries_log/%010d.json         commits, contiguous from 1
//   _timeseries_log/_checkpoints/%010d.jsonl   the fold of all commits up to that version (docs/format/log.md)
//
// When is a commit committed? Ours appear whole under their name or not at all (put-if-absent), so version N+1 is
// committed, and stays so, the moment its file exists; CURRENT is only a pointer that may lag behind (a crash between
// the two, or a stalled foreign writer that sets it back). A reader therefore starts at CURRENT and rolls forward over
// commits that carry our extension. Commits of the reference writers count from CURRENT on: those writers create N+1 in
// place, then move CURRENT, and take N+1 away again if that fails.
//
// What a writer finds at N+1 beyond what readers see, and does about it before it commits:
// - whole, foreign: its writer may be between its two steps. Waits until CURRENT moves or the file is older than
//   `orphan_grace`, then finishes it (moves CURRENT), because it may be someone's only copy.
// - torn or empty: its writer may be in the middle. Waits as above while the store says that the object is in use or it
//   is younger than `orphan_grace`, then replaces it by put-if-match of its own commit.
// CURRENT is moved by put-if-match, forward only.
#pragma once

#include "base/clock.h"
#include "io/object_store.h"
#include "log/action.h"
#include "log/table_state.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace marigram::log {

struct LogOptions {
  /// How long an unpublished commit of a foreign writer is left alone.
  std::chrono::milliseconds orphan_grace{2'000};
  /// How often commit_with_retry tries before it gives up with kConflict. Waits between tries grow, with jitter.
  std::uint32_t tries_max = 10'000;
};

struct Found;
struct Head;

/// What a commit function wants to commit on top of the state it was shown.
struct Proposal {
  std::vector<Action> actions;
  Extension extension;  // transaction_id may be empty: commit makes one
};

/// Thread-safe. Holds no state of the table: callers keep a TableState.
class Log {
 public:
  /// `clock` is borrowed and must outlive the log.
  Log(std::shared_ptr<io::ObjectStore> store, const Clock& clock, LogOptions options = {});

  /// The newest committed version; 0 if there is no table. kCorruption for an unreadable CURRENT, naming `verify
  /// --repair`.
  Result<std::uint64_t> latest_version() const;

  /// The state at the newest version, at a version, or at the newest one whose timestamp is at or before a time. Uses
  /// the newest checkpoint that is not beyond it. kNotFound: no table, no such version, or none any more.
  Result<TableState> load(const std::variant<std::monostate, std::uint64_t, Instant>& at = {}) const;
  /// The newest version up to `latest` whose timestamp is at or before a time. O(versions since). kNotFound: none is.
  Result<std::uint64_t> version_at(Instant time, std::uint64_t latest) const;
  /// Applies what was committed since. O(new commits). kNotFound: the table was deleted or made anew.
  Status refresh(TableState& state) const;
  /// One commit. kNotFound if it does not exist.
  Result<Commit> read(std::uint64_t version) const;

  /// Commits `proposal` as version state.version + 1 and brings `state` there. kConflict (with ConflictInfo) if the log
  /// has moved on; then nothing was written. A reply lost on the way is looked up by the transaction id; if even that
  /// fails the error carries UnknownOutcome, and the caller must keep the files that the commit refers to; committing
  /// the same transaction again on the same state tells. kNotFound: the table was deleted or made anew. kIo also: a
  /// foreign writer has version N+1 open, torn, and does not come to an end.
  Status commit(TableState& state, Proposal proposal);
  /// Refreshes `state`, asks `propose` what to commit on it, commits; on kConflict again. `propose` may be called
  /// often; its error ends the loop.
  Status commit_with_retry(TableState& state, const std::function<Result<Proposal>(const TableState&)>& propose);

  /// Makes the newest commit last, as its writer may have been killed before it did. For who relies on it otherwise
  /// than by a commit, which does the same. O(1).
  Status make_last();

  /// Writes the fold of the log at `state`. Idempotent.
  Status write_checkpoint(const TableState& state);

  /// Mends what verify reports: CURRENT (missing, unreadable, ahead of or behind the commits), an unpublished or torn
  /// last commit (which it replaces by a commit that changes nothing). Returns what it did, and what it had to leave
  /// because its writer may still be at it (`orphan_grace`). kNotFound: no commits. kCorruption: a commit is missing or
  /// damaged that cannot be made up.
  Result<std::vector<std::string>> repair();

 private:
  Result<Commit> committed(std::uint64_t version) const;
  Status check_same_table(const TableState& state) const;
  Result<TableState> fold(std::uint64_t last) const;
  Status replay(TableState& state, std::uint64_t last) const;
  /// Whether the commit after `state` is that transaction, put before by someone who did not hear the reply.
  Result<std::optional<Commit>> find_committed(const TableState& state, const std::string& transaction_id) const;
  Result<Commit> prepare(const TableState& state, Proposal proposal) const;
  /// Waits until version state.version + 1 is free; the condition to put it under.
  Result<io::PutCondition> claim(const TableState& state, Found found);
  Status put_commit(const Commit& commit, const std::string& bytes, const io::PutCondition& condition);
  /// Whether the object is older than `orphan_grace`.
  bool is_settled(const Found& found) const;

  Status repair_pointer(std::vector<std::string>& done);
  Status repair_tail(std::vector<std::string>& done);
  Status finish_foreign(const Head& head, std::vector<std::string>& done);
  Status replace_torn(std::uint64_t version, std::vector<std::string>& done);

  std::shared_ptr<io::ObjectStore> store_;
  const Clock& clock_;
  LogOptions options_;
};

}  // namespace marigram::log
