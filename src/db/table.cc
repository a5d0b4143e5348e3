// The public Table: paths become stores, Arrow structs become readers, everything else is the engine's.
#include <marigram/table.h>

#include "base/hash.h"
#include "base/try.h"
#include "db/clone.h"
#include "db/default_environment.h"
#include "db/query.h"
#include "db/stream_export.h"
#include "io/local_store.h"
#include "io/posix_file_system.h"
#include "query/expiry.h"
#include "query/rollup_refresh.h"
#include "query/version_diff.h"
#include "segment/arrow_schema.h"
#include "table/append.h"
#include "table/coverage_report.h"
#include "table/definition.h"
#include "table/delete.h"
#include "table/engine.h"
#include "table/evolve.h"
#include "table/history.h"
#include "table/retention.h"
#include "table/rewrite.h"
#include "table/rollups.h"
#include "table/scan.h"
#include "table/tiers.h"
#include "table/vacuum.h"
#include "table/verify.h"

#include <arrow/c/bridge.h>
#include <arrow/record_batch.h>

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

namespace marigram {

struct Table::Impl {
  std::filesystem::path root;
  std::unique_ptr<table::Engine> engine;
};

namespace {

namespace fs = std::filesystem;

Error import_failure(const arrow::Status& status) {
  return segment::from_arrow_status(status, "cannot take over Arrow data", false);
}

fs::path root_of(std::string_view uri) {
  if (uri.starts_with("file:")) uri.remove_prefix(5);
  return fs::path(uri);
}

/// Puts a file that is to become a segment below data/, under its own name if that is free: files of many folders may
/// have the same name, and a copy may be left from an append that was killed.
Result<std::string> put_copy(io::ObjectStore& store, const std::string& name, std::string_view bytes) {
  const fs::path file(name);
  for (const std::string& key :
       {"data/" + name, fmt::format("data/{}-{}{}", file.stem().string(), random_uuid(), file.extension().string())}) {
    const auto put = store.put(key, bytes, io::PutCondition::if_absent());
    if (put) return key;
    if (put.error().code != ErrorCode::kAlreadyExists) return std::unexpected(put.error());
  }
  return fail(ErrorCode::kInternal, fmt::format("cannot copy {} to data/: a random name is taken", name));
}

}  // namespace

Table::Table(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<Table> Table::create(std::string_view uri, const TableOptions& options) {
  MARIGRAM_ASSIGN(table::Environment environment, db::environment_for(uri));
  MARIGRAM_ASSIGN(auto engine, table::Engine::create(std::move(environment), options));
  return Table(std::make_shared<Impl>(root_of(uri), std::move(engine)));
}

Result<Table> Table::open(std::string_view uri, const OpenOptions& options) {
  MARIGRAM_ASSIGN(table::Environment environment, db::environment_for(uri));
  MARIGRAM_ASSIGN(auto engine, table::Engine::open(std::move(environment), options));
  return Table(std::make_shared<Impl>(root_of(uri), std::move(engine)));
}

Result<VerifyReport> Table::verify(std::string_view uri, bool repair) {
  MARIGRAM_ASSIGN(const table::Environment environment, db::environment_for(uri));
  return table::verify(environment, repair);
}

TableInfo Table::info() const {
  return table::describe(*impl_->engine->state());
}

std::vector<SegmentInfo> Table::segments() const {
  return table::list_segments(*impl_->engine->state());
}

Result<std::vector<CommitInfo>> Table::log() const {
  return table::list_commits(*impl_->engine, impl_->engine->state()->version);
}

Status Table::refresh() {
  return impl_->engine->refresh();
}

Result<AppendResult> Table::append(ArrowArrayStream* rows) {
  MARIGRAM_ASSIGN(const std::shared_ptr<arrow::RecordBatchReader> reader, db::import_stream(rows));
  return table::append(*impl_->engine, *reader);
}

Result<AppendResult> Table::append(ArrowSchema* schema, ArrowArray* batch) {
  auto imported = arrow::ImportRecordBatch(batch, schema);
  if (!imported.ok()) return std::unexpected(import_failure(imported.status()));
  auto reader = arrow::RecordBatchReader::Make({*imported}, (*imported)->schema());
  if (!reader.ok()) return std::unexpected(import_failure(reader.status()));
  return table::append(*impl_->engine, **reader);
}

Result<AppendResult> Table::append_parquet(std::string_view path) {
  const fs::path file(path);
  table::Engine& engine = *impl_->engine;
  const auto folder = [&] { return file.has_parent_path() ? file.parent_path() : fs::path("."); };
  if (engine.state()->dialect() == Dialect::kV7) {
    MARIGRAM_ASSIGN(const auto source, io::make_local_store(folder()));
    return table::append_parquet(engine, *source, file.filename().string());
  }
  if (const auto key = io::key_below(impl_->root, file)) return table::adopt_parquet(engine, *key);
  MARIGRAM_ASSIGN(const auto source, io::make_local_store(folder()));
  MARIGRAM_ASSIGN(const io::ObjectContent content, source->read(file.filename().string()));
  MARIGRAM_ASSIGN(const std::string key, put_copy(engine.store(), file.filename().string(), content.bytes));
  auto appended = table::adopt_parquet(engine, key);
  if (appended || std::holds_alternative<UnknownOutcome>(appended.error().detail)) return appended;
  (void)engine.store().remove(key);
  // The copy is gone; what was wrong with it is wrong with the original.
  std::string& message = appended.error().message;
  if (const std::size_t at = message.find(key); at != std::string::npos) message.replace(at, key.size(), path);
  return appended;
}

Status Table::scan(const ScanRequest& request, ArrowArrayStream* out) const {
  MARIGRAM_ASSIGN(table::ScanStream stream, table::scan(*impl_->engine, request));
  db::export_stream(std::move(stream), impl_, out);
  return {};
}

Status Table::asof(ArrowArrayStream* probes, const AsofRequest& request, ArrowArrayStream* out) const {
  MARIGRAM_ASSIGN(const std::shared_ptr<arrow::RecordBatchReader> reader, db::import_stream(probes));
  const query::Snapshot snapshot{*impl_->engine, impl_->engine->state()};
  MARIGRAM_ASSIGN(table::ScanStream rows, db::run_asof(snapshot, *reader, request));
  db::export_stream(std::move(rows), nullptr, out);
  return {};
}

Status Table::window_join(ArrowArrayStream* probes, const WindowJoinRequest& request, ArrowArrayStream* out) const {
  MARIGRAM_ASSIGN(const std::shared_ptr<arrow::RecordBatchReader> reader, db::import_stream(probes));
  MARIGRAM_ASSIGN(table::ScanStream rows,
                  db::run_window_join({*impl_->engine, impl_->engine->state()}, *reader, request));
  db::export_stream(std::move(rows), nullptr, out);
  return {};
}

Status Table::aggregate(const AggregateRequest& request, ArrowArrayStream* out) const {
  MARIGRAM_ASSIGN(table::ScanStream rows, db::run_aggregate({*impl_->engine, impl_->engine->state()}, request));
  db::export_stream(std::move(rows), impl_, out);
  return {};
}

Status Table::latest(const LatestRequest& request, ArrowArrayStream* out) const {
  MARIGRAM_ASSIGN(table::ScanStream rows, db::run_latest({*impl_->engine, impl_->engine->state()}, request));
  db::export_stream(std::move(rows), nullptr, out);
  return {};
}

Status Table::downsample(const DownsampleRequest& request, ArrowArrayStream* out) const {
  MARIGRAM_ASSIGN(table::ScanStream rows, db::run_downsample({*impl_->engine, impl_->engine->state()}, request));
  db::export_stream(std::move(rows), impl_, out);
  return {};
}

Result<CoverageReport> Table::coverage(const CoverageRequest& request) const {
  return table::report_coverage(*impl_->engine, *impl_->engine->state(), request);
}

Result<std::vector<CoverageReport>> Table::coverage_by_series(const CoverageRequest& request) const {
  return table::report_coverage_by_series(*impl_->engine, *impl_->engine->state(), request);
}

Result<std::optional<BucketRange>> Table::last_covered_window(std::uint64_t length, std::optional<IndexValue> before,
                                                              const std::vector<TagPredicate>& where) const {
  return table::find_last_covered_window(*impl_->engine, *impl_->engine->state(), length, before, where);
}

Result<std::uint64_t> Table::remove_rows(const RowSelection& rows, bool dry_run) {
  return table::remove_rows(*impl_->engine, rows, dry_run);
}

Result<std::uint64_t> Table::truncate() {
  return table::truncate(*impl_->engine);
}

Result<std::uint64_t> Table::remove_segments(std::span<const std::string> ids) {
  return table::remove_segments(*impl_->engine, ids);
}

Result<std::uint64_t> Table::add_columns(std::span<const ColumnInfo> columns) {
  return table::add_columns(*impl_->engine, columns);
}

Result<std::uint64_t> Table::add_tags(std::span<const std::string> names) {
  return table::add_tags(*impl_->engine, names);
}

Result<std::uint64_t> Table::set_segments(SegmentFormat format, const std::optional<std::string>& compression) {
  return table::set_segments(*impl_->engine, format, compression);
}

Result<CompactReport> Table::compact(const CompactOptions& options) {
  return table::compact(*impl_->engine, options);
}

Result<std::uint64_t> Table::set_tiers(const TierOptions& options) {
  return table::set_tiers(*impl_->engine, options);
}

TierOptions Table::tiers() const {
  return table::tier_options(*impl_->engine->state());
}

std::vector<TierUsage> Table::tier_usage() const {
  return table::tier_usage(*impl_->engine->state());
}

Result<TierReport> Table::move_cold(bool dry_run, const CancelToken& cancel) {
  return table::move_cold(*impl_->engine, dry_run, cancel);
}

Result<std::uint64_t> Table::set_rollups(const RollupOptions& options) {
  MARIGRAM_ASSIGN(const model::RollupSpec spec, table::rollup_spec(options));
  return table::set_rollups(*impl_->engine, spec);
}

RollupOptions Table::rollup_options() const {
  return table::rollup_options(*impl_->engine->state());
}

Result<std::vector<RollupInfo>> Table::rollups() const {
  return table::list_rollups(*impl_->engine);
}

Result<RefreshReport> Table::refresh_rollups(const CancelToken& cancel) {
  return query::refresh_rollups(*impl_->engine, {.cancel = cancel});
}

Result<std::uint64_t> Table::set_retention(const std::vector<RetentionRule>& rules) {
  return table::set_retention(*impl_->engine, rules);
}

std::vector<RetentionInfo> Table::retention() const {
  return table::list_retention(*impl_->engine->state());
}

Result<ExpiryReport> Table::expire(const CancelToken& cancel) {
  return query::expire(*impl_->engine, cancel);
}

Result<ExpiryReport> Table::preview_expiry(const std::optional<std::vector<RetentionRule>>& rules) const {
  table::Engine& engine = *impl_->engine;
  const table::StatePtr state = engine.state();
  if (!rules) return query::preview_expiry(engine, state->retention);
  MARIGRAM_ASSIGN(const model::Retention wanted,
                  table::retention_by(*state, *rules, engine.environment().clock->now()));
  return query::preview_expiry(engine, wanted);
}

Status Table::diff(const DiffRequest& request, ArrowArrayStream* out) const {
  MARIGRAM_ASSIGN(table::ScanStream rows, query::version_diff(*impl_->engine, request));
  db::export_stream(std::move(rows), impl_, out);
  return {};
}

Result<std::uint64_t> Table::restore_version(std::uint64_t version) {
  return table::restore_version(*impl_->engine, version);
}

Result<std::uint64_t> Table::name_version(std::string_view name, std::uint64_t version) {
  return table::name_version(*impl_->engine, name, version);
}

Result<std::uint64_t> Table::forget_version_name(std::string_view name) {
  return table::forget_version_name(*impl_->engine, name);
}

std::map<std::string, std::uint64_t> Table::version_names() const {
  return impl_->engine->state()->version_names;
}

Result<Table> Table::clone(std::string_view uri) const {
  MARIGRAM_TRY(db::environment_for(uri));  // which checks it
  MARIGRAM_ASSIGN(const fs::path root, io::absolute_path(root_of(uri)));
  MARIGRAM_TRY(db::clone_table(*impl_->engine, root.has_filename() ? root : root.parent_path()));
  return open(uri);
}

Status Table::checkpoint() {
  MARIGRAM_TRY(impl_->engine->check_writable());
  MARIGRAM_TRY(impl_->engine->refresh());
  return impl_->engine->log().write_checkpoint(*impl_->engine->state());
}

Result<VacuumReport> Table::vacuum(std::int64_t older_than_seconds, bool dry_run, const History& history) {
  return table::vacuum(*impl_->engine, older_than_seconds, dry_run, history);
}

}  // namespace marigram
