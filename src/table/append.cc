#include "table/append.h"

#include "base/hash.h"
#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/coverage_builder.h"
#include "segment/parquet_rows.h"
#include "segment/reader.h"
#include "table/alignment.h"
#include "table/append_commit.h"
#include "table/definition.h"
#include "table/row_order.h"
#include "table/staging.h"

#include <arrow/api.h>

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <numeric>
#include <utility>

namespace marigram::table {
namespace {

constexpr std::int64_t kRowsBuffered = 4 << 20;  // held, checked and sorted at a time
constexpr const char* kCoveredTwice = "covered twice by the append itself";
constexpr std::int64_t kSegmentRowsMax = 1 << 20;  // a larger partition becomes several segments

/// The partition width in units of the index column, a multiple of the bucket so that no two segments of one append
/// share a bucket. Unset for integer indexes: one partition.
Result<PartitionWidth> partition_width(const log::TableState& state, const model::Schema& schema) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  const auto* time = std::get_if<model::TimestampIndex>(&index.kind);
  if (time == nullptr) return std::nullopt;
  MARIGRAM_ASSIGN(std::int64_t seconds, partition_seconds(state));
  const std::int64_t bucket = time->bucket.seconds();
  seconds = (seconds + bucket - 1) / bucket * bucket;
  const TimeUnit unit = schema.find(index.column)->type.unit;
  std::int64_t width = 0;
  if (__builtin_mul_overflow(seconds, units_per_second(unit), &width)) return std::nullopt;
  return static_cast<std::uint64_t>(width);
}

std::unexpected<Error> no_rows(const std::string& what) {
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot append {}: it holds no rows", what));
}

segment::CoverageBuilder::Duplicates duplicates_of(Dialect dialect) {
  return dialect == Dialect::kV7 ? segment::CoverageBuilder::Duplicates::kReject
                                 : segment::CoverageBuilder::Duplicates::kAllow;
}

std::unexpected<Error> several_series() {
  return fail(ErrorCode::kInvalidInput,
              "cannot append rows: a v1 table holds one series, and these rows belong to several; use dialect v7");
}

/// v1: the one series of all rows.
Result<std::optional<SeriesKey>> single_series(const log::TableState& state, const model::SegmentLayout& layout) {
  if (state.dialect() != Dialect::kV1 || state.meta->index->tags.empty()) return std::nullopt;
  if (const auto* series = std::get_if<SeriesKey>(&layout)) {
    MARIGRAM_TRY(check_pinned_series(state, *series));
    return *series;
  }
  return several_series();
}

/// Collects rows, and turns them into staged segments whenever enough are there.
class Appender {
 public:
  Appender(Engine& engine, StatePtr state, const Alignment& alignment, StagedFiles& files, std::string attempt)
      : engine_(engine), state_(std::move(state)), alignment_(alignment), files_(files), attempt_(std::move(attempt)) {}

  Status add(const arrow::RecordBatch& batch) {
    if (batch.num_rows() == 0) return {};
    MARIGRAM_ASSIGN(auto aligned, alignment_.align(batch));
    rows_buffered_ += aligned->num_rows();
    buffered_.push_back(std::move(aligned));
    // A v1 bucket may hold rows of many batches and must end up in one segment, so v1 rows wait for the end.
    if (rows_buffered_ < kRowsBuffered || state_->dialect() == Dialect::kV1) return {};
    return flush();
  }

  Result<Staged> finish() {
    MARIGRAM_TRY(flush());
    if (staged_.rows == 0) return no_rows("this stream");
    return std::move(staged_);
  }

 private:
  struct Piece {
    SegmentRows rows;
    segment::RowSummary summary;
  };

  Status flush() {
    if (buffered_.empty()) return {};
    MARIGRAM_ASSIGN(const PartitionWidth width, partition_width(*state_, alignment_.schema()));
    MARIGRAM_ASSIGN(const OrderedRows rows,
                    OrderedRows::make(std::exchange(buffered_, {}), *state_->meta->index, width));
    rows_buffered_ = 0;
    std::vector<Piece> pieces;
    coverage::CoverageMap added;
    std::int64_t offset = 0;
    for (const std::int64_t partition : rows.partitions()) {
      const std::int64_t most = state_->dialect() == Dialect::kV1 ? partition : kSegmentRowsMax;
      for (const std::int64_t end = offset + partition; offset < end;) {
        const SegmentRows part{offset, std::min(most, end - offset)};
        MARIGRAM_ASSIGN(Piece piece, check(rows, part, added));
        pieces.push_back(std::move(piece));
        offset += part.count;
      }
    }
    MARIGRAM_ASSIGN(const CoveragePtr covered, engine_.coverage(*state_));
    MARIGRAM_TRY(check_overlap(*state_, *covered, added, "covered by the table already"));
    MARIGRAM_TRY(check_overlap(*state_, staged_.coverage, added, kCoveredTwice));
    coverage::unite(staged_.coverage, added);
    return write(rows, std::move(pieces));
  }

  /// What can be wrong with the rows of a segment in themselves, and against those before it (`added`).
  Result<Piece> check(const OrderedRows& rows, SegmentRows part, coverage::CoverageMap& added) {
    segment::CoverageBuilder builder(state_->dialect(), *state_->meta->index, duplicates_of(state_->dialect()),
                                     "the append");
    MARIGRAM_ASSIGN(const auto keys, rows.keys(part.offset, part.count));
    MARIGRAM_TRY(builder.add(*keys));
    Piece piece{part, builder.finish()};
    MARIGRAM_ASSIGN(const auto series, single_series(*state_, piece.summary.layout));
    if (staged_.series && staged_.series != series) return several_series();
    staged_.series = series;
    MARIGRAM_TRY(check_overlap(*state_, added, piece.summary.coverage, kCoveredTwice));
    coverage::unite(added, piece.summary.coverage);
    staged_.rows += piece.summary.rows;
    return piece;
  }

  /// One task a segment. All are waited for, also after an error: they refer to this object.
  Status write(const OrderedRows& rows, std::vector<Piece> pieces) {
    std::vector<std::future<Result<StagedSegment>>> tasks;
    tasks.reserve(pieces.size());
    for (Piece& piece : pieces) {
      tasks.push_back(engine_.environment().pool->submit([this, &rows, &piece] {
        return stage_rows(engine_.store(), *state_, alignment_.schema(), rows, piece.rows, std::move(piece.summary),
                          attempt_, files_);
      }));
    }
    Status status;
    for (auto& task : tasks) {
      Result<StagedSegment> staged = task.get();
      if (staged) {
        staged_.segments.push_back(std::move(*staged));
      } else if (status) {
        status = std::unexpected(std::move(staged).error());
      }
    }
    return status;
  }

  Engine& engine_;
  StatePtr state_;
  const Alignment& alignment_;
  StagedFiles& files_;
  std::string attempt_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> buffered_;
  std::int64_t rows_buffered_ = 0;
  Staged staged_;
};

template <typename Sink>
Status for_each_batch(arrow::RecordBatchReader& rows, const std::string& doing, bool reading, Sink sink) {
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (const auto status = rows.ReadNext(&batch); !status.ok()) {
      return std::unexpected(segment::from_arrow_status(status, doing, reading));
    }
    if (!batch) return {};
    MARIGRAM_TRY(sink(*batch));
  }
}

/// A dry run over a file: every row must be readable, fit and be new, before anything is written.
Status check_file(Engine& engine, const log::TableState& state, io::ObjectStore& source, const std::string& key) {
  MARIGRAM_ASSIGN(const auto rows, segment::open_parquet_rows(source, key, {}));
  MARIGRAM_ASSIGN(const Alignment alignment, Alignment::make(*rows->schema(), state));
  segment::CoverageBuilder builder(state.dialect(), *state.meta->index, duplicates_of(state.dialect()), key);
  MARIGRAM_TRY(for_each_batch(*rows, "cannot append " + key, true, [&](const arrow::RecordBatch& batch) -> Status {
    MARIGRAM_ASSIGN(const auto aligned, alignment.align(batch));
    return builder.add(*aligned);
  }));
  const segment::RowSummary summary = builder.finish();
  if (summary.rows == 0) return no_rows(key);
  MARIGRAM_ASSIGN(const CoveragePtr covered, engine.coverage(state));
  return check_overlap(state, *covered, summary.coverage, "covered by the table already");
}

/// Whether an append into a table without a schema failed because another writer gave it one meanwhile. Once only: a
/// table keeps its schema.
bool lost_schema_race(const Result<AppendResult>& result, const Alignment& alignment) {
  return !result && result.error().code == ErrorCode::kSchemaMismatch && alignment.adopts();
}

/// `superseded`: the segments whose rows are to be appended anew, because another writer gave the table its schema.
Result<AppendResult> append_to_newest(Engine& engine, arrow::RecordBatchReader& rows, StagedFiles& files,
                                      std::vector<std::string>& superseded) {
  MARIGRAM_TRY(engine.refresh());
  const StatePtr state = engine.state();
  MARIGRAM_ASSIGN(const Alignment alignment, Alignment::make(*rows.schema(), *state));
  const std::string attempt = random_uuid();
  Appender appender(engine, state, alignment, files, attempt);
  MARIGRAM_TRY(for_each_batch(rows, "cannot append rows", false,
                              [&](const arrow::RecordBatch& batch) { return appender.add(batch); }));
  MARIGRAM_ASSIGN(Staged staged, appender.finish());
  std::vector<std::string> keys;
  keys.reserve(staged.segments.size());
  for (const StagedSegment& segment : staged.segments) keys.push_back(segment.meta.path);
  auto result = commit_append(engine, alignment, std::move(staged), attempt, files);
  if (lost_schema_race(result, alignment)) superseded = std::move(keys);
  return result;
}

/// The rows of files of one schema, one file after another.
Result<std::shared_ptr<arrow::RecordBatchReader>> rows_of(io::ObjectStore& store,
                                                          const std::vector<std::string>& keys) {
  std::vector<std::shared_ptr<arrow::RecordBatchReader>> readers;
  for (const std::string& key : keys) {
    MARIGRAM_ASSIGN(auto reader, segment::open_parquet_rows(store, key, {}));
    readers.push_back(std::move(reader));
  }
  auto schema = readers.front()->schema();
  auto next = [readers = std::move(readers),
               at = std::size_t{0}]() mutable -> arrow::Result<std::shared_ptr<arrow::RecordBatch>> {
    for (; at < readers.size(); ++at) {
      ARROW_ASSIGN_OR_RAISE(auto batch, readers[at]->Next());
      if (batch) return batch;
    }
    return nullptr;
  };
  auto whole = arrow::RecordBatchReader::MakeFromIterator(arrow::MakeFunctionIterator(std::move(next)), schema);
  if (!whole.ok()) return std::unexpected(segment::from_arrow_status(whole.status(), "cannot append rows", true));
  return *std::move(whole);
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

/// `superseded`: another writer gave the table its schema, so that the file must be looked at anew.
Result<AppendResult> adopt_in_newest(Engine& engine, const std::string& key, bool& superseded) {
  MARIGRAM_TRY(engine.refresh());
  const StatePtr state = engine.state();
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(*state));
  std::vector<std::string> columns(index.tags);
  columns.push_back(index.column);
  MARIGRAM_ASSIGN(const auto reader, segment::SegmentReader::open(engine.store(), key));
  const model::Schema& file = reader->schema(state->dialect());
  MARIGRAM_TRY(check_meaning(reader->schema(Dialect::kV7), file, key));
  MARIGRAM_ASSIGN(const auto arrow_schema, segment::to_arrow(file));
  MARIGRAM_ASSIGN(const Alignment alignment, Alignment::make(*arrow_schema, *state));
  MARIGRAM_TRY(check_same_columns(file, alignment.schema(), key));
  MARIGRAM_ASSIGN(const auto rows, segment::open_parquet_rows(engine.store(), key, columns));
  segment::CoverageBuilder builder(state->dialect(), index, duplicates_of(state->dialect()), key);
  MARIGRAM_TRY(for_each_batch(*rows, "cannot append " + key, true,
                              [&](const arrow::RecordBatch& batch) { return builder.add(batch); }));
  segment::RowSummary summary = builder.finish();
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
  MARIGRAM_ASSIGN(StagedSegment segment, stage_file(engine.store(), *state, key, std::move(summary), attempt, files));
  staged.segments.push_back(std::move(segment));
  auto result = commit_append(engine, alignment, std::move(staged), attempt, files);
  superseded = lost_schema_race(result, alignment);
  return result;
}

}  // namespace

Result<AppendResult> append(Engine& engine, arrow::RecordBatchReader& rows) {
  MARIGRAM_TRY(engine.check_writable());
  StagedFiles files(engine.store());
  std::vector<std::string> superseded;
  auto result = append_to_newest(engine, rows, files, superseded);
  if (superseded.empty()) return result;
  // The caller's rows are spent, but they lie in the segments that were not committed.
  MARIGRAM_ASSIGN(const auto again, rows_of(engine.store(), superseded));
  StagedFiles files_again(engine.store());
  return append_to_newest(engine, *again, files_again, superseded);
}

Result<AppendResult> append_parquet(Engine& engine, io::ObjectStore& source, const std::string& key) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(engine.refresh());
  MARIGRAM_TRY(check_file(engine, *engine.state(), source, key));
  MARIGRAM_ASSIGN(const auto rows, segment::open_parquet_rows(source, key, {}));
  return append(engine, *rows);
}

Result<AppendResult> adopt_parquet(Engine& engine, const std::string& key) {
  MARIGRAM_TRY(engine.check_writable());
  bool superseded = false;
  auto result = adopt_in_newest(engine, key, superseded);
  return superseded ? adopt_in_newest(engine, key, superseded) : result;
}

}  // namespace marigram::table
