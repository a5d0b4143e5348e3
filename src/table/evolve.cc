#include "table/evolve.h"

#include "base/hash.h"
#include "base/try.h"
#include "model/schema.h"
#include "table/coverage_files.h"
#include "table/definition.h"
#include "table/staging.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

namespace marigram::table {
namespace {

constexpr const char* kAddColumnsFeature = "schema_add_columns";

Result<std::string> find_segment(const log::TableState& state, const std::string& id) {
  if (state.segments.contains(id)) return id;
  for (const auto& [key, segment] : state.segments) {
    if (segment->path == id) return key;
  }
  return fail(ErrorCode::kNotFound,
              fmt::format("cannot remove segment {}: the table has no such segment at version {}", id, state.version));
}

Status add_column(model::Schema& schema, const ColumnInfo& info) {
  MARIGRAM_ASSIGN(model::Column column, model::from_info(info));
  if (!column.nullable) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot add column {}: it must be nullable, because earlier rows lack it", info.name));
  }
  if (schema.find(column.name) != nullptr) {
    return fail(ErrorCode::kAlreadyExists, fmt::format("cannot add column {}: the table has it already", info.name));
  }
  schema.columns.push_back(std::move(column));
  return {};
}

Result<model::TableMeta> with_columns(const log::TableState& state, std::span<const std::string> tags,
                                      std::span<const ColumnInfo> fields) {
  if (state.dialect() == Dialect::kV1) {
    return fail(ErrorCode::kInvalidInput, "cannot add columns: dialect v1 has no schema evolution; use dialect v7");
  }
  if (tags.empty() && fields.empty()) return fail(ErrorCode::kInvalidInput, "cannot add columns: none given");
  MARIGRAM_ASSIGN(model::Schema schema, require_schema(state));
  MARIGRAM_ASSIGN(model::IndexSpec index, require_index(state));
  if (!tags.empty() && !state.meta->grows()) {
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot add tag {}: the tags of this table are fixed; create a table that grows to add tags "
                    "later",
                    tags.front()));
  }
  for (const std::string& tag : tags) {
    MARIGRAM_TRY(add_column(schema, {.name = tag, .type = "string"}));
    index.tags.push_back(tag);
  }
  for (const ColumnInfo& field : fields) MARIGRAM_TRY(add_column(schema, field));
  MARIGRAM_TRY(model::validate_schema(schema));
  model::TableMeta meta = *state.meta;
  meta.schema = std::move(schema);
  meta.index = std::move(index);
  meta.reader_features.insert(kAddColumnsFeature);
  return meta;
}

std::string operation_of(const log::Commit& commit) {
  return commit.extension && !commit.extension->operation.empty() ? commit.extension->operation : "commit";
}

}  // namespace

Result<std::uint64_t> remove_segments(Engine& engine, std::span<const std::string> ids) {
  if (ids.empty()) return fail(ErrorCode::kInvalidInput, "cannot remove segments: none given");
  StagedFiles files(engine.store());
  const std::string attempt = random_uuid();
  std::string snapshot_path;
  CoveragePtr snapshot;
  const auto propose = [&](const log::TableState& now) -> Result<log::Proposal> {
    log::Proposal proposal;
    proposal.extension.operation = "remove_segments";
    log::TableState rest = now;
    for (const std::string& id : ids) {
      MARIGRAM_ASSIGN(std::string key, find_segment(rest, id));
      rest.segments.erase(key);
      proposal.actions.emplace_back(log::RemoveSegment{std::move(key)});
    }
    MARIGRAM_ASSIGN(coverage::CoverageMap left, union_of_sidecars(engine.store(), rest));
    if (!snapshot_path.empty() && now.dialect() == Dialect::kV7)
      files.remove(snapshot_path);  // of the attempt that lost
    const CoverageFile file = make_table_coverage(now, left, now.version + 1, attempt);
    snapshot_path = file.path;
    if (now.dialect() == Dialect::kV7) files.add(file.path);
    MARIGRAM_TRY(put_coverage_file(engine.store(), file));
    snapshot = std::make_shared<const coverage::CoverageMap>(std::move(left));
    proposal.actions.emplace_back(log::UpdateTableCoverage{now.meta->index->kind, file.path});
    return proposal;
  };
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(require_index(*engine.state()));
  if (auto committed = engine.commit(propose); !committed) {
    if (std::holds_alternative<UnknownOutcome>(committed.error().detail)) files.keep();
    return std::unexpected(std::move(committed).error());
  }
  files.keep();
  engine.remember_coverage(snapshot_path, std::move(snapshot));
  return engine.state()->version;
}

Result<std::uint64_t> evolve(Engine& engine, std::span<const std::string> tags, std::span<const ColumnInfo> fields) {
  const auto propose = [&](const log::TableState& now) -> Result<log::Proposal> {
    MARIGRAM_ASSIGN(model::TableMeta meta, with_columns(now, tags, fields));
    MARIGRAM_TRY(check_types(now.segment_format, *meta.schema, "cannot add columns"));
    log::Proposal proposal;
    proposal.extension.operation = tags.empty() ? "add_columns" : "add_tags";
    proposal.actions.emplace_back(log::UpdateTableMeta{std::move(meta)});
    return proposal;
  };
  MARIGRAM_TRY(engine.commit(propose));
  return engine.state()->version;
}

Result<std::uint64_t> add_columns(Engine& engine, std::span<const ColumnInfo> columns) {
  return evolve(engine, {}, columns);
}

Result<std::uint64_t> add_tags(Engine& engine, std::span<const std::string> names) {
  return evolve(engine, names, {});
}

Result<std::uint64_t> set_segments(Engine& engine, SegmentFormat format,
                                   const std::optional<std::string>& compression) {
  MARIGRAM_TRY(check_compression(format, compression.value_or(TableOptions{}.compression), "cannot choose segments"));
  const auto propose = [&](const log::TableState& now) -> Result<log::Proposal> {
    log::Proposal proposal{.actions = {},
                           .extension = {.operation = "set_segments", .segments = format, .compression = compression}};
    if (format == SegmentFormat::kParquet) return proposal;
    if (now.dialect() == Dialect::kV1) {
      return fail(ErrorCode::kInvalidInput, "cannot choose native segments: those of dialect v1 are Parquet");
    }
    model::TableMeta meta = *now.meta;
    if (meta.schema) MARIGRAM_TRY(check_types(format, *meta.schema, "cannot choose native segments"));
    meta.require(log::kNativeFeature);
    proposal.actions.emplace_back(log::UpdateTableMeta{std::move(meta)});
    return proposal;
  };
  MARIGRAM_TRY(engine.commit(propose));
  return engine.state()->version;
}

std::vector<SegmentInfo> list_segments(const log::TableState& state) {
  std::vector<SegmentInfo> infos;
  for (const auto& segment : log::ordered_segments(state)) {
    SegmentInfo info{.id = segment->key(state.dialect()),
                     .path = segment->path,
                     .format = segment->format,
                     .min = segment->min,
                     .max = segment->max,
                     .rows = segment->row_count,
                     .bytes = segment->file_size.value_or(0),
                     .series = {}};
    if (const auto* series = std::get_if<SeriesKey>(&segment->layout)) info.series = *series;
    infos.push_back(std::move(info));
  }
  return infos;
}

Result<std::vector<CommitInfo>> list_commits(const Engine& engine, std::uint64_t version) {
  std::vector<CommitInfo> infos;
  for (std::uint64_t number = 1; number <= version; ++number) {
    MARIGRAM_ASSIGN(const log::Commit commit, engine.log().read(number));
    CommitInfo info{
        .version = number, .timestamp = commit.timestamp, .operation = operation_of(commit), .transaction_id = {}};
    if (commit.extension) info.transaction_id = commit.extension->transaction_id;
    for (const log::Action& action : commit.actions) {
      if (const auto* add = std::get_if<log::AddSegment>(&action)) {
        ++info.added_segments;
        info.added_rows += add->segment.row_count;
      } else if (std::holds_alternative<log::RemoveSegment>(action)) {
        ++info.removed_segments;
      }
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

}  // namespace marigram::table
