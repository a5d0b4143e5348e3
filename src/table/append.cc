#include "table/append.h"

#include "base/hash.h"
#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/coverage_builder.h"
#include "segment/parquet_rows.h"
#include "table/alignment.h"
#include "table/append_commit.h"
#include "table/append_rules.h"
#include "table/definition.h"
#include "table/row_order.h"
#include "table/staging.h"

#include <arrow/api.h>

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <list>
#include <optional>
#include <ranges>
#include <utility>
#include <vector>

namespace marigram::table {
namespace {

constexpr std::int64_t kRowsBufferedMax = 4 << 20;  // held, checked and sorted at a time
constexpr const char* kCoveredTwice = "covered twice by the append itself";
constexpr std::size_t kWritingMax = 3;  // times rows are held while they are written, beside those being put in order
constexpr std::int64_t kBegunRowsMax = 1 << 14;  // of one time, held back for the rows that follow

/// The partition width in units of the index column. Unset for integer indexes: one partition.
Result<PartitionWidth> partition_width(const log::TableState& state, const model::Schema& schema) {
  MARIGRAM_ASSIGN(const model::IndexSpec index, require_index(state));
  if (!std::holds_alternative<model::TimestampIndex>(index.kind)) return std::nullopt;
  MARIGRAM_ASSIGN(const std::int64_t seconds, segment_seconds(state));
  const TimeUnit unit = schema.find(index.column)->type.unit;
  std::int64_t width = 0;
  if (__builtin_mul_overflow(seconds, units_per_second(unit), &width)) return std::nullopt;
  return static_cast<std::uint64_t>(width);
}

/// Collects rows, and turns them into staged segments whenever enough are there.
class Appender {
 public:
  Appender(Engine& engine, StatePtr state, const Alignment& alignment, CoveragePtr taken, NewSegments wanted,
           StagedFiles& files, std::string attempt)
      : engine_(engine),
        state_(std::move(state)),
        alignment_(alignment),
        taken_(std::move(taken)),
        wanted_(wanted),
        files_(files),
        attempt_(std::move(attempt)) {}
  ~Appender() { (void)collect_all(); }  // of an append that fails: the tasks refer to this object
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  /// Rows in the table's columns.
  Status add(const std::shared_ptr<arrow::RecordBatch>& aligned) {
    for (std::int64_t offset = 0; offset < aligned->num_rows();) {
      MARIGRAM_ASSIGN(const bool enough, has_enough());
      if (enough) MARIGRAM_TRY(flush_whole_times(offset));
      const std::int64_t room = wanted_.most - rows_buffered_ % wanted_.most;
      buffer(aligned->Slice(offset, room));
      offset += buffered_.back()->num_rows();
    }
    return {};
  }

  Result<Staged> finish() {
    MARIGRAM_TRY(flush());
    MARIGRAM_TRY(collect_all());
    return std::move(staged_);
  }

 private:
  struct Piece {
    SegmentRows rows;
    segment::RowSummary summary;
  };
  /// Segments that are being written: a task each for its file and (v7) its sidecar, which refer to what stands before.
  struct Writing {
    OrderedRows rows;
    std::vector<Piece> pieces;
    std::vector<std::future<Result<model::SegmentMeta>>> segments = {};
    std::vector<std::future<Result<std::string>>> sidecars = {};
  };

  void buffer(std::shared_ptr<arrow::RecordBatch> rows) {
    rows_buffered_ += rows->num_rows();
    span_buffered_.add(*rows->GetColumnByName(state_->meta->index->column));
    buffered_.push_back(std::move(rows));
  }

  /// Writes what is buffered but for the rows of its last time, to which more may come: segments of rows that come in
  /// order of time then do not overlap. `offset`: how far the batch at hand is buffered; goes back over those rows.
  Status flush_whole_times(std::int64_t& offset) {
    const auto begun = take_begun_time();
    MARIGRAM_TRY(flush());
    if (begun && offset > 0) {
      offset -= begun->num_rows();
    } else if (begun) {
      buffer(begun);
    }
    return {};
  }

  /// Takes the rows of the last time out of the buffer. Null if they are many, or all of the last batch.
  std::shared_ptr<arrow::RecordBatch> take_begun_time() {
    const auto& last = buffered_.back();
    const std::int64_t from = std::max<std::int64_t>(0, last->num_rows() - kBegunRowsMax);
    const auto times = index_keys(*last->GetColumnByName(state_->meta->index->column)->Slice(from));
    const auto other =
        std::ranges::find_if(std::views::reverse(times), [&](std::uint64_t t) { return t != times.back(); });
    if (other == std::views::reverse(times).end()) return nullptr;
    const std::int64_t rows = from + (other.base() - times.begin());
    auto begun = last->Slice(rows);
    buffered_.back() = last->Slice(0, rows);
    rows_buffered_ -= begun->num_rows();
    return begun;
  }

  /// Whether the rows at hand make good segments, or are too many to hold.
  Result<bool> has_enough() {
    // A v1 bucket may hold rows of many batches and must end up in one segment, so v1 rows wait for the end.
    if (state_->dialect() == Dialect::kV1) return false;
    if (rows_buffered_ >= kRowsBufferedMax) return true;
    if (rows_buffered_ < wanted_.most) return false;
    MARIGRAM_ASSIGN(const PartitionWidth width, partition_width(*state_, alignment_.schema()));
    return span_buffered_.partitions(width) <= static_cast<std::uint64_t>(rows_buffered_ / wanted_.good);
  }

  Status flush() {
    if (buffered_.empty()) return {};
    MARIGRAM_ASSIGN(const PartitionWidth width, partition_width(*state_, alignment_.schema()));
    MARIGRAM_ASSIGN(OrderedRows rows,
                    OrderedRows::make(std::exchange(buffered_, {}), *state_->meta->index, width, state_->duplicates));
    rows_buffered_ = 0;
    span_buffered_ = {};
    MARIGRAM_ASSIGN(std::vector<Piece> pieces, summarize(rows));
    coverage::CoverageMap added;
    for (const Piece& piece : pieces) MARIGRAM_TRY(check(piece.summary, added));
    MARIGRAM_TRY(check_overlap(*state_, *taken_, added, "covered by the table already"));
    MARIGRAM_TRY(check_overlap(*state_, staged_.coverage, added, kCoveredTwice));
    coverage::unite(staged_.coverage, added);
    if (writing_.size() == kWritingMax) MARIGRAM_TRY(collect_oldest());
    write(std::move(rows), std::move(pieces));
    return {};
  }

  /// Cuts the rows into segments and looks at each: what can be wrong with its rows in themselves.
  Result<std::vector<Piece>> summarize(const OrderedRows& rows) {
    std::vector<SegmentRows> parts;
    std::int64_t offset = 0;
    for (const std::int64_t partition : rows.partitions()) {
      const std::int64_t most = state_->dialect() == Dialect::kV1 ? partition : wanted_.most;
      for (const std::int64_t end = offset + partition; offset < end; offset += parts.back().count) {
        parts.push_back({offset, std::min(most, end - offset)});
      }
    }
    std::vector<std::future<Result<segment::RowSummary>>> tasks;
    tasks.reserve(parts.size());
    for (const SegmentRows part : parts) {
      tasks.push_back(engine_.environment().pool->submit([this, &rows, part]() -> Result<segment::RowSummary> {
        segment::CoverageBuilder builder(state_->dialect(), *state_->meta->index, duplicates_of(*state_), "the append");
        MARIGRAM_ASSIGN(const auto keys, rows.keys(part.offset, part.count));
        MARIGRAM_TRY(builder.add(*keys));
        return builder.finish();
      }));
    }
    std::vector<Piece> pieces;
    std::optional<Error> error;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      Result<segment::RowSummary> summary = tasks[i].get();
      if (summary) pieces.push_back({parts[i], std::move(*summary)});
      if (!summary && !error) error = std::move(summary).error();
    }
    if (error) return std::unexpected(std::move(*error));
    return pieces;
  }

  /// What can be wrong with a segment against those before it (`added`), which it then joins.
  Status check(const segment::RowSummary& summary, coverage::CoverageMap& added) {
    MARIGRAM_ASSIGN(const auto series, single_series(*state_, summary.layout));
    if (staged_.series && staged_.series != series) return several_series();
    staged_.series = series;
    MARIGRAM_TRY(check_overlap(*state_, added, summary.coverage, kCoveredTwice));
    coverage::unite(added, summary.coverage);
    staged_.rows += summary.rows;
    return {};
  }

  /// Starts to write segments; until they are collected the next rows may be put in order.
  void write(OrderedRows rows, std::vector<Piece> pieces) {
    ThreadPool& pool = *engine_.environment().pool;
    Writing& writing = writing_.emplace_back(std::move(rows), std::move(pieces));
    for (const Piece& piece : writing.pieces) {
      writing.segments.push_back(pool.submit([this, &all = writing.rows, &piece] {
        return stage_rows(engine_.store(), *state_, alignment_.schema(), all, piece.rows, piece.summary, wanted_.cold,
                          files_);
      }));
      if (state_->dialect() == Dialect::kV1) continue;
      writing.sidecars.push_back(pool.submit([this, &piece] {
        return stage_coverage(engine_.store(), *state_, piece.summary.coverage, attempt_, files_);
      }));
    }
  }

  /// The path of a segment's sidecar. Those of v1 are shared by content and so outlive an append that fails: they are
  /// not written before their segment.
  Result<std::string> sidecar(Writing& writing, std::size_t piece, bool segment_written) {
    if (state_->dialect() != Dialect::kV1) return writing.sidecars[piece].get();
    if (!segment_written) return std::string();
    return stage_coverage(engine_.store(), *state_, writing.pieces[piece].summary.coverage, attempt_, files_);
  }

  /// Waits for the segments that began to be written first, for all of them also after an error.
  Status collect_oldest() {
    Writing& oldest = writing_.front();
    Status status;
    for (std::size_t i = 0; i < oldest.pieces.size(); ++i) {
      Result<model::SegmentMeta> segment = oldest.segments[i].get();
      Result<std::string> sidecar = this->sidecar(oldest, i, segment.has_value());
      if (!status) continue;
      if (!segment || !sidecar) {
        status = std::unexpected(segment ? std::move(sidecar).error() : std::move(segment).error());
        continue;
      }
      segment->coverage_path = std::move(*sidecar);
      staged_.segments.push_back(std::move(*segment));
    }
    writing_.pop_front();
    return status;
  }

  Status collect_all() {
    Status status;
    while (!writing_.empty()) {
      Status collected = collect_oldest();
      if (status) status = std::move(collected);
    }
    return status;
  }

  Engine& engine_;
  StatePtr state_;
  const Alignment& alignment_;
  CoveragePtr taken_;
  NewSegments wanted_;
  StagedFiles& files_;
  std::string attempt_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> buffered_;
  std::int64_t rows_buffered_ = 0;
  KeySpan span_buffered_;
  std::list<Writing> writing_;  // the oldest first; tasks refer to its elements
  Staged staged_;
};

/// The rows of a stream in the table's columns.
class AlignedRows : public BatchSource {
 public:
  AlignedRows(arrow::RecordBatchReader& rows, const Alignment& alignment) : rows_(rows), alignment_(alignment) {}

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    std::shared_ptr<arrow::RecordBatch> batch;
    do {
      if (const auto status = rows_.ReadNext(&batch); !status.ok()) {
        return std::unexpected(segment::from_arrow_status(status, "cannot append rows", false));
      }
    } while (batch && batch->num_rows() == 0);
    if (!batch) return nullptr;
    return alignment_.align(*batch);
  }

 private:
  arrow::RecordBatchReader& rows_;
  const Alignment& alignment_;
};

/// `superseded`: the segments whose rows are to be appended anew, because another writer gave the table its schema.
Result<AppendResult> append_to_newest(Engine& engine, arrow::RecordBatchReader& rows, const AppendExtras& extras,
                                      StagedFiles& files, std::vector<model::SegmentMeta>& superseded) {
  MARIGRAM_TRY(engine.refresh());
  const StatePtr state = engine.state();
  MARIGRAM_ASSIGN(const Alignment alignment, Alignment::make(*rows.schema(), *state));
  const std::string attempt = random_uuid();
  MARIGRAM_ASSIGN(CoveragePtr covered, engine.coverage(*state));
  AlignedRows aligned(rows, alignment);
  MARIGRAM_ASSIGN(Staged staged,
                  stage_append(engine, state, alignment, std::move(covered), aligned, {}, attempt, files));
  if (staged.rows == 0) return no_rows("this stream");
  std::vector<model::SegmentMeta> segments = staged.segments;
  auto result = commit_append(engine, alignment, std::move(staged), extras, attempt, files);
  if (lost_schema_race(result, alignment)) superseded = std::move(segments);
  return result;
}

/// The rows of files of one schema, one file after another.
Result<std::shared_ptr<arrow::RecordBatchReader>> rows_of(io::ObjectStore& store,
                                                          const std::vector<model::SegmentMeta>& segments) {
  std::vector<std::shared_ptr<arrow::RecordBatchReader>> readers;
  for (const model::SegmentMeta& segment : segments) {
    MARIGRAM_ASSIGN(const auto reader, segment::open_segment(store, segment.path, segment.format));
    MARIGRAM_ASSIGN(auto rows, reader->read_all());
    readers.push_back(std::move(rows));
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

}  // namespace

Result<Staged> stage_append(Engine& engine, const StatePtr& state, const Alignment& alignment, CoveragePtr taken,
                            BatchSource& rows, NewSegments wanted, const std::string& attempt, StagedFiles& files) {
  Appender appender(engine, state, alignment, std::move(taken), wanted, files, attempt);
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, rows.next());
    if (!batch) return appender.finish();
    MARIGRAM_TRY(appender.add(batch));
  }
}

Result<AppendResult> append(Engine& engine, arrow::RecordBatchReader& rows, const AppendExtras& extras) {
  MARIGRAM_TRY(engine.check_writable());
  StagedFiles files(engine.store());
  std::vector<model::SegmentMeta> superseded;
  auto result = append_to_newest(engine, rows, extras, files, superseded);
  if (superseded.empty()) return result;
  // The caller's rows are spent, but they lie in the segments that were not committed.
  MARIGRAM_ASSIGN(const auto again, rows_of(engine.store(), superseded));
  StagedFiles files_again(engine.store());
  return append_to_newest(engine, *again, extras, files_again, superseded);
}

Result<std::uint64_t> commit_wal_mark(Engine& engine, const log::WalMark& mark) {
  MARIGRAM_TRY(engine.commit([&](const log::TableState&) -> Result<log::Proposal> {
    return log::Proposal{.actions = {}, .extension = {.operation = "mark", .wal = mark}};
  }));
  return engine.state()->version;
}

}  // namespace marigram::table
