// A database: a folder of namespaces (tenants) with time-series tables, a write-ahead log and rows in memory.
//
//   auto db = marigram::Database::open("metrics.db");
//   if (!db) return report(db.error());
//   db->insert("acme", "cpu", time_ns, 0.93, {{"host", "a1"}, {"core", "0"}});
//   auto rows = db->query("acme", "cpu", {.from_ns = t0, .to_ns = t1, .aggregate = "avg", .every =
//   3'600'000'000'000});
//
// A Database is a handle, cheap to copy; copies share it. Thread-safe. One process owns a database and writes; others
// open it read-only and see what has been flushed. A row is seen by queries from the moment that its insert returns,
// and never half of a batch. Times are nanoseconds since the Unix epoch (UTC), before it negative.
#pragma once

#include <marigram/arrow_abi.h>
#include <marigram/asof.h>
#include <marigram/backup.h>
#include <marigram/batch.h>
#include <marigram/downsample.h>
#include <marigram/error.h>
#include <marigram/export.h>
#include <marigram/jobs.h>
#include <marigram/latest.h>
#include <marigram/remove.h>
#include <marigram/table.h>
#include <marigram/tags.h>
#include <marigram/window_join.h>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram {

/// What an insert that has returned can rely on.
enum class Durability {
  kSync,      ///< it is on stable storage; concurrent inserts share one sync
  kInterval,  ///< it will be within DatabaseOptions::sync_interval; until then a crash may take it, and all after it
  kNone,      ///< it is in memory only, until the next flush
};

struct DatabaseOptions {
  bool create = true;                         ///< make the database if there is none
  bool read_only = false;                     ///< do not own it: see what was flushed, write nothing
  Durability durability = Durability::kSync;  ///< of inserts that do not say otherwise
  std::chrono::milliseconds sync_interval{100};
  /// Rows in memory are flushed at flush_bytes, or when the oldest has waited for flush_age. At memory_bytes inserts
  /// wait, and after write_timeout they end in kResourceExhausted.
  std::uint64_t memory_bytes = std::uint64_t{512} << 20;
  std::uint64_t flush_bytes = std::uint64_t{128} << 20;
  std::chrono::seconds flush_age{600};
  std::chrono::milliseconds write_timeout{10'000};
  /// Size of each file of the write-ahead log: a multiple of 512 from 1 KiB to 1 GiB, else kInvalidInput. A batch, with
  /// the tags of its series, must fit in one; none is larger than 16 MiB. Small files are cut and recycled more often.
  std::uint64_t log_file_bytes = std::uint64_t{64} << 20;
  std::uint64_t series_max = 10'000'000;      ///< of a namespace; inserts that would make more are kResourceExhausted
  bool widen_integers = false;                ///< integers may be written to fields of floats; else kSchemaMismatch
  Duplicates duplicates = Duplicates::kLast;  ///< of tables that are made by their first insert
  SegmentFormat segments = SegmentFormat::kParquet;  ///< of those too
  std::string compression = "auto";                  ///< and that, see TableOptions
  JobOptions jobs = {};
};

/// A value at a time, of the series that the tags name.
struct Point {
  std::int64_t time_ns = 0;
  Value value = {};  ///< double, std::int64_t, std::uint64_t, bool or std::string
  Tags tags = {};
};

/// The same with any number of fields.
struct Row {
  std::int64_t time_ns = 0;
  Tags tags = {};
  std::vector<std::pair<std::string, Value>> fields = {};  ///< monostate: null
};

/// Times of an inclusive range, which series, and which of their rows.
struct Selection {
  std::int64_t from_ns = std::numeric_limits<std::int64_t>::min();
  std::int64_t to_ns = std::numeric_limits<std::int64_t>::max();
  std::vector<TagMatcher> where = {};       ///< all must match
  std::vector<FieldCondition> fields = {};  ///< likewise, of each row
};

struct QueryRequest {
  std::int64_t from_ns = std::numeric_limits<std::int64_t>::min();  ///< inclusive
  std::int64_t to_ns = std::numeric_limits<std::int64_t>::max();    ///< inclusive
  std::vector<TagMatcher> where = {};                               ///< all must match
  std::vector<std::string> fields = {};                             ///< empty: all
  /// count, sum, avg, min, max, first, last, stddev, median, p<number>, rate or delta; empty: the rows themselves.
  std::string aggregate = {};
  Interval every = {};        ///< an aggregate for each so wide interval, in nanoseconds or of a calendar; 0: of all
  std::string timezone = {};  ///< of whose clocks intervals are (IANA); empty: UTC
  std::optional<std::int64_t> origin_ns = {};  ///< where intervals begin; unset: 1970-01-01, and weeks on Monday
  FillOptions fill = {};                       ///< of aggregates by intervals
  std::vector<std::string> by = {};  ///< aggregates for each combination of these tags; empty: for all series together
  bool by_series = false;            ///< aggregates for each series
  ScanOrder order = ScanOrder::kTime;                               ///< of rows; aggregates come by (group, time)
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  ///< at most so many rows
  /// What was known at a version or time of the table, or at a named version: rows that were in segments then. As it is
  /// now, with what is in memory, if unset.
  OpenOptions at = {};
  CancelToken cancel = {};
  /// Of aggregates: told when the stream has ended or was released; must live until then.
  QueryStatistics* statistics = nullptr;
};

struct Quantiles {
  double p50 = 0;
  double p90 = 0;
  double p99 = 0;
  std::uint64_t count = 0;
};

struct DatabaseMetrics {
  double uptime_seconds = 0;
  std::uint64_t tables = 0;           ///< open ones
  std::uint64_t series = 0;           ///< of open tables
  std::uint64_t points_inserted = 0;  ///< since the database was opened
  double points_per_second = 0;       ///< over the last ten seconds or so
  std::uint64_t memory_bytes = 0;     ///< of rows in memory
  std::uint64_t series_bytes = 0;     ///< of the series' names
  Quantiles query_seconds = {};       ///< until the first rows were ready
  std::uint64_t wal_bytes = 0;        ///< that a crash would replay
  std::uint64_t wal_syncs = 0;
  std::uint64_t flushes = 0;
  std::uint64_t flushed_points = 0;
  double flush_seconds = 0;           ///< spent, all told
  std::string last_flush_error = {};  ///< empty: the last one went well
  /// Bytes of segments that flushes and appends made, and of those that were made of others (compaction, tiers): their
  /// sum divided by the first is the write amplification.
  std::uint64_t segment_bytes_written = 0;
  std::uint64_t segment_bytes_rewritten = 0;
};

/// A table that was dropped, and can be had back until vacuum.
struct DroppedTable {
  std::string name_space = {};
  std::string table = {};
  Instant dropped = {};
};

/// What opening a database found.
struct RecoveryReport {
  std::uint64_t batches = 0;    ///< replayed from the write-ahead log
  std::uint64_t points = 0;     ///< of these, those that were not in segments yet
  std::uint64_t cut_bytes = 0;  ///< of a torn end, that a crash left; never acknowledged as kSync
  std::uint64_t orphans = 0;    ///< batches of tables that are no more
  double seconds = 0;
};

class MARIGRAM_EXPORT Database {
 public:
  /// `path`: a folder, or "memory:" for one that lasts as long as the handle. kConflict: another process, or another
  /// handle, owns it; the message says who. kNotFound: nothing is there and `create` is false. kCorruption: see
  /// `marigram db verify`.
  static Result<Database> open(std::string_view path, const DatabaseOptions& options = {});
  /// Flushes and closes for all copies of the handle; they are of no use afterwards. The destructor of the last copy
  /// does the same, but cannot tell of errors: what was acknowledged is then still in the write-ahead log.
  Status close();

  const RecoveryReport& recovery() const;

  /// Declares a table. kAlreadyExists.
  Status create_table(std::string_view name_space, std::string_view table, const TableOptions& options);
  /// The segments of a table: coverage, history, scans of what has been flushed. kNotFound.
  Result<Table> open_table(std::string_view name_space, std::string_view table, const OpenOptions& options = {}) const;
  /// Takes a table away; undrop_table() has it back until a vacuum that is older_than_seconds later. Who is reading it
  /// reads on or gets an error; who writes to it meanwhile gets kNotFound. kNotFound.
  Status drop_table(std::string_view name_space, std::string_view table);
  /// The one that was dropped last of that name. kNotFound; kAlreadyExists: there is one of that name again.
  Status undrop_table(std::string_view name_space, std::string_view table);
  Result<std::vector<DroppedTable>> list_dropped_tables() const;
  /// Within its namespace. Who uses it by the old name meanwhile as by drop_table(). kNotFound, kAlreadyExists.
  Status rename_table(std::string_view name_space, std::string_view from, std::string_view to);
  /// Makes a table that is another one as it was at a version, with its history; files are shared, not copied, where
  /// the file system can. Flushes it first. kNotFound, kAlreadyExists.
  Status clone_table(std::string_view name_space, std::string_view from, std::string_view to,
                     const OpenOptions& at = {});
  /// Deletes all rows of a table, those in memory too: see Table::truncate. Inserts wait meanwhile.
  Result<std::uint64_t> truncate_table(std::string_view name_space, std::string_view table);
  /// Makes the rows of a table what they were in segments at a version: see Table::restore_version. Flushes it first,
  /// so that the version before the new one has what was in memory. Inserts wait meanwhile.
  Result<std::uint64_t> restore_table_version(std::string_view name_space, std::string_view table,
                                              std::uint64_t version);

  /// Inserts one value, into the field "value". A table that is not there is made: its tags and fields appear as they
  /// come. Errors, and nothing was inserted: kInvalidInput, kSchemaMismatch, kOverlap (tables that reject duplicates),
  /// kResourceExhausted (memory, series, disk). kIo: the log failed; the row may be there or not when the database is
  /// opened again, and nothing more can be written before that.
  Status insert(std::string_view tenant, std::string_view series, std::int64_t time_ns, double value,
                const Tags& tags = {}, std::optional<Durability> durability = {});
  /// All points or none.
  Status insert_batch(std::string_view tenant, std::string_view series, std::span<const Point> points,
                      std::optional<Durability> durability = {});
  /// The same of the one series that the tags name, as columns of equal length: the quickest way in.
  Status insert_batch(std::string_view tenant, std::string_view series, const Tags& tags,
                      std::span<const std::int64_t> times_ns, std::span<const double> values,
                      std::optional<Durability> durability = {});
  Status insert_rows(std::string_view tenant, std::string_view table, std::span<const Row> rows,
                     std::optional<Durability> durability = {});
  /// Appends a stream as segments, in one commit; what is in memory of the table is flushed before. Takes ownership of
  /// the stream, which has the table's columns. For bulk loads: see Table::append; kInvalidInput also for texts that
  /// inserts would refuse.
  Result<AppendResult> append(std::string_view name_space, std::string_view table, ArrowArrayStream* rows);

  /// Rows, or aggregates of them, with a column `time`, the tags, and a column a field. kNotFound: no such table.
  Result<BatchStream> query(std::string_view tenant, std::string_view series, const QueryRequest& request = {}) const;
  /// The same as an Arrow C stream.
  Status query(std::string_view tenant, std::string_view series, const QueryRequest& request,
               ArrowArrayStream* out) const;

  /// Joins each probe to its row, in segments or in memory: see Table::asof.
  Status asof(std::string_view tenant, std::string_view series, ArrowArrayStream* probes, const AsofRequest& request,
              ArrowArrayStream* out) const;

  /// Gives each probe aggregates of the rows around it, in segments or in memory: see Table::window_join.
  Status window_join(std::string_view tenant, std::string_view series, ArrowArrayStream* probes,
                     const WindowJoinRequest& request, ArrowArrayStream* out) const;

  /// The last row of each series, or the first, in segments or in memory: see Table::latest.
  Status latest(std::string_view tenant, std::string_view series, const LatestRequest& request,
                ArrowArrayStream* out) const;

  /// Some of the rows of each series, as many as a chart can show, in segments or in memory: see Table::downsample.
  Status downsample(std::string_view tenant, std::string_view series, const DownsampleRequest& request,
                    ArrowArrayStream* out) const;

  Result<std::vector<std::string>> list_namespaces() const;
  /// Names of the tables that have a series which fulfils all conditions; ascending.
  Result<std::vector<std::string>> list_series(std::string_view tenant,
                                               const std::vector<TagMatcher>& where = {}) const;
  /// The tags of each series of a table that fulfils all conditions.
  Result<std::vector<Tags>> list_tag_sets(std::string_view tenant, std::string_view series,
                                          const std::vector<TagMatcher>& where = {}) const;
  /// Names of a table's tags; ascending.
  Result<std::vector<std::string>> list_tags(std::string_view tenant, std::string_view series) const;
  /// Values that a tag has in the series that fulfil all conditions; ascending.
  Result<std::vector<std::string>> list_tag_values(std::string_view tenant, std::string_view series,
                                                   std::string_view tag,
                                                   const std::vector<TagMatcher>& where = {}) const;

  /// Deletes rows for good, and returns how many there were; `dry_run`: and leaves them. Flushes the table first. See
  /// Table::remove_rows.
  Result<std::uint64_t> remove(std::string_view tenant, std::string_view series, const Selection& selection,
                               bool dry_run = false);
  /// Which rollups a table keeps from now on: see Table::set_rollups.
  Status set_rollups(std::string_view tenant, std::string_view series, const RollupOptions& options);
  /// Brings the rollups of a table up to its segments: see Table::refresh_rollups. Queries find rows in memory too.
  Result<RefreshReport> refresh_rollups(std::string_view tenant, std::string_view series,
                                        const CancelToken& cancel = {});
  /// How long rows and rollups of a table are kept from now on: see Table::set_retention.
  Status set_retention(std::string_view tenant, std::string_view series, const std::vector<RetentionRule>& rules);
  /// Drops what is older than is kept, of segments: see Table::expire. Rows in memory go after they became segments.
  Result<ExpiryReport> expire(std::string_view tenant, std::string_view series, const CancelToken& cancel = {});
  /// Which rows of a table become cold: see Table::set_tiers. Below `root` each table has a folder of its own.
  Status set_tiers(std::string_view tenant, std::string_view series, const TierOptions& options);
  /// Moves what is old enough to the cold tier: see Table::move_cold.
  Result<TierReport> move_cold(std::string_view tenant, std::string_view series, bool dry_run = false,
                               const CancelToken& cancel = {});
  /// Makes segments of all rows in memory.
  Status flush();
  /// Flushes, and merges small and overlapping segments of all tables; a dry run does neither. The version of the
  /// report is 0.
  Result<CompactReport> compact(const CompactOptions& options = {});
  /// Deletes files that no version of the history has, of all tables: see Table::vacuum, and tables that were dropped
  /// as long ago. Paths begin with the table's name: "acme/cpu/data/...".
  Result<VacuumReport> vacuum(std::int64_t older_than_seconds = 7 * 86'400, bool dry_run = false,
                              const History& history = {});
  /// Backs up to a new folder, which can be opened as a database: each table as it was at some moment of the call, with
  /// all that was acknowledged before it; inserts go on. What is copied is read back and compared. kAlreadyExists:
  /// something is there. After an error the folder is no database.
  Result<SnapshotReport> snapshot(std::string_view path, const SnapshotOptions& options = {}) const;
  /// Reads a snapshot, and compares each file with what was written.
  static Result<SnapshotVerifyReport> verify_snapshot(std::string_view path);
  /// Makes a database at `path`, which must not exist, of the snapshot at `from`, or of a part of it. What is restored
  /// is compared with what the snapshot says of it: files by their hashes, tables by their rows. All or nothing.
  /// kNotFound: it has no such namespace or table; kCorruption names the file that is not what it was.
  static Result<RestoreReport> restore(std::string_view from, std::string_view path,
                                       const RestoreOptions& options = {});

  /// What is done in the background, or would be: by table, then kind. Read-only: what the owner has put down last.
  Result<std::vector<JobInfo>> jobs() const;
  /// Does all that is due now, or all of one kind, in the order of priority, on this thread, whether paused or not.
  /// Returns the jobs in which there was something to do, or that failed; a failure does not end it.
  Result<std::vector<JobInfo>> run_jobs(std::optional<JobKind> kind = {}, const CancelToken& cancel = {});
  /// Until resumed, also when it is opened again, jobs of that kind, or of all, do not begin by themselves; one that
  /// runs stops at its next step. After an error, which tells that this could not be put down, until closed only.
  Status pause_jobs(std::optional<JobKind> kind = {});
  Status resume_jobs(std::optional<JobKind> kind = {});

  DatabaseMetrics metrics() const;

  struct Impl;
  explicit Database(std::shared_ptr<Impl> impl);  // not for users: see open

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace marigram
