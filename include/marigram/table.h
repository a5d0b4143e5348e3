// An open, versioned time-series table: a folder of Parquet segments, a JSON commit log and coverage bitmaps.
//
//   auto table = marigram::Table::open("weather");
//   if (!table) return report(table.error());
//   ArrowArrayStream rows;
//   auto status = table->scan({.from = t0, .to = t1, .columns = {"time", "temp"}}, &rows);
//
// A Table is a handle on one version. It is cheap to copy (copies share the handle) and thread-safe: reads run in
// parallel, writes of one handle are serialised; writers in other handles, threads and processes are met by
// optimistic concurrency. Reads see the version that the handle holds; refresh() moves it to the newest.
#pragma once

#include <marigram/aggregate.h>
#include <marigram/arrow_abi.h>
#include <marigram/asof.h>
#include <marigram/coverage.h>
#include <marigram/downsample.h>
#include <marigram/error.h>
#include <marigram/export.h>
#include <marigram/history.h>
#include <marigram/latest.h>
#include <marigram/remove.h>
#include <marigram/retention.h>
#include <marigram/rollup.h>
#include <marigram/scan.h>
#include <marigram/segment_format.h>
#include <marigram/series.h>
#include <marigram/tier.h>
#include <marigram/time.h>
#include <marigram/window_join.h>

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace marigram {

/// Which open format a table is written in (docs/format/log.md).
enum class Dialect {
  kV1,  ///< timeseries-table-core 0.2: one series a table, 32-bit coverage
  kV7,  ///< timeseries-table-format 0.9 (protocol 7): many series, 64-bit coverage
};

/// What a table does with rows of one series and time.
enum class Duplicates {
  kReject,  ///< refuses an append with rows where the table, or the append itself, has some: one row a series and
            ///< bucket
  kLast,    ///< the row that came last replaces the others
  kAll,     ///< keeps all rows, in the order in which they came
};

/// A column, as users name its type: bool, int32, int64, uint64, float32, float64, string, binary,
/// timestamp[ms|us|ns] with an optional zone (`timestamp[us,UTC]`), decimal(p,s), and what files bring along.
struct ColumnInfo {
  std::string name = {};
  std::string type = {};
  bool nullable = true;
};

/// What a new table is.
struct TableOptions {
  std::string time_column = {};                  ///< name of the ordered index column; required
  std::optional<TimeUnit> unit = {};             ///< resolution; default: that of the first append
  std::vector<ColumnInfo> tags = {};             ///< string, int32, int64 or uint64 columns that name the series
  std::vector<ColumnInfo> fields = {};           ///< empty (with `unit` unset): adopt the first append's columns
  std::string bucket = "1h";                     ///< coverage grid: 1..4294967295 of s, m, h or d
  std::string index_type = "timestamp";          ///< timestamp, int64 or uint64 (v7)
  std::optional<std::uint64_t> index_step = {};  ///< coverage grid of an integer index, >= 1; instead of `bucket`
  std::optional<std::string> timezone = {};      ///< IANA zone recorded with the index; buckets stay in UTC
  Dialect dialect = Dialect::kV7;
  std::optional<std::string> calendar = {};  ///< JSON text of a calendar (docs/format/coverage.md)
  std::string partition = "1d";              ///< a segment never crosses a multiple of this width
  SegmentFormat segments = SegmentFormat::kParquet;
  /// Of native segments: how blocks are encoded, and what they are put through behind that: none (values side by side),
  /// delta, double_delta, gorilla, dictionary or auto (for each block the smallest of all, or one that is a little
  /// larger and read much faster), and `:zstd`, `:lz4` or `:snappy` behind it if wanted ("gorilla:zstd").
  std::string compression = "auto";
  Duplicates duplicates = Duplicates::kReject;  ///< for good; v1 knows kReject only
  /// v7: tags may be added later (add_tags); other programs than Marigram refuse such a table. All tags are nullable
  /// strings, and for a row null, the empty value and a tag that did not exist yet say the same: its series lacks the
  /// tag. The schema is set from the beginning, by `unit` (default us), `tags` and `fields`.
  bool growing = false;
  RollupOptions rollups = {};                 ///< v7, of a timestamp index
  std::vector<RetentionRule> retention = {};  ///< likewise
  TierOptions tiers = {};                     ///< likewise
};

/// Which version to open.
struct OpenOptions {
  /// Newest (monostate), a version number, the newest version committed at or before a time, or the version of a name
  /// (Table::name_version).
  std::variant<std::monostate, std::uint64_t, Instant, std::string> at = {};
};

struct AppendResult {
  std::uint64_t version = 0;  ///< version that holds the rows; unchanged if there were none
  std::uint64_t rows = 0;     ///< in its segments
  std::uint64_t segments = 0;
};

struct SegmentInfo {
  std::string id = {};    ///< v1: segment id; v7: its path
  std::string path = {};  ///< relative to the table
  SegmentFormat format = SegmentFormat::kParquet;
  IndexValue min = {};
  IndexValue max = {};  ///< inclusive
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;               ///< 0 if not recorded
  std::optional<SeriesKey> series = {};  ///< set when all rows belong to one series
};

struct TableInfo {
  std::uint64_t version = 0;
  Dialect dialect = Dialect::kV7;
  Instant created_at = {};
  std::string time_column = {};
  std::string index_type = {};        ///< timestamp, int64 or uint64
  std::optional<TimeUnit> unit = {};  ///< unset before the schema is known, and for integer indexes
  std::string bucket = {};            ///< "1h", or the step of an integer index
  std::optional<std::string> timezone = {};
  std::optional<IndexValue> min = {};  ///< unset for an empty table
  std::optional<IndexValue> max = {};
  std::uint64_t rows = 0;  ///< of all segments, with those that later ones replaced and compaction has not met yet
  std::uint64_t segments = 0;
  std::vector<ColumnInfo> tags = {};
  std::vector<ColumnInfo> fields = {};       ///< all columns but time and tags
  std::vector<std::string> features = {};    ///< declared reader and writer features
  std::optional<std::string> calendar = {};  ///< JSON text
  Duplicates duplicates = Duplicates::kReject;
  SegmentFormat segment_format = SegmentFormat::kParquet;  ///< of what is written from now on
  std::string compression = "auto";                        ///< see TableOptions
  bool growing = false;                                    ///< see TableOptions
};

struct CommitInfo {
  std::uint64_t version = 0;
  Instant timestamp = {};
  /// create, append, compact, remove_rows, truncate, restore_version, name_version, add_columns and the like
  /// (docs/format/log.md); "commit" for what we cannot name
  std::string operation = {};
  std::uint64_t added_segments = 0;
  std::uint64_t removed_segments = 0;
  std::uint64_t added_rows = 0;
  std::string transaction_id = {};  ///< empty if the writer recorded none
};

struct VerifyReport {
  std::uint64_t commits = 0;               ///< checked
  std::uint64_t segments = 0;              ///< checked
  std::uint64_t rows = 0;                  ///< read and checked
  std::vector<std::string> problems = {};  ///< each names the file and what is wrong; empty: the table is sound
  std::vector<std::string> repaired = {};  ///< what repair mended
};

struct CompactOptions {
  /// Merges only where segments are many (size-tiered): four or more of like size that came one after the other, so a
  /// row is written anew about log4(good / first) times while its table grows. Else all that can be merged.
  bool tiered = false;
  /// Of the files that are read, about so many in this call and 1 at least; what is left is done by the next.
  std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
  bool dry_run = false;  ///< changes nothing: CompactReport::before says what would be rewritten
  CancelToken cancel = {};
};

/// What a compaction did; of segments that it left alone nothing is counted.
struct CompactReport {
  struct Total {
    std::uint64_t segments = 0;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;

    Total& operator+=(const Total& other) {
      segments += other.segments;
      rows += other.rows;
      bytes += other.bytes;
      return *this;
    }
  };
  std::uint64_t version = 0;  ///< that holds the result; unchanged if there was nothing to do
  Total before = {};          ///< of the segments that were rewritten
  Total after = {};           ///< of those that took their place; fewer rows where some were replaced by others
  bool more = false;          ///< something is left to be done, beyond CompactOptions::bytes
};

struct VacuumReport {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::vector<std::string> paths = {};  ///< removed, or with dry_run what would be
  std::uint64_t oldest = 1;             ///< version that can be gone back to, or could
};

class MARIGRAM_EXPORT Table {
 public:
  /// Makes an empty table at version 1 in folder `uri` (made if absent). kAlreadyExists if a table is there.
  static Result<Table> create(std::string_view uri, const TableOptions& options);
  /// kNotFound if there is no table; kInvalidInput if it needs a feature that this library lacks (named).
  static Result<Table> open(std::string_view uri, const OpenOptions& options = {});

  /// Reads everything in the table at `uri` and compares it: log, segments, statistics, coverage. What is wrong is in
  /// the report, not an error, also when the table cannot be opened for it. With `repair`, writes again what can be
  /// derived: an unreadable or wrong CURRENT, an unpublished or torn last commit, coverage sidecars and snapshot.
  static Result<VerifyReport> verify(std::string_view uri, bool repair = false);

  TableInfo info() const;
  /// Live segments in (min, max, path) order. O(segments).
  std::vector<SegmentInfo> segments() const;
  /// All commits up to the handle's version, oldest first. O(commits).
  Result<std::vector<CommitInfo>> log() const;

  /// Moves the handle to the newest version. kInvalidInput for a handle opened at an earlier version.
  Status refresh();

  /// Appends all rows of a stream as one commit: all or none. Takes ownership of the stream and releases it. Rows may
  /// come in any order; columns are matched by name. kSchemaMismatch, kOverlap (with OverlapInfo), kInvalidInput; the
  /// table is unchanged after an error. Concurrent appends that do not overlap all succeed.
  Result<AppendResult> append(ArrowArrayStream* rows);
  /// Appends one record batch; takes ownership of both structs.
  Result<AppendResult> append(ArrowSchema* schema, ArrowArray* batch);
  /// Appends a Parquet file. v7: its rows are rewritten sorted and partitioned. v1: a file inside the table's folder is
  /// adopted where it is, any other is copied to data/ first.
  Result<AppendResult> append_parquet(std::string_view path);

  /// Streams the rows asked for; `out` is released by the caller and keeps what it needs alive. Memory is bounded by
  /// the number of segments that overlap in time, not by the rows. A corrupt or missing segment ends the stream with an
  /// error that names it.
  Status scan(const ScanRequest& request, ArrowArrayStream* out) const;

  /// Joins each probe to its row (asof.h). Takes ownership of the stream of probes and releases it; `out` has a row for
  /// each probe, in their order: their columns, those asked for, null where there is no row, and the matched time.
  /// Memory: the probes, the result, and a partition's rows of the probes' series. kSchemaMismatch: probes without the
  /// table's tags or time, or of other types; kInvalidInput: the result would have a column twice; kNotFound.
  Status asof(ArrowArrayStream* probes, const AsofRequest& request, ArrowArrayStream* out) const;

  /// Gives each probe aggregates of the rows around it (window_join.h), as asof() does a row. Memory: besides that, the
  /// states of the aggregates. Errors as of asof(); kInvalidInput also for an aggregate that there is not.
  Status window_join(ArrowArrayStream* probes, const WindowJoinRequest& request, ArrowArrayStream* out) const;

  /// Aggregates (aggregate.h): a row for each group and bucket that has rows, ascending: the tags of the group, the
  /// start of the bucket under the name of the time, and the aggregates. Of blocks of native segments whose rows fall
  /// into one group and bucket no more is read than their statistics. kInvalidInput: an aggregate or group that there
  /// is not; kNotFound: a column that the table lacks. A sum of integers that does not fit ends the stream.
  Status aggregate(const AggregateRequest& request, ArrowArrayStream* out) const;

  /// The last row of each series, or the first (latest.h), by series: tags, time and fields. Coverage knows where they
  /// lie: no more is read than the segments that hold them, and of native ones at most a block a series and column.
  /// kNotFound, kInvalidInput: a column that is no field of the table.
  Status latest(const LatestRequest& request, ArrowArrayStream* out) const;

  /// Some of the rows of each series, as many as a chart can show (downsample.h): tags, time and the field, by series.
  /// Memory: the rows of a series. kNotFound: no such field; kInvalidInput: one that is not of numbers.
  Status downsample(const DownsampleRequest& request, ArrowArrayStream* out) const;

  /// Coverage of the whole table: a bucket counts as covered if any matching series covers it.
  Result<CoverageReport> coverage(const CoverageRequest& request = {}) const;
  /// One report per matching series, in series order.
  Result<std::vector<CoverageReport>> coverage_by_series(const CoverageRequest& request = {}) const;
  /// The latest run of `length` expected buckets, all covered by any matching series, that ends at or before the
  /// bucket holding the last instant before `before` (default: the end of the coverage). Unset if there is none or if
  /// `length` is 0. Cost: the runs between `before` and the window.
  Result<std::optional<BucketRange>> last_covered_window(std::uint64_t length, std::optional<IndexValue> before = {},
                                                         const std::vector<TagPredicate>& where = {}) const;

  /// Deletes rows for good, as one commit: all or none. Returns how many there were; `dry_run`: and leaves them. They
  /// are hidden at once, and compact() gives back their space; earlier versions have them. A table that other programs
  /// than Marigram read stays such a one: its segments are written anew. kInvalidInput: an empty range, a bound of
  /// another domain than the index, a condition with a value of another kind than the field; kNotFound: no such tag or
  /// field.
  Result<std::uint64_t> remove_rows(const RowSelection& rows, bool dry_run = false);
  /// Deletes all rows and all that levels of rollups say, as one commit; earlier versions have them. Returns how many
  /// rows there were.
  Result<std::uint64_t> truncate();
  /// Takes segments (by id or path) out of the table; their files stay until vacuum. kNotFound names an unknown one.
  Result<std::uint64_t> remove_segments(std::span<const std::string> ids);
  /// Adds nullable columns at the end (v7); rows written before read null. Returns the new version.
  Result<std::uint64_t> add_columns(std::span<const ColumnInfo> columns);
  /// Adds tags at the end of those that a growing table has: columns of strings. The series of rows written before lack
  /// them, so they read null, match the value "", and have "" in series keys. Returns the new version. kInvalidInput
  /// for a table that does not grow, kAlreadyExists for a column that is there. O(segments).
  Result<std::uint64_t> add_tags(std::span<const std::string> names);

  /// What files are written from now on (v7), and in which compression (TableOptions; default: as before); compact()
  /// writes those of another format anew. Returns the new version. kInvalidInput for a compression that there is not.
  Result<std::uint64_t> set_segments(SegmentFormat format, const std::optional<std::string>& compression = {});
  /// Merges small and overlapping segments of a partition, and writes those of another format than the table's anew, as
  /// one commit of the table and each level, or none if there is nothing to gain. Scans give the same rows before and
  /// after, appends go on meanwhile; the old files stay, for versions that name them, until vacuum. Memory: that of an
  /// append. kCancelled: what was committed stays.
  Result<CompactReport> compact(const CompactOptions& options = {});

  /// Which rows become cold, and what of (v7, of a timestamp index). What is cold stays so until it is written anew.
  /// Returns the version. kInvalidInput: an age that there is not, a root that is not empty.
  Result<std::uint64_t> set_tiers(const TierOptions& options);
  TierOptions tiers() const;
  /// What lies where: "warm" rows, "cold" rows, and each level of rollups.
  std::vector<TierUsage> tier_usage() const;
  /// Moves segments whose rows all are as old as TierOptions::cold_after says to the cold tier, some at a time in
  /// commits of their own; `dry_run`: says which would. Scans give the same rows before, meanwhile and after.
  Result<TierReport> move_cold(bool dry_run = false, const CancelToken& cancel = {});

  /// Which rollups the table keeps from now on (v7, of a timestamp index); none: none. Levels of intervals that it kept
  /// already stay if time zone, origin and percentiles do. Returns the version. kInvalidInput: intervals that do not
  /// nest, an unknown zone.
  Result<std::uint64_t> set_rollups(const RollupOptions& options);
  RollupOptions rollup_options() const;
  /// The levels, from the finest to the coarsest.
  Result<std::vector<RollupInfo>> rollups() const;
  /// Brings all levels up to the newest version, the newest times first, in commits of some hundred thousand rows.
  /// Costs what has changed. Aggregates are right before, meanwhile and after.
  Result<RefreshReport> refresh_rollups(const CancelToken& cancel = {});

  /// How long rows and levels of rollups are kept from now on (v7, of a timestamp index); none: for ever. What is gone
  /// stays so; nothing goes before expire(). Returns the version. kInvalidInput: a rule by what is no tag, of what is
  /// neither rows nor a level, of a coarser level that would go before what it is made of.
  Result<std::uint64_t> set_retention(const std::vector<RetentionRule>& rules);
  std::vector<RetentionInfo> retention() const;
  /// Refreshes rollups, then drops what is older than is kept: down to a whole bucket of coverage and an interval of
  /// the next coarser level, never more. Levels go on telling of the rows; a row that comes when those of its time are
  /// gone is added to them. A commit for each rule by which something goes.
  Result<ExpiryReport> expire(const CancelToken& cancel = {});
  /// What would go now, by these rules in place of those that there are if they are given.
  Result<ExpiryReport> preview_expiry(const std::optional<std::vector<RetentionRule>>& rules = {}) const;

  /// The points that one version has and another has not, as rows with a column `change`, "added" or "removed", before
  /// the table's own; by (series, time), what was removed first. Reads what differs between the two. kNotFound: a
  /// version that there is not, or not any more.
  Status diff(const DiffRequest& request, ArrowArrayStream* out) const;
  /// Makes the rows what they were at a version, by a commit that can be undone in the same way; rules of retention,
  /// tiers and columns stay as they are, levels of rollups are due where rows changed. Returns the new version.
  /// kNotFound: no such version, or none any more; kInvalidInput: rows have expired since, of which levels tell alone
  /// (clone the version instead).
  Result<std::uint64_t> restore_version(std::uint64_t version);
  /// Names a version, to open it by (OpenOptions) and to keep it however much history vacuum gives up. A name that is
  /// there moves. Returns the table's version. kInvalidInput: a name that is empty, longer than 100 bytes or looks like
  /// a number or time; kNotFound: no such version, or none any more.
  Result<std::uint64_t> name_version(std::string_view name, std::uint64_t version);
  /// kNotFound.
  Result<std::uint64_t> forget_version_name(std::string_view name);
  std::map<std::string, std::uint64_t> version_names() const;
  /// Makes a table at `uri`, which must not exist or be empty, that is this one at the handle's version, with its
  /// history. Files are shared with it (hard links) where both lie on one file system, and copied else; either is free
  /// to change, compact and vacuum its own. All or nothing. kAlreadyExists.
  Result<Table> clone(std::string_view uri) const;

  /// Folds the log into one file, so that open costs O(live segments). Readers that do not know it ignore it. Each 64th
  /// commit does so by itself.
  Status checkpoint();
  /// Deletes files that no version of the history has and that are older than `older_than_seconds` (writers in flight
  /// own newer ones: keep it longer than the longest append). Who still reads a version that is given up may miss its
  /// files: keep those of as long ago as the longest query.
  Result<VacuumReport> vacuum(std::int64_t older_than_seconds = 7 * 86'400, bool dry_run = false,
                              const History& history = {});

  struct Impl;
  explicit Table(std::shared_ptr<Impl> impl);  // not for users: see create and open

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace marigram
