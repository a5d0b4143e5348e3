// Rows in memory become segments.
#include "base/try.h"
#include "segment/arrow_schema.h"
#include "table/append.h"
#include "table/head_source.h"
#include "table/live_table.h"

#include <arrow/record_batch.h>

#include <fmt/format.h>

#include <mutex>
#include <shared_mutex>
#include <utility>

namespace marigram::table {
namespace {

constexpr int kSchemaRaces = 5;  // columns may be added while rows are written

/// A source as append() takes it. Its error is kept apart, because Arrow's would lose the code.
class SourceReader : public arrow::RecordBatchReader {
 public:
  SourceReader(std::shared_ptr<arrow::Schema> schema, std::unique_ptr<BatchSource> source)
      : schema_(std::move(schema)), source_(std::move(source)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    auto next = source_->next();
    if (!next) return arrow::Status::UnknownError(next.error().message);
    *batch = std::move(*next);
    return arrow::Status::OK();
  }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<BatchSource> source_;
};

}  // namespace

/// From here on rows arrive in an empty head.
Status LiveTable::close_generation(const head::Head::Lock& lock, FlushLog& log) {
  if (!head::has_rows(head_.view(lock))) return {};
  Closed closed;
  MARIGRAM_ASSIGN(closed.mark, log.mark_after(closed_.empty() ? engine_->state()->wal : closed_.back().mark));
  closed.rows = head_.take(lock);
  for (PerShard& shard : per_shard_) closed.oldest = older(closed.oldest, std::exchange(shard.oldest, std::nullopt));
  if (guard_) guard_->close();
  const std::lock_guard viewing(view_mutex_);
  closed_.push_back(std::move(closed));
  return {};
}

Result<AppendResult> LiveTable::append_closed(const View& rows, const log::WalMark& mark) {
  MARIGRAM_ASSIGN(const model::Schema columns, require_schema(*rows.state));
  MARIGRAM_ASSIGN(auto schema, segment::to_arrow(columns));
  HeadRead read{.views = rows.heads, .schema = rows.schema, .series = series_, .equal = equal_};
  SourceReader reader(schema, head_source(std::move(read), schema));
  return append(*engine_, reader, {.wal = mark});
}

Result<std::uint64_t> LiveTable::flush(FlushLog& log) {
  const std::shared_lock here(place_mutex_);
  const std::lock_guard flushing(flush_mutex_);
  {
    const head::Head::Lock lock(head_, head::kAllShards);
    MARIGRAM_TRY(close_generation(lock, log));
  }
  return flush_closed(log);
}

Result<std::uint64_t> LiveTable::flush_closed(FlushLog& log) {
  View rows;
  std::size_t count = 0;
  log::WalMark mark;
  {
    const std::lock_guard viewing(view_mutex_);
    if (closed_.empty()) return 0;
    mark = closed_.back().mark;
    count = closed_.size();
    for (const Closed& closed : closed_) rows.heads.push_back(closed.rows);
  }
  MARIGRAM_TRY(log.make_durable());
  Result<AppendResult> appended;
  for (int race = 0; race == 0 || (!appended && appended.error().code == ErrorCode::kSchemaMismatch); ++race) {
    if (race > kSchemaRaces) return std::unexpected(appended.error());
    rows.state = engine_->state();
    MARIGRAM_ASSIGN(rows.schema, schema());
    appended = append_closed(rows, mark);
  }
  if (!appended) return std::unexpected(appended.error());
  if (guard_) guard_->forget_closed();
  const std::lock_guard viewing(view_mutex_);
  closed_.erase(closed_.begin(), closed_.begin() + static_cast<std::ptrdiff_t>(count));
  return appended->rows;
}

Status LiveTable::replace_rows(FlushLog& log, const std::function<Status(Engine&)>& change) {
  const std::shared_lock here(place_mutex_);
  MARIGRAM_TRY(check_here());
  const std::lock_guard flushing(flush_mutex_);
  const head::Head::Lock lock(head_, head::kAllShards);
  MARIGRAM_TRY(close_generation(lock, log));
  MARIGRAM_TRY(flush_closed(log));
  return change(*engine_);
}

Status LiveTable::change_segments(const std::function<Status(Engine&)>& change) {
  const std::shared_lock here(place_mutex_);
  MARIGRAM_TRY(check_here());
  const std::lock_guard flushing(flush_mutex_);
  return change(*engine_);
}

Status LiveTable::change_rollups(const std::function<Status(Engine&)>& change) {
  const std::shared_lock here(place_mutex_);
  MARIGRAM_TRY(check_here());
  return change(*engine_);
}

Status LiveTable::move_away(FlushLog& log, const std::function<Status()>& move) {
  const auto let_in = [&](bool in) {
    const head::Head::Lock lock(head_, head::kAllShards);
    moved_ = !in;
  };
  MARIGRAM_TRY(flush(log));  // most of it, while rows may still come
  let_in(false);
  const auto flushed = flush(log);
  Status moved = flushed ? Status() : std::unexpected(flushed.error());
  if (moved) {
    const std::lock_guard alone(place_mutex_);
    moved = move();
  }
  // After kIo the folder may have moved: what came in now could be lost.
  if (!moved && moved.error().code != ErrorCode::kIo) let_in(true);
  return moved;
}

}  // namespace marigram::table
