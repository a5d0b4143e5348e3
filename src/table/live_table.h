// A table with a head: rows arrive in memory, are read together with the segments, and become segments by a flush.
//
// Whoever writes holds the lock of the shards concerned from before the rows go into the write-ahead log until they are
// in the head. So rows of a series are in the head in the order of the log; a flush, which locks all shards, knows that
// all that lies before the log's position is in what it closes; and a view has each batch whole.
//
// A view is a version of the table's log and what is in memory beside it. Rows that a flush has taken out of the head
// carry its mark, the position in the write-ahead log that its commit tells: a view leaves them out if its version has
// that mark. So a reader finds each row once, whenever the commit comes.
//
// Order of locks: place_mutex_, change_mutex_ or flush_mutex_, shards (of tables in ascending order of number),
// view_mutex_.
#pragma once

#include "base/striped_shared_mutex.h"
#include "head/head.h"
#include "head/memory_budget.h"
#include "head/series_budget.h"
#include "head/series_dictionary.h"
#include "model/matcher.h"
#include "model/rows.h"
#include "table/bucket_guard.h"
#include "table/engine.h"
#include "table/incoming.h"
#include "table/live_schema.h"
#include "table/record.h"
#include "table/scan.h"
#include "wal/wal.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

namespace marigram::table {

/// Which table it is.
struct TableName {
  std::string name_space = {};
  std::string name = {};

  std::string text() const { return name_space + "." + name; }
  friend auto operator<=>(const TableName&, const TableName&) = default;
};

/// A table at one moment: segments and what is in memory beside them. Immutable.
struct View {
  StatePtr state = {};
  std::shared_ptr<const LiveSchema> schema = {};
  std::vector<head::HeadView> heads = {};  ///< later ones hold what arrived later
};

/// A view as scans take it.
struct ReadableView {
  StatePtr state = {};
  NewerRowsOf newer = {};  ///< null: nothing is in memory
};

/// A view and which of its rows are asked for.
struct ChosenRows {
  ReadableView view = {};
  ScanRequest request = {};
};

/// What flushes ask of the write-ahead log.
class FlushLog {
 public:
  virtual ~FlushLog() = default;
  /// Where the log ends: behind all rows that are in memory, and behind `before` if that is of this log.
  virtual Result<log::WalMark> mark_after(const std::optional<log::WalMark>& before) = 0;
  /// All before the last mark is on stable storage. A commit with a mark beyond what lasts would take later batches for
  /// ones that it contains.
  virtual Status make_durable() = 0;
};

/// Rows that fit a table once it has these columns.
struct FittingRows {
  const model::TableRows* rows = nullptr;
  std::shared_ptr<const LiveSchema> schema;
  MissingColumns missing;
  std::vector<std::int64_t> converted_times = {};  ///< see convert_times()
  CoveredBuckets buckets = {};  ///< where duplicates are rejected: by position of the series in `rows`
};

/// Thread-safe.
class LiveTable {
 public:
  /// What tables of a database share; outlives them.
  struct Shared {
    head::MemoryBudget* memory = nullptr;
    head::SeriesBudget* series = nullptr;
    bool owner = false;  // who opens it writes, and relies on what is there
  };

  /// `number`: how the log's records call the table, and its place in the order of locks. O(series of the table).
  static Result<std::unique_ptr<LiveTable>> open(TableName name, std::uint64_t number, Environment environment,
                                                 const Shared& shared);

  const TableName& name() const { return name_; }
  std::uint64_t number() const { return number_; }
  const std::string& time_column() const { return time_column_; }
  const Engine& engine() const { return *engine_; }
  head::SeriesDictionary& series() const { return *series_; }
  /// What the newest version says of the columns.
  Result<std::shared_ptr<const LiveSchema>> schema();

  // Writing: check, admit, lock, check duplicates, append to the log, arrive, let go of the lock, tidy.

  /// Whether rows can be admitted; makes nothing. See check_fit and convert_times; kOverlap where the table rejects
  /// duplicates, and these are some; kResourceExhausted: too many series.
  Result<FittingRows> check(const model::TableRows& rows, bool widen);
  /// Makes checked rows ready; adds the columns that they bring. Their rows must outlive the result.
  Result<IncomingRows> admit(FittingRows fitting, bool widen);
  /// Notes which buckets rows cover that were not admitted here, where duplicates are rejected. kOverlap: one twice.
  Status cover(IncomingRows& rows) const;
  head::Head::Lock lock(head::ShardSet shards) { return {head_, shards}; }
  /// kOverlap, as by check(), but for good; kNotFound: the table was moved away. With the lock.
  Status check_arrival(const IncomingRows& rows);
  /// What a record in that file of the log has to define for these rows. With the lock.
  RecordSection definitions(wal::Lsn file, const IncomingRows& rows) const;
  /// The rows are in the log, at `placed`, or in none. Returns the shards to be tidied. With the lock.
  head::ShardSet arrive(const head::Head::Lock& lock, const IncomingRows& rows,
                        const std::optional<wal::Placed>& placed);
  void tidy(head::ShardSet shards) { head_.tidy(shards); }
  /// Rows that a replay found at `lsn`. Returns the shards to be tidied.
  head::ShardSet restore(IncomingRows& rows, wal::Lsn lsn);

  /// Whether all that lies before this position of a log is in segments.
  bool contains(const log::WalMark& position) const;

  // Reading.

  /// `shards`: those of the series that will be asked for.
  Result<View> view(head::ShardSet shards = head::kAllShards);
  /// `wanted`: series, ascending; unset: all. Must not outlive the table.
  Result<ReadableView> readable_view(std::optional<std::vector<head::SeriesId>> wanted = {});
  /// The rows of series that fulfil the conditions, which the request then has. `request.where` is left empty.
  Result<ChosenRows> choose(const ScanRequest& request, std::span<const model::Matcher> where);
  /// The same rows. The table must outlive the stream.
  Result<ScanStream> scan(const ScanRequest& request, std::span<const model::Matcher> where);

  /// The conditions as scans of segments and changes of them take them; unset: no series can fulfil them.
  Result<std::optional<std::vector<TagPredicate>>> predicates(std::span<const model::Matcher> where);

  // Flushing.

  /// Makes segments of all rows that are in memory now; returns how many. Readers and writers go on meanwhile. After an
  /// error the rows are still in memory.
  Result<std::uint64_t> flush(FlushLog& log);
  /// Moves to the newest version, where another process writes the table. O(new commits), and O(series) if there are
  /// any.
  Status refresh();
  /// Gets to know the series of all segments. O(series).
  Status learn_series();
  /// Where the oldest row in memory lies in the log; unset: nowhere.
  std::optional<wal::Lsn> oldest_lsn();
  /// Lets `change` commit to the engine while no flush does; then see learn_series. kNotFound: the table was moved
  /// away.
  Status change_segments(const std::function<Status(Engine&)>& change);
  /// Lets `change` commit to the engine what leaves the rows as they are. kNotFound likewise.
  Status change_rollups(const std::function<Status(Engine&)>& change);
  /// Flushes, and calls `move`, which takes the table's folder away, while nothing is written to it; from then on
  /// nothing can be. After an error the table is as before; after kIo of `move` nothing can be written.
  Status move_away(FlushLog& log, const std::function<Status()>& move);
  /// Lets `change` commit to the engine other rows in place of all that arrived before; those that arrive later wait
  /// for it, as views do. To be called behind a flush, so that they need not wait long; then see learn_series.
  Status replace_rows(FlushLog& log, const std::function<Status(Engine&)>& change);

 private:
  LiveTable(TableName name, std::uint64_t number, std::unique_ptr<Engine> engine, const Shared& shared);

  /// Rows that a flush has taken out of the head.
  struct Closed {
    head::HeadView rows;
    std::optional<wal::Lsn> oldest;  // of the rows, in the log
    log::WalMark mark;               // of the commit that makes segments of them
  };

  /// The lesser of two that may be unset.
  static std::optional<wal::Lsn> older(const std::optional<wal::Lsn>& a, const std::optional<wal::Lsn>& b);
  Status add_columns(const MissingColumns& missing);
  bool is_described(wal::Lsn file, const IncomingRows& rows) const;
  BucketGuard::Naming naming() const;
  Result<CoveredBuckets> cover(const model::TableRows& rows);
  Status check_covered(const CoveredBuckets& added);
  Status check_here() const;
  void note_arrival(const IncomingRows& rows, wal::Lsn lsn);
  void note_description(const IncomingRows& rows, wal::Lsn file);
  Status close_generation(const head::Head::Lock& lock, FlushLog& log);
  Result<std::uint64_t> flush_closed(FlushLog& log);
  Result<AppendResult> append_closed(const View& rows, const log::WalMark& mark);

  const TableName name_;
  const std::uint64_t number_;
  const std::unique_ptr<Engine> engine_;
  std::string time_column_;
  const head::EqualTimes equal_;
  const std::shared_ptr<head::SeriesDictionary> series_;
  head::Head head_;
  std::optional<BucketGuard> guard_;  // where duplicates are rejected

  std::shared_mutex place_mutex_;     // held by who commits, and alone by who moves the table away
  std::atomic<bool> moved_ = false;   // set with the locks of all shards; before the move itself
  std::mutex change_mutex_;           // held while columns are added, so that each is once
  std::mutex flush_mutex_;            // held while rows become segments, or segments others
  std::uint64_t unlogged_flush_ = 0;  // guarded by flush_mutex_: a mark where there is no log

  // Each shard's lock guards its entries.
  struct PerShard {
    std::optional<wal::Lsn> oldest = {};
    std::vector<wal::Lsn> defined_in = {};  // by position of the series in the shard: file, plus one
    // What the log was told of the table last, and in which file, by rows of this shard.
    std::shared_ptr<const LiveSchema> described = {};
    wal::Lsn described_in = 0;
  };
  std::array<PerShard, head::kShards> per_shard_;

  StripedSharedMutex schema_mutex_;  // guards schema_
  std::shared_ptr<const LiveSchema> schema_;

  mutable std::mutex view_mutex_;  // guards closed_
  std::vector<Closed> closed_;     // oldest first
};

}  // namespace marigram::table
