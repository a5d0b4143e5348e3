#include "query/aggregate_table.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "segment/arrow_schema.h"
#include "segment/native_plan.h"
#include "table/definition.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace marigram::query {

AggregateTable::AggregateTable(TableView view, const AggregationSpec& asked)
    : view_(std::move(view)), aggregates_(asked.columns), windows_(view_) {}

Result<std::shared_ptr<AggregateTable>> AggregateTable::of_rows(TableView table, const ScanRequest& rows,
                                                                const AggregationSpec& asked) {
  std::shared_ptr<AggregateTable> made(new AggregateTable(std::move(table), asked));
  std::vector<std::string> fields;
  for (const AggregateOf& column : asked.columns) {
    for (const std::string& field : {column.field, column.weight}) {
      if (!field.empty() && std::ranges::find(fields, field) == fields.end()) fields.push_back(field);
    }
  }
  MARIGRAM_TRY(made->choose_columns(std::move(fields)));
  MARIGRAM_TRY(made->find_newer(rows));
  return made;
}

Status AggregateTable::find_newer(ScanRequest rows) {
  if (!view_.snapshot.newer) return {};
  const coverage::BucketGrid grid(view_.snapshot.state->dialect(), view_.index.kind);
  rows.columns = {view_.index.column};
  MARIGRAM_ASSIGN(const table::ScanStream stream, windows_.newer_rows(std::move(rows)));
  std::vector<std::uint64_t> ids;
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
    if (!batch) return {};
    ids.resize(static_cast<std::size_t>(batch->num_rows()));
    const auto* const times = batch->column(0)->data()->GetValues<std::int64_t>(1);
    MARIGRAM_TRY(grid.ids_of({times, ids.size()}, view_.units.unit(), ids));
    newer_.add_many(ids);
  }
}

Result<std::shared_ptr<AggregateTable>> AggregateTable::of_level(TableView level, const AggregationSpec& asked) {
  std::shared_ptr<AggregateTable> made(new AggregateTable(std::move(level), asked));
  auto columns = LevelColumns::make(asked.columns, made->view_.schema);
  MARIGRAM_TRY(made->choose_columns(columns->names()));
  made->level_ = LevelRows{
      .interval = made->view_.snapshot.state->level, .time = made->view_.index.column, .columns = *std::move(columns)};
  return made;
}

Status AggregateTable::choose_columns(std::vector<std::string> fields) {
  fields_ = std::move(fields);
  columns_ = view_.index.tags;
  columns_.push_back(view_.index.column);
  for (const std::string& field : fields_) {
    if (std::ranges::find(columns_, field) == columns_.end()) columns_.push_back(field);
  }
  model::Schema read{.columns = {}, .metadata = view_.schema.metadata};
  for (const std::string& name : columns_) {
    const model::Column* const column = view_.schema.find(name);
    if (column == nullptr) return fail(ErrorCode::kNotFound, "cannot aggregate: the table has no column " + name);
    read.columns.push_back(*column);
  }
  MARIGRAM_ASSIGN(schema_, segment::to_arrow(read));
  segments_.emplace(windows_, view_, fields_);
  return {};
}

/// Whether the window has rows of the range that no segment has.
bool AggregateTable::has_newer(std::size_t window, const ScanRequest& rows) const {
  if (newer_.empty()) return false;
  const coverage::BucketGrid grid(view_.snapshot.state->dialect(), view_.index.kind);
  coverage::IdRange ids{0, grid.max_id()};
  const auto start_at = [&](const IndexValue& value) {
    ids.first = std::max(ids.first, grid.id_of(value).value_or(grid.max_id()));
  };
  const auto end_at = [&](const IndexValue& value) {
    ids.last = std::min(ids.last, grid.last_id_before(value).value_or(0));
  };
  if (window > 0) start_at(view_.units.to_value(windows_.begin(window)));
  if (rows.from) start_at(*rows.from);
  if (const auto end = windows_.end(window)) end_at(view_.units.to_value(*end));
  if (rows.to) end_at(*rows.to);
  return ids.first <= ids.last && newer_.size_in(ids) > 0;
}

/// `none`: no series of it is asked for.
Result<NativeQuestion> AggregateTable::question_of(const NativeSegment& segment, const ScanRequest& rows,
                                                   const model::SeriesSet* series) const {
  MARIGRAM_ASSIGN(segment::NativePlan asked,
                  segment::NativePlan::make(segment.file(), view_.schema, view_.index,
                                            {.from = rows.from, .to = rows.to, .where = rows.where}));
  if (asked.none) std::ranges::fill(asked.series, 0);
  for (std::size_t i = 0; series != nullptr && i < asked.series.size(); ++i) {
    if (asked.series[i] != 0 && !series->has(segment.key(i), view_.index)) asked.series[i] = 0;
  }
  return NativeQuestion{.segment = segment,
                        .schema = *schema_,
                        .columns = aggregates_,
                        .level = level_ ? &*level_ : nullptr,
                        .bounds = asked.bounds,
                        .wanted = std::move(asked.series),
                        .grows = view_.grows()};
}

Status AggregateTable::cut(const ScanRequest& rows, const std::shared_ptr<const model::SeriesSet>& series,
                           std::vector<Stretch>& stretches, QueryStatistics& statistics) {
  const auto self = shared_from_this();
  const std::size_t before = stretches.size();
  for (std::size_t window = 0; window < windows_.size(); ++window) {
    const auto& cluster = windows_.segments(window);
    const auto matching = std::ranges::count_if(cluster, [&](const auto& segment) {
      return table::segment_may_match(*segment, view_.index, rows.from, rows.to, rows.where);
    });
    if (!level_) statistics.segments_read += static_cast<std::uint64_t>(matching);
    const bool newer = has_newer(window, rows);
    if (matching == 0 && !newer) continue;
    if (!newer) {
      MARIGRAM_ASSIGN(const auto segments, segments_->at(window));
      for (const NativeSegment& segment : segments) {
        MARIGRAM_ASSIGN(NativeQuestion question, question_of(segment, rows, series.get()));
        if (!level_) statistics.blocks_skipped += count_blocks(question);
        stretches.push_back({self, rows, series, window, window, std::move(question)});
      }
      if (!segments.empty()) continue;
    }
    const bool goes_on = stretches.size() > before && !stretches.back().question && stretches.back().last + 1 == window;
    if (!goes_on) stretches.push_back({.table = self, .rows = rows, .series = series, .first = window});
    stretches.back().last = window;
  }
  return {};
}

Result<std::unique_ptr<SeriesCursor>> AggregateTable::cursor(const Stretch& stretch) const {
  if (stretch.question) return cursor(stretch, 0, stretch.question->wanted.size());
  ScanRequest request = stretch.rows;
  request.columns = columns_;
  MARIGRAM_ASSIGN(table::ScanStream rows, windows_.rows(stretch.first, stretch.last, std::move(request)));
  return batch_cursor(std::move(rows.rows), view_.index, stretch.series, level_);
}

std::unique_ptr<SeriesCursor> AggregateTable::cursor(const Stretch& stretch, std::size_t begin, std::size_t end) const {
  // The question borrows from this table.
  struct Held {
    std::shared_ptr<const AggregateTable> table;
    NativeQuestion question;
  };
  const auto held = std::make_shared<const Held>(Held{shared_from_this(), *stretch.question});
  return native_cursor(std::shared_ptr<const NativeQuestion>(held, &held->question), begin, end);
}

}  // namespace marigram::query
