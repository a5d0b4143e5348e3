// Appends of Parquet files: their rows copied into segments (v7), or the file itself as a segment (v1).
#include "base/hash.h"
#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/coverage_builder.h"
#include "segment/parquet_reader.h"
#include "segment/parquet_rows.h"
#include "table/alignment.h"
#include "table/append.h"
#include "table/append_commit.h"
#include "table/append_rules.h"
#include "table/staging.h"

#include <arrow/api.h>

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace marigram::table {
namespace {

/// A dry run over a file: every row must be readable, fit and be new, before anything is written.
Status check_file(Engine& engine, const log::TableState& state, io::ObjectStore& source, const std::string& key) {
  MARIGRAM_ASSIGN(const auto rows, segment::open_parquet_rows(source, key, {}));
  MARIGRAM_ASSIGN(const Alignment alignment, Alignment::make(*rows->schema(), state));
  segment::CoverageBuilder builder(state.dialect(), *state.meta->index, duplicates_of(state), key);
  MARIGRAM_TRY(for_each_batch(*rows, "cannot append " + key, true, [&](const arrow::RecordBatch& batch) -> Status {
    MARIGRAM_ASSIGN(const auto aligned, alignment.align(batch));
    return builder.add(*aligned);
  }));
  const segment::RowSummary summary = builder.finish();
  if (summary.rows == 0) return no_rows(key);
  MARIGRAM_ASSIGN(const CoveragePtr covered, engine.coverage(state));
  return check_overlap(state, *covered, summary.coverage, "covered by the table already");
}

Result<AppendResult> append_file(Engine& engine, io::ObjectStore& source, const std::string& key) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(engine.refresh());
  MARIGRAM_TRY(check_file(engine, *engine.state(), source, key));
  MARIGRAM_ASSIGN(const auto rows, segment::open_parquet_rows(source, key, {}));
  return append(engine, *rows);
}

/// A v1 table knows Parquet's types alone: what the file's writer meant (`meant`) must be among them, or fit into them.
Status check_meaning(const model::Schema& meant, const model::Schema& known, const std::string& key) {
  for (const model::Column& column : known.columns) {
    const model::Column* same = meant.find(column.name);
    if (same == nullptr || model::same_values(same->type, column.type) || model::can_widen(same->type, column.type)) {
      continue;
    }
    return fail(
        ErrorCode::kSchemaMismatch,
        fmt::format("cannot append {}: column {} has type {}, which a v1 table would take for {}; convert it first, or "
                    "use dialect v7",
                    key, column.name, model::format_type(same->type), model::format_type(column.type)));
  }
  return {};
}

/// Whether scans, which read the file in their own way, will get through it too.
Status check_scan(const segment::ParquetReader& reader, const model::IndexSpec& index, const model::Schema& schema) {
  segment::ReadRequest everything;
  for (const model::Column& column : schema.columns) everything.columns.push_back(column.name);
  MARIGRAM_ASSIGN(const auto rows, reader.read(schema, index, everything));
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, rows->next());
    if (!batch) return {};
  }
}

/// `superseded`: another writer gave the table its schema, so that the file must be looked at anew.
Result<AppendResult> adopt_in_newest(Engine& engine, const std::string& key, bool& superseded) {
  MARIGRAM_TRY(engine.refresh());
  const StatePtr state = engine.state();
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(*state));
  MARIGRAM_ASSIGN(const auto reader, segment::ParquetReader::open(engine.store(), key));
  const model::Schema& file = reader->schema(state->dialect());
  MARIGRAM_TRY(check_meaning(reader->schema(Dialect::kV7), file, key));
  const auto arrow_schema = segment::to_arrow(file);
  if (!arrow_schema) return fail(ErrorCode::kSchemaMismatch, "cannot append rows: " + arrow_schema.error().message);
  MARIGRAM_ASSIGN(const Alignment alignment, Alignment::make(**arrow_schema, *state));
  MARIGRAM_TRY(check_same_columns(file, alignment.schema(), key));
  // All columns are read, though only those of the index matter here: a file that cannot be read stays out.
  MARIGRAM_ASSIGN(const auto rows, segment::open_parquet_rows(engine.store(), key, {}));
  segment::CoverageBuilder builder(state->dialect(), index, duplicates_of(*state), key);
  MARIGRAM_TRY(for_each_batch(*rows, "cannot append " + key, true,
                              [&](const arrow::RecordBatch& batch) { return builder.add(batch); }));
  MARIGRAM_TRY(check_scan(*reader, index, alignment.schema()));
  const segment::RowSummary summary = builder.finish();
  if (summary.rows == 0) return no_rows(key);
  if (!summary.min) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot append {}: every value of {} is null", key, index.column));
  }
  MARIGRAM_ASSIGN(auto series, single_series(*state, summary.layout));
  Staged staged{.segments = {}, .coverage = summary.coverage, .rows = summary.rows, .series = std::move(series)};
  MARIGRAM_ASSIGN(const CoveragePtr covered, engine.coverage(*state));
  MARIGRAM_TRY(check_overlap(*state, *covered, staged.coverage, "covered by the table already"));
  StagedFiles files(engine.store());
  const std::string attempt = random_uuid();
  MARIGRAM_ASSIGN(model::SegmentMeta segment, stage_file(engine.store(), *state, key, summary));
  MARIGRAM_ASSIGN(segment.coverage_path, stage_coverage(engine.store(), *state, summary.coverage, attempt, files));
  staged.segments.push_back(std::move(segment));
  auto result = commit_append(engine, alignment, std::move(staged), {}, attempt, files);
  superseded = lost_schema_race(result, alignment);
  return result;
}

Result<AppendResult> adopt_file(Engine& engine, const std::string& key) {
  MARIGRAM_TRY(engine.check_writable());
  bool superseded = false;
  auto result = adopt_in_newest(engine, key, superseded);
  return superseded ? adopt_in_newest(engine, key, superseded) : result;
}

/// What is wrong with rows, said of the file that they came from.
Result<AppendResult> of_file(Result<AppendResult> appended, const std::string& key) {
  constexpr std::string_view kRows = "cannot append rows";
  if (appended || appended.error().message.contains(key)) return appended;
  std::string& message = appended.error().message;
  if (message.starts_with(kRows)) {
    message.replace(0, kRows.size(), "cannot append " + key);
  } else {
    message.insert(0, "cannot append " + key + ": ");
  }
  return appended;
}

}  // namespace

Result<AppendResult> append_parquet(Engine& engine, io::ObjectStore& source, const std::string& key) {
  return of_file(append_file(engine, source, key), key);
}

Result<AppendResult> adopt_parquet(Engine& engine, const std::string& key) {
  return of_file(adopt_file(engine, key), key);
}

}  // namespace marigram::table
