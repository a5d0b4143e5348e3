// The public Database: users' values become rows, answers become Arrow streams, everything else is the core's.
#include <marigram/database.h>

#include "base/try.h"
#include "db/batch_stream.h"
#include "db/checked_rows.h"
#include "db/clone.h"
#include "db/copy.h"
#include "db/core.h"
#include "db/figures.h"
#include "db/open.h"
#include "db/points.h"
#include "db/query.h"
#include "db/restore.h"
#include "db/stream_export.h"
#include "model/matcher.h"
#include "query/expiry.h"
#include "query/rollup_refresh.h"
#include "table/append.h"
#include "table/definition.h"
#include "table/delete.h"
#include "table/history.h"
#include "table/retention.h"
#include "table/rewrite.h"
#include "table/rollups.h"
#include "table/tiers.h"
#include "table/vacuum.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <tuple>
#include <utility>

namespace marigram {

struct Database::Impl {
  std::unique_ptr<db::Core> core;
  std::chrono::steady_clock::time_point opened = std::chrono::steady_clock::now();
  mutable db::Latencies queries;

  /// Opens those that are not open yet.
  template <typename Visit>
  Status each_table(const Visit& visit) const {
    MARIGRAM_ASSIGN(const auto name_spaces, core->catalogue().name_spaces());
    for (const std::string& name_space : name_spaces) {
      MARIGRAM_ASSIGN(const auto names, core->catalogue().tables(name_space));
      for (const std::string& name : names) {
        MARIGRAM_ASSIGN(table::LiveTable* const table, core->table_to_read(name_space, name));
        MARIGRAM_TRY(visit(name_space, name, *table));
      }
    }
    return {};
  }
};

Database::Database(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<Database> Database::open(std::string_view path, const DatabaseOptions& options) {
  MARIGRAM_ASSIGN(const db::Surroundings surroundings, db::surroundings_of(path));
  return db::open_database(surroundings, options);
}

Result<Database> db::open_database(const Surroundings& surroundings, const DatabaseOptions& options) {
  auto impl = std::make_shared<Database::Impl>();
  MARIGRAM_ASSIGN(impl->core, Core::open(surroundings, options));
  return Database(std::move(impl));
}

Status Database::close() {
  return impl_->core->close();
}

const RecoveryReport& Database::recovery() const {
  return impl_->core->recovery();
}

Status Database::create_table(std::string_view name_space, std::string_view table, const TableOptions& options) {
  MARIGRAM_TRY(impl_->core->check_writable());
  return impl_->core->catalogue().create(name_space, table, options);
}

Result<Table> Database::open_table(std::string_view name_space, std::string_view table,
                                   const OpenOptions& options) const {
  MARIGRAM_ASSIGN(const std::string folder, db::Catalogue::folder(name_space, table));
  if (impl_->core->storage().files() == nullptr) {
    return fail(ErrorCode::kInvalidInput, "cannot open a table's folder: the database is in memory; query it instead");
  }
  return Table::open(impl_->core->storage().path(folder).string(), options);
}

Status Database::drop_table(std::string_view name_space, std::string_view table) {
  MARIGRAM_TRY(impl_->core->check_writable());
  const auto no_jobs = impl_->core->jobs()->hold({std::string(name_space), std::string(table)});
  return impl_->core->catalogue().drop(name_space, table, impl_->core->marks());
}

Status Database::undrop_table(std::string_view name_space, std::string_view table) {
  MARIGRAM_TRY(impl_->core->check_writable());
  return impl_->core->catalogue().undrop(name_space, table);
}

Result<std::vector<DroppedTable>> Database::list_dropped_tables() const {
  return impl_->core->catalogue().dropped();
}

Status Database::rename_table(std::string_view name_space, std::string_view from, std::string_view to) {
  MARIGRAM_TRY(impl_->core->check_writable());
  const auto no_jobs = impl_->core->jobs()->hold({std::string(name_space), std::string(from)});
  return impl_->core->catalogue().rename(name_space, from, to, impl_->core->marks());
}

Result<std::uint64_t> Database::truncate_table(std::string_view name_space, std::string_view table) {
  MARIGRAM_TRY(impl_->core->check_writable());
  MARIGRAM_ASSIGN(table::LiveTable* const target, impl_->core->catalogue().find(name_space, table));
  std::uint64_t rows = 0;
  MARIGRAM_TRY(impl_->core->replace_rows(*target, [&](table::Engine& engine) -> Status {
    MARIGRAM_ASSIGN(rows, table::truncate(engine));
    return {};
  }));
  return rows;
}

Result<std::uint64_t> Database::restore_table_version(std::string_view name_space, std::string_view table,
                                                      std::uint64_t version) {
  MARIGRAM_TRY(impl_->core->check_writable());
  MARIGRAM_ASSIGN(table::LiveTable* const target, impl_->core->catalogue().find(name_space, table));
  std::uint64_t restored = 0;
  MARIGRAM_TRY(impl_->core->replace_rows(*target, [&](table::Engine& engine) -> Status {
    MARIGRAM_ASSIGN(restored, table::restore_version(engine, version));
    return {};
  }));
  return restored;
}

Status Database::insert(std::string_view tenant, std::string_view series, std::int64_t time_ns, double value,
                        const Tags& tags, std::optional<Durability> durability) {
  return insert_batch(tenant, series, tags, std::span(&time_ns, 1), std::span(&value, 1), durability);
}

Status Database::insert_batch(std::string_view tenant, std::string_view series, const Tags& tags,
                              std::span<const std::int64_t> times_ns, std::span<const double> values,
                              std::optional<Durability> durability) {
  const db::SeriesPoints points{.tags = tags, .times_ns = times_ns, .values = values};
  return impl_->core->write_points(tenant, series, points, durability);
}

Status Database::insert_batch(std::string_view tenant, std::string_view series, std::span<const Point> points,
                              std::optional<Durability> durability) {
  return impl_->core->write_points(tenant, series, points, durability);
}

Status Database::insert_rows(std::string_view tenant, std::string_view table, std::span<const Row> rows,
                             std::optional<Durability> durability) {
  return impl_->core->write_points(tenant, table, rows, durability);
}

Result<AppendResult> Database::append(std::string_view name_space, std::string_view table, ArrowArrayStream* rows) {
  MARIGRAM_ASSIGN(const auto reader, db::import_stream(rows));
  MARIGRAM_TRY(impl_->core->check_writable());
  MARIGRAM_ASSIGN(table::LiveTable* const target, impl_->core->catalogue().find(name_space, table));
  MARIGRAM_ASSIGN(const auto schema, target->schema());
  const auto checked = db::check_texts(reader, std::string(table), schema->tag_names());
  MARIGRAM_TRY(impl_->core->flush(*target));
  AppendResult result;
  MARIGRAM_TRY(target->change_segments([&](table::Engine& engine) -> Status {
    MARIGRAM_ASSIGN(result, table::append(engine, *checked));
    return {};
  }));
  MARIGRAM_TRY(target->learn_series());
  return result;
}

Status Database::query(std::string_view tenant, std::string_view series, const QueryRequest& request,
                       ArrowArrayStream* out) const {
  const auto begin = std::chrono::steady_clock::now();
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->table_to_read(tenant, series));
  MARIGRAM_ASSIGN(table::ScanStream rows, db::run_query(*table, request));
  db::export_stream(std::move(rows), impl_, out);
  impl_->queries.add(std::chrono::steady_clock::now() - begin);
  return {};
}

Result<BatchStream> Database::query(std::string_view tenant, std::string_view series,
                                    const QueryRequest& request) const {
  ArrowArrayStream stream;
  MARIGRAM_TRY(query(tenant, series, request, &stream));
  return db::batches_of(&stream);
}

Status Database::asof(std::string_view tenant, std::string_view series, ArrowArrayStream* probes,
                      const AsofRequest& request, ArrowArrayStream* out) const {
  const auto begin = std::chrono::steady_clock::now();
  MARIGRAM_ASSIGN(const std::shared_ptr<arrow::RecordBatchReader> reader, db::import_stream(probes));
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->table_to_read(tenant, series));
  MARIGRAM_ASSIGN(table::ReadableView view, table->readable_view());
  MARIGRAM_ASSIGN(table::ScanStream rows,
                  db::run_asof({table->engine(), std::move(view.state), std::move(view.newer)}, *reader, request));
  db::export_stream(std::move(rows), nullptr, out);
  impl_->queries.add(std::chrono::steady_clock::now() - begin);
  return {};
}

Status Database::window_join(std::string_view tenant, std::string_view series, ArrowArrayStream* probes,
                             const WindowJoinRequest& request, ArrowArrayStream* out) const {
  const auto begin = std::chrono::steady_clock::now();
  MARIGRAM_ASSIGN(const std::shared_ptr<arrow::RecordBatchReader> reader, db::import_stream(probes));
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->table_to_read(tenant, series));
  MARIGRAM_ASSIGN(table::ReadableView view, table->readable_view());
  MARIGRAM_ASSIGN(
      table::ScanStream rows,
      db::run_window_join({table->engine(), std::move(view.state), std::move(view.newer)}, *reader, request));
  db::export_stream(std::move(rows), nullptr, out);
  impl_->queries.add(std::chrono::steady_clock::now() - begin);
  return {};
}

Status Database::latest(std::string_view tenant, std::string_view series, const LatestRequest& request,
                        ArrowArrayStream* out) const {
  const auto begin = std::chrono::steady_clock::now();
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->table_to_read(tenant, series));
  MARIGRAM_ASSIGN(table::ReadableView view, table->readable_view());
  MARIGRAM_ASSIGN(table::ScanStream rows,
                  db::run_latest({table->engine(), std::move(view.state), std::move(view.newer)}, request));
  db::export_stream(std::move(rows), nullptr, out);
  impl_->queries.add(std::chrono::steady_clock::now() - begin);
  return {};
}

Status Database::downsample(std::string_view tenant, std::string_view series, const DownsampleRequest& request,
                            ArrowArrayStream* out) const {
  const auto begin = std::chrono::steady_clock::now();
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->table_to_read(tenant, series));
  MARIGRAM_ASSIGN(table::ReadableView view, table->readable_view());
  MARIGRAM_ASSIGN(table::ScanStream rows,
                  db::run_downsample({table->engine(), std::move(view.state), std::move(view.newer)}, request));
  db::export_stream(std::move(rows), impl_, out);
  impl_->queries.add(std::chrono::steady_clock::now() - begin);
  return {};
}

Result<std::vector<std::string>> Database::list_namespaces() const {
  return impl_->core->catalogue().name_spaces();
}

Result<std::vector<std::string>> Database::list_series(std::string_view tenant,
                                                       const std::vector<TagMatcher>& where) const {
  MARIGRAM_ASSIGN(std::vector<std::string> names, impl_->core->catalogue().tables(tenant));
  if (where.empty()) return names;
  MARIGRAM_ASSIGN(const std::vector<model::Matcher> matchers, model::compile_matchers(where));
  std::vector<std::string> matching;
  for (std::string& name : names) {
    MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->table_to_read(tenant, name));
    if (!table->series().select(matchers).empty()) matching.push_back(std::move(name));
  }
  return matching;
}

Result<std::vector<Tags>> Database::list_tag_sets(std::string_view tenant, std::string_view series,
                                                  const std::vector<TagMatcher>& where) const {
  MARIGRAM_ASSIGN(const std::vector<model::Matcher> matchers, model::compile_matchers(where));
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->table_to_read(tenant, series));
  std::vector<Tags> sets;
  for (const head::SeriesId id : table->series().select(matchers).ids()) sets.push_back(table->series().tags(id));
  std::ranges::sort(sets);
  return sets;
}

Result<std::vector<std::string>> Database::list_tags(std::string_view tenant, std::string_view series) const {
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->table_to_read(tenant, series));
  MARIGRAM_ASSIGN(const auto schema, table->schema());
  std::vector<std::string> names = schema->tag_names();
  std::ranges::sort(names);
  return names;
}

Result<std::vector<std::string>> Database::list_tag_values(std::string_view tenant, std::string_view series,
                                                           std::string_view tag,
                                                           const std::vector<TagMatcher>& where) const {
  MARIGRAM_ASSIGN(const std::vector<model::Matcher> matchers, model::compile_matchers(where));
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->table_to_read(tenant, series));
  const auto number = table->series().find_tag(tag);
  if (!number) return std::vector<std::string>();
  const auto values = table->series().values(*number, matchers);
  return std::vector<std::string>(values.begin(), values.end());
}

Result<std::uint64_t> Database::remove(std::string_view tenant, std::string_view series, const Selection& selection,
                                       bool dry_run) {
  MARIGRAM_TRY(impl_->core->check_writable());
  MARIGRAM_ASSIGN(const std::vector<model::Matcher> matchers, model::compile_matchers(selection.where));
  MARIGRAM_ASSIGN(const db::TimeRange range, db::range_of(selection.from_ns, selection.to_ns));
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->catalogue().find(tenant, series));
  MARIGRAM_TRY(impl_->core->flush(*table));
  MARIGRAM_ASSIGN(auto where, table->predicates(matchers));
  if (!where) return 0;
  std::uint64_t removed = 0;
  MARIGRAM_TRY(table->change_segments([&](table::Engine& engine) -> Status {
    const RowSelection rows{.from = range.from, .to = range.to, .where = std::move(*where), .fields = selection.fields};
    MARIGRAM_ASSIGN(removed, table::remove_rows(engine, rows, dry_run));
    return {};
  }));
  return removed;
}

Status Database::set_rollups(std::string_view tenant, std::string_view series, const RollupOptions& options) {
  MARIGRAM_TRY(impl_->core->check_writable());
  MARIGRAM_ASSIGN(const model::RollupSpec spec, table::rollup_spec(options));
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->catalogue().find(tenant, series));
  return table->change_rollups([&](table::Engine& engine) -> Status {
    MARIGRAM_TRY(table::set_rollups(engine, spec));
    return {};
  });
}

Result<RefreshReport> Database::refresh_rollups(std::string_view tenant, std::string_view series,
                                                const CancelToken& cancel) {
  MARIGRAM_TRY(impl_->core->check_writable());
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->catalogue().find(tenant, series));
  RefreshReport report;
  MARIGRAM_TRY(table->change_rollups([&](table::Engine& engine) -> Status {
    MARIGRAM_ASSIGN(report, query::refresh_rollups(engine, {.cancel = cancel}));
    return {};
  }));
  return report;
}

Status Database::set_retention(std::string_view tenant, std::string_view series,
                               const std::vector<RetentionRule>& rules) {
  MARIGRAM_TRY(impl_->core->check_writable());
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->catalogue().find(tenant, series));
  return table->change_rollups([&](table::Engine& engine) -> Status {
    MARIGRAM_TRY(table::set_retention(engine, rules));
    return {};
  });
}

Result<ExpiryReport> Database::expire(std::string_view tenant, std::string_view series, const CancelToken& cancel) {
  // Which takes long, while flushes go on.
  MARIGRAM_TRY(refresh_rollups(tenant, series, cancel));
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->catalogue().find(tenant, series));
  ExpiryReport report;
  MARIGRAM_TRY(table->change_segments([&](table::Engine& engine) -> Status {
    MARIGRAM_ASSIGN(report, query::expire(engine, cancel));
    return {};
  }));
  return report;
}

Status Database::set_tiers(std::string_view tenant, std::string_view series, const TierOptions& options) {
  MARIGRAM_TRY(impl_->core->check_writable());
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->catalogue().find(tenant, series));
  TierOptions own = options;
  if (!own.root.empty()) {
    MARIGRAM_ASSIGN(const std::string folder, db::Catalogue::folder(tenant, series));
    own.root += "/" + folder;
  }
  return table->change_rollups([&](table::Engine& engine) -> Status {
    MARIGRAM_TRY(table::set_tiers(engine, own));
    return {};
  });
}

Result<TierReport> Database::move_cold(std::string_view tenant, std::string_view series, bool dry_run,
                                       const CancelToken& cancel) {
  MARIGRAM_TRY(impl_->core->check_writable());
  MARIGRAM_ASSIGN(table::LiveTable* const table, impl_->core->catalogue().find(tenant, series));
  TierReport report;
  MARIGRAM_TRY(table->change_rollups([&](table::Engine& engine) -> Status {
    MARIGRAM_ASSIGN(report, table::move_cold(engine, dry_run, cancel));
    return {};
  }));
  return report;
}

Status Database::flush() {
  return impl_->core->flush();
}

Result<CompactReport> Database::compact(const CompactOptions& options) {
  if (!options.dry_run) MARIGRAM_TRY(impl_->core->flush());
  CompactReport all;
  MARIGRAM_TRY(impl_->each_table([&](std::string_view, std::string_view, table::LiveTable& table) {
    return table.change_rollups([&](table::Engine& engine) -> Status {
      MARIGRAM_ASSIGN(const CompactReport own, table::compact(engine, options));
      all.before += own.before;
      all.after += own.after;
      all.more |= own.more;
      return {};
    });
  }));
  return all;
}

Result<VacuumReport> Database::vacuum(std::int64_t older_than_seconds, bool dry_run, const History& history) {
  MARIGRAM_TRY(impl_->core->check_writable());
  VacuumReport all;
  MARIGRAM_TRY(impl_->each_table([&](std::string_view name_space, std::string_view name, table::LiveTable& table) {
    return table.change_segments([&](table::Engine& engine) -> Status {
      MARIGRAM_ASSIGN(const VacuumReport own, table::vacuum(engine, older_than_seconds, dry_run, history));
      all.files += own.files;
      all.bytes += own.bytes;
      for (const std::string& path : own.paths) all.paths.push_back(fmt::format("{}/{}/{}", name_space, name, path));
      return {};
    });
  }));
  Instant cutoff = impl_->core->surroundings().clock->now();
  cutoff.seconds -= older_than_seconds;
  MARIGRAM_ASSIGN(VacuumReport dropped, impl_->core->catalogue().sweep_dropped(cutoff, dry_run));
  all.files += dropped.files;
  all.bytes += dropped.bytes;
  std::ranges::move(dropped.paths, std::back_inserter(all.paths));
  return all;
}

Result<SnapshotReport> Database::snapshot(std::string_view path, const SnapshotOptions& options) const {
  MARIGRAM_ASSIGN(const db::Surroundings target, db::surroundings_of(path));
  if (options.base.empty()) return db::make_snapshot(*impl_->core, *target.storage);
  MARIGRAM_ASSIGN(const db::Surroundings base, db::surroundings_of(options.base));
  return db::make_snapshot(*impl_->core, *target.storage, base.storage.get());
}

Result<SnapshotVerifyReport> Database::verify_snapshot(std::string_view path) {
  MARIGRAM_ASSIGN(const db::Surroundings source, db::surroundings_of(path));
  return db::verify_snapshot(*source.storage);
}

Result<RestoreReport> Database::restore(std::string_view from, std::string_view path, const RestoreOptions& options) {
  MARIGRAM_ASSIGN(const db::Surroundings source, db::surroundings_of(from));
  MARIGRAM_ASSIGN(const db::Surroundings target, db::surroundings_of(path));
  return db::restore_snapshot(*source.storage, target, options);
}

Status Database::clone_table(std::string_view name_space, std::string_view from, std::string_view to,
                             const OpenOptions& at) {
  return db::clone_table(*impl_->core, name_space, from, to, at);
}

Result<std::vector<JobInfo>> Database::jobs() const {
  db::Core& core = *impl_->core;
  if (core.options().read_only) return db::recorded_jobs(core.storage(), core.catalogue());
  MARIGRAM_TRY(core.check_writable());
  return core.jobs()->jobs();
}

Result<std::vector<JobInfo>> Database::run_jobs(std::optional<JobKind> kind, const CancelToken& cancel) {
  MARIGRAM_TRY(impl_->core->check_writable());
  return impl_->core->jobs()->run(kind, cancel);
}

Status Database::pause_jobs(std::optional<JobKind> kind) {
  MARIGRAM_TRY(impl_->core->check_writable());
  return impl_->core->jobs()->pause(kind, true);
}

Status Database::resume_jobs(std::optional<JobKind> kind) {
  MARIGRAM_TRY(impl_->core->check_writable());
  return impl_->core->jobs()->pause(kind, false);
}

DatabaseMetrics Database::metrics() const {
  db::Core& core = *impl_->core;
  const db::FlushFigures flushed = core.flush_figures();
  DatabaseMetrics metrics;
  metrics.uptime_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - impl_->opened).count();
  for (const table::LiveTable* table : impl_->core->catalogue().open_tables()) {
    ++metrics.tables;
    metrics.series_bytes += table->series().memory_bytes();
  }
  metrics.series = impl_->core->catalogue().series();
  metrics.points_inserted = core.points();
  metrics.points_per_second = core.points_per_second();
  metrics.memory_bytes = core.memory().used();
  metrics.query_seconds = impl_->queries.quantiles();
  if (core.log() != nullptr) {
    metrics.wal_bytes = core.log()->bytes();
    metrics.wal_syncs = core.log()->syncs();
  }
  metrics.flushes = flushed.flushes;
  metrics.flushed_points = flushed.points;
  metrics.flush_seconds = flushed.seconds;
  metrics.last_flush_error = flushed.last_error;
  std::tie(metrics.segment_bytes_written, metrics.segment_bytes_rewritten) = core.catalogue().segment_traffic();
  return metrics;
}

}  // namespace marigram
