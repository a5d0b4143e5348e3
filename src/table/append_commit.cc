#include "table/append_commit.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "table/coverage_files.h"

#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <utility>
#include <variant>

namespace marigram::table {
namespace {

/// The table may have changed since the rows were aligned: another writer adopted a schema or added columns.
Status check_schema_still_fits(const log::TableState& now, const Alignment& alignment) {
  if (!now.meta->schema || *now.meta->schema == alignment.schema()) return {};
  if (alignment.adopts()) {  // the caller writes the rows anew: readers want segments in exactly the table's columns
    return fail(ErrorCode::kSchemaMismatch,
                "cannot append rows: another writer gave the table another schema meanwhile; append again");
  }
  for (const model::Column& column : alignment.schema().columns) {
    const model::Column* current = now.meta->schema->find(column.name);
    if (current == nullptr || *current != column) {
      return fail(
          ErrorCode::kSchemaMismatch,
          fmt::format("cannot append rows: another writer gave the table its schema meanwhile, in which column {} "
                      "differs; append again",
                      column.name));
    }
  }
  for (const model::Column& column : now.meta->schema->columns) {
    if (!column.nullable && alignment.schema().find(column.name) == nullptr) {
      return fail(
          ErrorCode::kSchemaMismatch,
          fmt::format("cannot append rows: another writer gave the table its schema meanwhile, in which column {} "
                      "must not be null; append again",
                      column.name));
    }
  }
  return {};
}

/// The metadata that the first append adds: its schema and, in v1, its series. Unset when the table has them.
std::optional<model::TableMeta> new_meta(const log::TableState& now, const Alignment& alignment, const Staged& staged) {
  model::TableMeta meta = *now.meta;
  if (!meta.schema) meta.schema = alignment.schema();
  if (meta.dialect == Dialect::kV1 && !meta.index->tags.empty() && !meta.pinned_series) {
    meta.pinned_series = staged.series;
  }
  if (meta == *now.meta) return std::nullopt;
  return meta;
}

std::vector<log::Action> append_actions(const log::TableState& now, const Alignment& alignment, const Staged& staged,
                                        const std::string& coverage_path) {
  std::vector<log::Action> actions;
  if (auto meta = new_meta(now, alignment, staged)) actions.push_back(log::UpdateTableMeta{std::move(*meta)});
  for (const model::SegmentMeta& segment : staged.segments) actions.push_back(log::AddSegment{segment});
  actions.push_back(log::UpdateTableCoverage{now.meta->index->kind, coverage_path});
  return actions;
}

/// Tags may have come to the table since the rows were staged.
void fill_absent_tags(const log::TableState& now, Staged& staged) {
  if (!now.meta->grows()) return;
  const std::size_t tags = now.meta->index->tags.size();
  coverage::fill_absent_tags(staged.coverage, tags);
  for (model::SegmentMeta& segment : staged.segments) model::fill_absent_tags(segment.layout, tags);
}

}  // namespace

Status check_overlap(const log::TableState& state, const coverage::CoverageMap& covered,
                     const coverage::CoverageMap& added, const std::string& where) {
  if (state.duplicates != Duplicates::kReject) return {};
  const auto overlap = coverage::find_overlap(covered, added);
  if (!overlap) return {};
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  const coverage::BucketGrid grid(state.dialect(), index.kind);
  OverlapInfo info;
  info.buckets = overlap->buckets;
  if (!overlap->series.empty()) info.series = format_series(index.tags, overlap->series);
  info.example = fmt::format("[{}, {})", format_index_value(grid.start_of(overlap->id)),
                             format_index_value(grid.end_of(overlap->id)));
  std::string message = fmt::format("cannot append rows: {} bucket{} {}; for example {}{}", info.buckets,
                                    info.buckets == 1 ? " is" : "s are", where,
                                    info.series.empty() ? std::string() : info.series + " ", info.example);
  return std::unexpected(Error{ErrorCode::kOverlap, std::move(message), std::move(info)});
}

Status check_pinned_series(const log::TableState& state, const SeriesKey& series) {
  if (!state.meta->pinned_series || *state.meta->pinned_series == series) return {};
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  return fail(
      ErrorCode::kInvalidInput,
      fmt::format("cannot append rows: a v1 table holds one series, this one {}; got {}; use dialect v7 for many",
                  format_series(index.tags, *state.meta->pinned_series), format_series(index.tags, series)));
}

Result<AppendResult> commit_append(Engine& engine, const Alignment& alignment, Staged staged,
                                   const AppendExtras& extras, const std::string& attempt, StagedFiles& files) {
  std::string snapshot_path;
  CoveragePtr snapshot;
  const auto propose = [&](const log::TableState& now) -> Result<log::Proposal> {
    MARIGRAM_TRY(check_schema_still_fits(now, alignment));
    fill_absent_tags(now, staged);
    if (staged.series) MARIGRAM_TRY(check_pinned_series(now, *staged.series));
    MARIGRAM_ASSIGN(const CoveragePtr covered, engine.coverage(now));
    MARIGRAM_TRY(check_overlap(now, *covered, staged.coverage, "covered by the table already"));
    auto next = std::make_shared<coverage::CoverageMap>(*covered);
    coverage::unite(*next, staged.coverage);
    if (!snapshot_path.empty() && now.dialect() == Dialect::kV7)
      files.remove(snapshot_path);  // of the attempt that lost
    const CoverageFile file = make_table_coverage(now, *next, now.version + 1, attempt);
    snapshot_path = file.path;
    if (now.dialect() == Dialect::kV7) files.add(snapshot_path);
    MARIGRAM_TRY(put_coverage_file(engine.store(), file));
    snapshot = std::move(next);
    log::Proposal proposal{append_actions(now, alignment, staged, snapshot_path), {}};
    proposal.extension.operation = "append";
    proposal.extension.wal = extras.wal;
    return proposal;
  };
  const Status committed = engine.commit(propose);
  files.keep_after(committed);
  MARIGRAM_TRY(committed);
  engine.remember_coverage(snapshot_path, std::move(snapshot));
  for (const model::SegmentMeta& segment : staged.segments) {
    engine.traffic().written += segment.file_size.value_or(0);
  }
  return AppendResult{.version = engine.state()->version, .rows = staged.rows, .segments = staged.segments.size()};
}

}  // namespace marigram::table
