#include "query/aggregate_snapshot.h"

#include "base/try.h"
#include "query/aggregate_input.h"
#include "query/aggregate_source.h"
#include "query/native_cursor.h"
#include "query/native_segment.h"
#include "query/time_windows.h"
#include "segment/arrow_schema.h"
#include "segment/native_plan.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

constexpr std::uint64_t kRowsOfPart = 1U << 18U;  // fewer are not worth a task of their own

/// Windows that follow one another and are scanned as one, or a segment.
struct Stretch {
  std::size_t first = 0;
  std::size_t last = 0;
  std::optional<NativeQuestion> question = {};  // of the segment; unset: it is scanned
};

/// What is read how. Outlives the inputs made of it.
struct Plan {
  Plan(TableView view, ScanRequest request, AggregationSpec asked)
      : table(std::move(view)), rows(std::move(request)), spec(std::move(asked)), windows(table) {}

  TableView table;
  ScanRequest rows;  // with the columns that are needed
  AggregationSpec spec;
  TimeWindows windows;
  std::vector<std::string> fields = {};  // each once
  std::shared_ptr<arrow::Schema> arrow_schema = {};
  std::optional<NativeSegments> segments = {};
  std::vector<Stretch> stretches = {};
};

using PlanPtr = std::shared_ptr<Plan>;

Status choose_columns(Plan& plan) {
  plan.spec.series = plan.table.index.tags;
  plan.spec.time = plan.table.index.column;
  plan.rows.columns = plan.spec.series;
  plan.rows.columns.push_back(plan.spec.time);
  const auto add = [](std::vector<std::string>& names, const std::string& name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const AggregateOf& column : plan.spec.columns) {
    for (const std::string& field : {column.field, column.weight}) {
      add(plan.fields, field);
      add(plan.rows.columns, field);
    }
  }
  model::Schema read{.columns = {}, .metadata = plan.table.schema.metadata};
  for (const std::string& name : plan.rows.columns) {
    const model::Column* const column = plan.table.schema.find(name);
    if (column == nullptr) return fail(ErrorCode::kNotFound, "cannot aggregate: the table has no column " + name);
    read.columns.push_back(*column);
  }
  MARIGRAM_ASSIGN(plan.arrow_schema, segment::to_arrow(read));
  return {};
}

/// From the first to the last row that is newer than all segments.
struct NewerSpan {
  std::int64_t first = INT64_MAX;  // there is none unless first <= last
  std::int64_t last = INT64_MIN;

  bool meets(std::int64_t begin, std::optional<std::int64_t> end) const {
    return first <= last && last >= begin && (!end || first < *end);
  }
};

Result<NewerSpan> newer_span(const Plan& plan) {
  NewerSpan span;
  if (!plan.table.snapshot.newer) return span;
  ScanRequest request = plan.rows;
  request.columns = {plan.table.index.column};
  MARIGRAM_ASSIGN(const table::ScanStream stream, plan.windows.newer_rows(std::move(request)));
  const bool is_unsigned = plan.table.is_unsigned();
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
    if (!batch) return span;
    const auto* const times = batch->column(0)->data()->GetValues<std::int64_t>(1);
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      const std::int64_t time = times[row] ^ (is_unsigned ? INT64_MIN : 0);
      span.first = std::min(span.first, time);
      span.last = std::max(span.last, time);
    }
  }
}

/// Of a native segment; `none`: no series of it is asked for.
Result<NativeQuestion> question_of(const Plan& plan, const NativeSegment& segment) {
  MARIGRAM_ASSIGN(segment::NativePlan asked,
                  segment::NativePlan::make(segment.file(), plan.table.schema, plan.table.index,
                                            {.from = plan.rows.from, .to = plan.rows.to, .where = plan.rows.where}));
  if (asked.none) std::ranges::fill(asked.series, 0);
  return NativeQuestion{.segment = segment,
                        .schema = *plan.arrow_schema,
                        .columns = plan.spec.columns,
                        .bounds = asked.bounds,
                        .wanted = std::move(asked.series),
                        .grows = plan.table.grows()};
}

Status add_stretch(Plan& plan, std::size_t window, bool has_newer, QueryStatistics& statistics) {
  const auto& cluster = plan.windows.segments(window);
  const auto matching = std::ranges::count_if(cluster, [&](const auto& segment) {
    return table::segment_may_match(*segment, plan.table.index, plan.rows.from, plan.rows.to, plan.rows.where);
  });
  statistics.segments_read += static_cast<std::uint64_t>(matching);
  if (matching == 0 && !has_newer) return {};
  if (!has_newer) {
    MARIGRAM_ASSIGN(const auto segments, plan.segments->at(window));
    for (const NativeSegment& segment : segments) {
      MARIGRAM_ASSIGN(NativeQuestion question, question_of(plan, segment));
      statistics.blocks_skipped += count_blocks(question);
      plan.stretches.push_back({.first = window, .last = window, .question = std::move(question)});
    }
    if (!segments.empty()) return {};
  }
  const bool goes_on =
      !plan.stretches.empty() && !plan.stretches.back().question && plan.stretches.back().last + 1 == window;
  if (!goes_on) plan.stretches.push_back({.first = window});
  plan.stretches.back().last = window;
  return {};
}

Status cut(Plan& plan, QueryStatistics& statistics) {
  MARIGRAM_ASSIGN(const NewerSpan newer, newer_span(plan));
  for (std::size_t window = 0; window < plan.windows.size(); ++window) {
    statistics.segments += plan.windows.segments(window).size();
    const bool has_newer = newer.meets(plan.windows.begin(window), plan.windows.end(window));
    MARIGRAM_TRY(add_stretch(plan, window, has_newer, statistics));
  }
  return {};
}

std::unique_ptr<SeriesCursor> cursor_of(const PlanPtr& plan, const Stretch& stretch, std::size_t begin,
                                        std::size_t end) {
  return native_cursor(std::shared_ptr<const NativeQuestion>(plan, &*stretch.question), begin, end);
}

Result<std::unique_ptr<AggregateInput>> whole_input(const PlanPtr& plan, QueryStatistics* statistics) {
  std::vector<std::unique_ptr<SeriesCursor>> cursors;
  for (const Stretch& stretch : plan->stretches) {
    if (stretch.question) {
      cursors.push_back(cursor_of(plan, stretch, 0, stretch.question->wanted.size()));
      continue;
    }
    MARIGRAM_ASSIGN(table::ScanStream rows, plan->windows.rows(stretch.first, stretch.last, plan->rows));
    cursors.push_back(batch_cursor(std::move(rows.rows), plan->spec.series));
  }
  return std::make_unique<AggregateInput>(std::move(cursors), plan->rows.cancel, statistics);
}

/// The first series of each part but the first, so that the parts have about as many rows; none if there are few, or
/// if some rows are scanned.
std::vector<SeriesKey> part_begins(const Plan& plan) {
  std::uint64_t rows = 0;
  const NativeSegment* largest = nullptr;
  for (const Stretch& stretch : plan.stretches) {
    if (!stretch.question) return {};
    const NativeSegment& segment = stretch.question->segment;
    rows += segment.file().structure().rows();
    const bool is_larger =
        largest == nullptr || segment.file().structure().series() > largest->file().structure().series();
    if (is_larger) largest = &segment;
  }
  constexpr std::size_t kPartsOfThread = 4;  // so that threads end at about the same time
  const std::size_t threads = plan.table.pool().size();
  const std::size_t parts = std::min<std::size_t>(kPartsOfThread * threads, rows / kRowsOfPart);
  std::vector<SeriesKey> begins;
  if (threads == 1 || parts < 2) return begins;
  const auto& ends = largest->file().structure().series_ends;
  for (std::size_t part = 1; part < parts; ++part) {
    const std::size_t series = largest->file().series_of(ends.back() * part / parts);
    SeriesKey key = largest->key(series);
    if (series > 0 && (begins.empty() || begins.back() < key)) begins.push_back(std::move(key));
  }
  return begins;
}

std::vector<std::unique_ptr<AggregateInput>> cut_inputs(const PlanPtr& plan, const std::vector<SeriesKey>& begins,
                                                        QueryStatistics* statistics) {
  std::vector<std::unique_ptr<AggregateInput>> inputs;
  for (std::size_t part = 0; part <= begins.size(); ++part) {
    std::vector<std::unique_ptr<SeriesCursor>> cursors;
    for (const Stretch& stretch : plan->stretches) {
      const NativeSegment& segment = stretch.question->segment;
      const std::size_t begin = part == 0 ? 0 : segment.lower_bound(begins[part - 1]);
      const std::size_t end =
          part == begins.size() ? segment.file().structure().series() : segment.lower_bound(begins[part]);
      if (begin < end) cursors.push_back(cursor_of(plan, stretch, begin, end));
    }
    inputs.push_back(std::make_unique<AggregateInput>(std::move(cursors), plan->rows.cancel, statistics));
  }
  return inputs;
}

}  // namespace

Result<table::ScanStream> aggregate_snapshot(const Snapshot& snapshot, const ScanRequest& rows, AggregationSpec spec,
                                             QueryStatistics* statistics) {
  MARIGRAM_ASSIGN(TableView table, TableView::make(snapshot, rows.from, rows.to, rows.where));
  const auto plan = std::make_shared<Plan>(std::move(table), rows, std::move(spec));
  MARIGRAM_TRY(choose_columns(*plan));
  plan->segments.emplace(plan->windows, plan->table, plan->fields);
  QueryStatistics planned;
  if (rows.limit > 0) MARIGRAM_TRY(cut(*plan, planned));
  if (statistics != nullptr) *statistics = planned;
  const std::vector<SeriesKey> begins = part_begins(*plan);
  if (begins.empty()) {
    MARIGRAM_ASSIGN(auto input, whole_input(plan, statistics));
    return aggregate(std::move(input), *plan->arrow_schema, plan->spec);
  }
  return aggregate(cut_inputs(plan, begins, statistics), *plan->arrow_schema, plan->spec, plan->table.pool());
}

}  // namespace marigram::query
