#include "table/live_table.h"

#include "base/try.h"
#include "table/evolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <utility>

namespace marigram::table {
namespace {

head::EqualTimes equal_times(const log::TableState& state) {
  return state.duplicates == Duplicates::kLast ? head::EqualTimes::kLast : head::EqualTimes::kKeep;
}

/// Position of a series in its shard.
std::size_t place_of(head::SeriesId id) {
  return id / head::kShards;
}

std::vector<NumberedTag> numbered_tags(const LiveSchema& schema, const head::SeriesDictionary& series,
                                       head::SeriesId id) {
  std::vector<NumberedTag> tags;
  for (std::uint32_t i = 0; i < schema.tags.size(); ++i) {
    const auto number = series.find_tag(schema.tags[i].name);
    const std::string_view value = number ? series.value(id, *number) : std::string_view();
    if (!value.empty()) tags.push_back({.tag = i, .value = value});
  }
  return tags;
}

/// A series in the coverage of a version, whose tags may be fewer than those of `schema`; unset if it cannot be there.
std::optional<SeriesKey> key_in(const log::TableState& state, const LiveSchema& schema,
                                const head::SeriesDictionary& series, head::SeriesId id) {
  SeriesKey key = series_key(schema, series, id);
  while (key.size() > state.meta->index->tags.size()) {
    if (!format_tag_value(key.back()).empty()) return std::nullopt;
    key.pop_back();
  }
  return key;
}

/// Whether the segments of a version contain what lies before the mark.
bool has_mark(const log::TableState& state, const log::WalMark& mark) {
  return state.wal && state.wal->log == mark.log && mark.lsn <= state.wal->lsn;
}

TableDefinition describe_table(const TableName& name, const log::TableState& state, const LiveSchema& schema) {
  TableDefinition definition{.name_space = name.name_space,
                             .name = name.name,
                             .created_at = state.meta->created_at,
                             .tags = schema.tag_names(),
                             .fields = {}};
  for (const head::FieldSpec& field : *schema.fields) definition.fields.push_back(field.name);
  return definition;
}

}  // namespace

Result<std::unique_ptr<LiveTable>> LiveTable::open(TableName name, std::uint64_t number, Environment environment,
                                                   const Shared& shared) {
  MARIGRAM_ASSIGN(auto engine, Engine::open(std::move(environment), {}));
  if (shared.owner) MARIGRAM_TRY(engine->log().make_last());
  std::unique_ptr<LiveTable> table(new LiveTable(std::move(name), number, std::move(engine), shared));
  const StatePtr state = table->engine_->state();
  MARIGRAM_ASSIGN(table->schema_, make_live_schema(*state));
  table->time_column_ = table->schema_->time_column;
  if (state->duplicates == Duplicates::kReject) table->guard_.emplace(state->meta->index->kind);
  MARIGRAM_TRY(table->learn_series());
  return table;
}

LiveTable::LiveTable(TableName name, std::uint64_t number, std::unique_ptr<Engine> engine, const Shared& shared)
    : name_(std::move(name)),
      number_(number),
      engine_(std::move(engine)),
      equal_(equal_times(*engine_->state())),
      series_(std::make_shared<head::SeriesDictionary>(*shared.series)),
      head_(equal_, *shared.memory) {}

Status LiveTable::refresh() {
  const std::uint64_t before = engine_->state()->version;
  MARIGRAM_TRY(engine_->refresh());
  return engine_->state()->version == before ? Status() : learn_series();
}

/// The coverage names them.
Status LiveTable::learn_series() {
  MARIGRAM_ASSIGN(const auto columns, schema());
  for (const model::Column& tag : columns->tags) series_->add_tag(tag.name);
  MARIGRAM_ASSIGN(const CoveragePtr coverage, engine_->coverage(*engine_->state()));
  std::vector<Tags> group;  // many at once wait for memory together
  std::array<head::SeriesId, 256> ids{};
  const auto resolve = [&]() -> Status {
    const Status resolved = series_->resolve(group, std::span(ids).first(group.size()));
    group.clear();
    return resolved;
  };
  group.reserve(ids.size());
  for (const auto& [key, buckets] : *coverage) {
    group.push_back(tags_of(*columns, key));
    if (group.size() == ids.size()) MARIGRAM_TRY(resolve());
  }
  return resolve();
}

Result<std::shared_ptr<const LiveSchema>> LiveTable::schema() {
  const std::size_t columns = engine_->columns();
  {
    const std::shared_lock lock(schema_mutex_);
    if (schema_->columns >= columns) return schema_;
  }
  MARIGRAM_ASSIGN(auto newer, make_live_schema(*engine_->state()));
  const std::lock_guard lock(schema_mutex_);
  if (schema_->columns < newer->columns) schema_ = std::move(newer);
  return schema_;
}

Result<FittingRows> LiveTable::check(const model::TableRows& rows, bool widen) {
  MARIGRAM_ASSIGN(auto columns, schema());
  MARIGRAM_ASSIGN(MissingColumns missing, check_fit(*columns, rows, widen, name_.text()));
  MARIGRAM_ASSIGN(std::vector<std::int64_t> times, convert_times(*columns, rows, name_.text()));
  if (!missing.empty()) MARIGRAM_TRY(series_->check_room(rows.series));
  CoveredBuckets buckets;
  if (guard_) {
    MARIGRAM_ASSIGN(buckets, cover(rows));
  }
  return FittingRows{.rows = &rows,
                     .schema = std::move(columns),
                     .missing = std::move(missing),
                     .converted_times = std::move(times),
                     .buckets = std::move(buckets)};
}

Result<IncomingRows> LiveTable::admit(FittingRows fitting, bool widen) {
  if (!fitting.missing.empty()) {
    const std::shared_lock here(place_mutex_);
    MARIGRAM_TRY(check_here());
    const std::lock_guard changing(change_mutex_);
    MARIGRAM_ASSIGN(const auto columns, schema());
    MARIGRAM_ASSIGN(const MissingColumns still, check_fit(*columns, *fitting.rows, widen, name_.text()));
    if (!still.empty()) MARIGRAM_TRY(add_columns(still));
    MARIGRAM_ASSIGN(fitting.schema, schema());
  }
  MARIGRAM_ASSIGN(IncomingRows incoming, IncomingRows::make(std::move(fitting.schema), *series_, *fitting.rows,
                                                            std::move(fitting.converted_times)));
  if (!guard_) return incoming;
  CoveredBuckets numbered;
  for (auto& [position, buckets] : fitting.buckets) numbered.emplace(incoming.series()[position], std::move(buckets));
  incoming.note_buckets(std::move(numbered));
  return incoming;
}

Status LiveTable::add_columns(const MissingColumns& missing) {
  // Before others can see the tags in the table: they would name series by them.
  for (const std::string& tag : missing.tags) series_->add_tag(tag);
  MARIGRAM_TRY(evolve(*engine_, missing.tags, missing.fields));
  return {};
}

BucketGuard::Naming LiveTable::naming() const {
  return [this](head::SeriesId id) { return format_tags(series_->tags(id)); };
}

/// By position of the series. Those that the table does not know cover nothing of it yet.
Result<CoveredBuckets> LiveTable::cover(const model::TableRows& rows) {
  const auto naming = [&](std::uint32_t series) { return format_tags(rows.series[series]); };
  MARIGRAM_ASSIGN(CoveredBuckets added, guard_->cover(rows.times, rows.unit, rows.row_series, naming, name_.text()));
  CoveredBuckets known;
  for (const auto& [series, buckets] : added) {
    if (const auto id = series_->find(rows.series[series])) known.emplace(*id, buckets);
  }
  MARIGRAM_TRY(check_covered(known));
  return added;
}

Status LiveTable::cover(IncomingRows& rows) const {
  if (!guard_) return {};
  const head::ArrivingRows arriving = rows.arriving();
  MARIGRAM_ASSIGN(CoveredBuckets buckets,
                  guard_->cover(arriving.times, rows.schema()->unit, arriving.series, naming(), name_.text()));
  rows.note_buckets(std::move(buckets));
  return {};
}

Status LiveTable::check_here() const {
  if (!moved_) return {};
  return fail(ErrorCode::kNotFound, fmt::format("there is no table {} any more: it was dropped or renamed meanwhile; "
                                                "try again with the name that it has now",
                                                name_.text()));
}

Status LiveTable::check_arrival(const IncomingRows& rows) {
  MARIGRAM_TRY(check_here());
  return guard_ ? check_covered(rows.buckets()) : Status();
}

Status LiveTable::check_covered(const CoveredBuckets& added) {
  MARIGRAM_TRY(guard_->check_head(added, naming(), name_.text()));
  const StatePtr state = engine_->state();
  MARIGRAM_ASSIGN(const CoveragePtr stored, engine_->coverage(*state));
  MARIGRAM_ASSIGN(const auto columns, schema());  // has the tags of the state, and perhaps more
  for (const auto& [id, buckets] : added) {
    const auto key = key_in(*state, *columns, *series_, id);
    const auto there = key ? stored->find(*key) : stored->end();
    if (there == stored->end()) continue;
    MARIGRAM_TRY(guard_->check(buckets, there->second, format_tags(series_->tags(id)), name_.text()));
  }
  return {};
}

std::optional<wal::Lsn> LiveTable::older(const std::optional<wal::Lsn>& a, const std::optional<wal::Lsn>& b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// Whether rows of one of their shards have told that file of the log what the table is.
bool LiveTable::is_described(wal::Lsn file, const IncomingRows& rows) const {
  bool described = false;
  head::for_each_shard(rows.route().shards(), [&](std::size_t i) {
    described |= per_shard_[i].described == rows.schema() && per_shard_[i].described_in == file;
  });
  return described;
}

RecordSection LiveTable::definitions(wal::Lsn file, const IncomingRows& rows) const {
  RecordSection section{.table = number_};
  if (!is_described(file, rows)) section.definition = describe_table(name_, *engine_->state(), *rows.schema());
  std::vector<head::SeriesId> unknown;
  for (const head::SeriesId id : rows.series()) {
    const auto& defined = per_shard_[head::shard_of(id)].defined_in;
    if (place_of(id) >= defined.size() || defined[place_of(id)] != file + 1) unknown.push_back(id);
  }
  std::ranges::sort(unknown);
  unknown.erase(std::ranges::unique(unknown).begin(), unknown.end());
  for (const head::SeriesId id : unknown) {
    section.defined.push_back({.id = id, .tags = numbered_tags(*rows.schema(), *series_, id)});
  }
  return section;
}

/// The rows are about to be in the head; `lsn`: their place in the log.
void LiveTable::note_arrival(const IncomingRows& rows, wal::Lsn lsn) {
  head::for_each_shard(rows.route().shards(),
                       [&](std::size_t i) { per_shard_[i].oldest = older(per_shard_[i].oldest, lsn); });
}

void LiveTable::note_description(const IncomingRows& rows, wal::Lsn file) {
  head::for_each_shard(rows.route().shards(), [&](std::size_t i) {
    PerShard& shard = per_shard_[i];
    if (shard.described != rows.schema()) shard.described = rows.schema();
    shard.described_in = file;
  });
}

head::ShardSet LiveTable::arrive(const head::Head::Lock& lock, const IncomingRows& rows,
                                 const std::optional<wal::Placed>& placed) {
  if (guard_) guard_->add(rows.buckets());
  if (placed) {
    note_arrival(rows, *placed->lsn);
    note_description(rows, placed->file);
    for (const head::SeriesId id : rows.series()) {
      auto& defined = per_shard_[head::shard_of(id)].defined_in;
      if (defined.size() <= place_of(id)) defined.resize(place_of(id) + 1);
      defined[place_of(id)] = placed->file + 1;
    }
  }
  return head_.append(lock, rows.schema()->fields, rows.arriving(), rows.route());
}

head::ShardSet LiveTable::restore(IncomingRows& rows, wal::Lsn lsn) {
  [[maybe_unused]] const Status covered = cover(rows);  // they were taken once, so nothing can be said against them
  const head::Head::Lock locked = lock(rows.route().shards());
  note_arrival(rows, lsn);
  return arrive(locked, rows, std::nullopt);
}

bool LiveTable::contains(const log::WalMark& record) const {
  return has_mark(*engine_->state(), record);
}

Result<View> LiveTable::view(head::ShardSet shards) {
  View view;
  {
    const head::Head::Lock lock(head_, shards);
    const std::lock_guard viewing(view_mutex_);
    view.state = engine_->state();
    for (const Closed& closed : closed_) {
      if (!has_mark(*view.state, closed.mark)) view.heads.push_back(closed.rows);
    }
    view.heads.push_back(head_.view(lock));
  }
  MARIGRAM_ASSIGN(view.schema, schema());
  return view;
}

std::optional<wal::Lsn> LiveTable::oldest_lsn() {
  const head::Head::Lock lock(head_, head::kAllShards);
  const std::lock_guard viewing(view_mutex_);
  std::optional<wal::Lsn> oldest;
  for (const PerShard& shard : per_shard_) oldest = older(oldest, shard.oldest);
  for (const Closed& closed : closed_) oldest = older(oldest, closed.oldest);
  return oldest;
}

}  // namespace marigram::table
