#include "query/aggregate_snapshot.h"

#include "base/try.h"
#include "query/aggregate_input.h"
#include "query/aggregate_source.h"
#include "query/aggregate_table.h"
#include "query/rollup_plan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

constexpr std::uint64_t kRowsOfPart = 1U << 18U;  // fewer are not worth a task of their own
constexpr std::uint64_t kPartsOfThread = 4;       // so that threads end at about the same time
constexpr std::uint64_t kRowsOfInterval = 16;     // that cost what one of a level does

using Inputs = std::vector<std::unique_ptr<AggregateInput>>;

Result<std::unique_ptr<AggregateInput>> whole_input(const std::vector<Stretch>& stretches, const CancelToken& cancel,
                                                    QueryStatistics* statistics) {
  std::vector<std::unique_ptr<SeriesCursor>> cursors;
  for (const Stretch& stretch : stretches) {
    MARIGRAM_ASSIGN(auto cursor, stretch.table->cursor(stretch));
    cursors.push_back(std::move(cursor));
  }
  return std::make_unique<AggregateInput>(std::move(cursors), cancel, statistics);
}

/// About how many rows of a stretch are of the series from one on up to the next mark.
struct Mark {
  SeriesKey series;
  std::uint64_t rows = 0;
};

std::uint64_t work_of(const Stretch& stretch) {
  return stretch.question->segment.file().structure().rows() *
         (stretch.question->level == nullptr ? 1 : kRowsOfInterval);
}

/// Of all stretches, by series: of each so many that none has more than so many rows before it.
std::vector<Mark> mark(const std::vector<Stretch>& stretches, std::uint64_t rows_of_mark) {
  std::vector<Mark> marks;
  for (const Stretch& stretch : stretches) {
    const NativeSegment& segment = stretch.question->segment;
    const std::uint64_t rows = segment.file().structure().rows();
    const std::uint64_t count = 1 + work_of(stretch) / rows_of_mark;
    for (std::uint64_t i = 0; i < count; ++i) {
      marks.push_back({segment.key(segment.file().series_of(rows * i / count)), work_of(stretch) / count});
    }
  }
  std::ranges::sort(marks, {}, &Mark::series);
  return marks;
}

/// How many parts to read side by side. Those that are not merged have results that are held until their turn comes:
/// small ones, but not so many that looking for their ends in each segment takes long.
std::uint64_t count_parts(std::uint64_t rows, std::size_t stretches, std::size_t threads, bool are_merged) {
  constexpr std::uint64_t kSearchesMax = 1U << 16U;
  const std::uint64_t least = kPartsOfThread * threads;
  if (are_merged) return std::min(least, rows / kRowsOfPart);
  return std::min(std::max(least, kSearchesMax / stretches), rows / kRowsOfPart);
}

/// The first series of each part but the first, so that the parts have about as many rows; none if there are few, or
/// if some rows are scanned.
std::vector<SeriesKey> part_begins(const std::vector<Stretch>& stretches, std::size_t threads, bool are_merged) {
  constexpr std::size_t kMarksOfPart = 4;
  std::uint64_t rows = 0;
  for (const Stretch& stretch : stretches) {
    if (!stretch.question) return {};
    rows += work_of(stretch);
  }
  std::vector<SeriesKey> begins;
  if (threads == 1 || rows < 2 * kRowsOfPart) return begins;
  const std::uint64_t parts = count_parts(rows, stretches.size(), threads, are_merged);
  const std::vector<Mark> marks = mark(stretches, rows / (parts * kMarksOfPart));
  std::uint64_t before = 0;
  for (const Mark& own : marks) {
    const bool is_behind = (begins.empty() ? marks.front().series : begins.back()) < own.series;
    if (is_behind && before >= rows * (begins.size() + 1) / parts) begins.push_back(own.series);
    before += own.rows;
  }
  return begins;
}

Inputs cut_inputs(const std::vector<Stretch>& stretches, const std::vector<SeriesKey>& begins,
                  const CancelToken& cancel, QueryStatistics* statistics) {
  Inputs inputs;
  for (std::size_t part = 0; part <= begins.size(); ++part) {
    std::vector<std::unique_ptr<SeriesCursor>> cursors;
    for (const Stretch& stretch : stretches) {
      const NativeSegment& segment = stretch.question->segment;
      const std::size_t begin = part == 0 ? 0 : segment.lower_bound(begins[part - 1]);
      const std::size_t end =
          part == begins.size() ? segment.file().structure().series() : segment.lower_bound(begins[part]);
      if (begin < end) cursors.push_back(stretch.table->cursor(stretch, begin, end));
    }
    inputs.push_back(std::make_unique<AggregateInput>(std::move(cursors), cancel, statistics));
  }
  return inputs;
}

/// The pieces' stretches, one behind the other.
Result<std::vector<Stretch>> cut_pieces(const std::vector<Piece>& pieces, const ScanRequest& rows,
                                        const AggregationSpec& spec, const std::shared_ptr<AggregateTable>& table,
                                        QueryStatistics& statistics) {
  const Snapshot& snapshot = table->view().snapshot;
  std::vector<Stretch> stretches;
  statistics.segments = snapshot.state->segments.size();
  for (const log::Level& level : snapshot.state->levels) {
    const auto is_of = [&](const Piece& piece) { return piece.level == &level; };
    if (std::ranges::any_of(pieces, is_of)) statistics.rollups.push_back({.interval = level.name, .rows = 0});
  }
  std::map<const log::Level*, std::shared_ptr<AggregateTable>> tables = {{nullptr, table}};
  for (const Piece& piece : pieces) {
    ScanRequest own = rows;
    own.from = piece.from;
    own.to = piece.to;
    std::shared_ptr<AggregateTable>& of = tables[piece.level];
    if (!of) {
      const Snapshot level{snapshot.engine, piece.level->table, {}};
      MARIGRAM_ASSIGN(TableView view, TableView::make(level, own.from, own.to, own.where));
      MARIGRAM_ASSIGN(of, AggregateTable::of_level(std::move(view), spec));
    }
    MARIGRAM_TRY(of->cut(own, piece.series, stretches, statistics));
  }
  return stretches;
}

}  // namespace

Result<table::ScanStream> aggregate_snapshot(const Snapshot& snapshot, const ScanRequest& rows, AggregationSpec spec,
                                             QueryStatistics* statistics, const Sources& sources) {
  MARIGRAM_ASSIGN(TableView view, TableView::make(snapshot, rows.from, rows.to, rows.where));
  spec.series = view.index.tags;
  spec.time = view.index.column;
  MARIGRAM_ASSIGN(const auto table, AggregateTable::of_rows(std::move(view), rows, spec));
  MARIGRAM_ASSIGN(const Plan plan, plan_pieces(table->view(), rows, spec, sources, table->newer()));
  spec.goes_back = plan.goes_back;
  QueryStatistics planned;
  std::vector<Stretch> stretches;
  if (rows.limit > 0) {
    MARIGRAM_ASSIGN(stretches, cut_pieces(plan.pieces, rows, spec, table, planned));
  }
  if (statistics != nullptr) *statistics = planned;
  ThreadPool& pool = table->view().pool();
  const std::size_t threads = std::min<std::size_t>(pool.size(), std::max(1U, std::thread::hardware_concurrency()));
  const std::vector<SeriesKey> begins = part_begins(stretches, threads, spec.by != spec.series);
  if (begins.empty()) {
    MARIGRAM_ASSIGN(auto input, whole_input(stretches, rows.cancel, statistics));
    return aggregate(std::move(input), *table->schema(), spec);
  }
  return aggregate(cut_inputs(stretches, begins, rows.cancel, statistics), *table->schema(), spec, pool, threads);
}

}  // namespace marigram::query
