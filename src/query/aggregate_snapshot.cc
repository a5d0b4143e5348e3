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
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

constexpr std::uint64_t kRowsOfPart = 1U << 18U;  // fewer are not worth a task of their own
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

/// The first series of each part but the first, so that the parts have about as many rows; none if there are few, or
/// if some rows are scanned.
std::vector<SeriesKey> part_begins(const std::vector<Stretch>& stretches, std::size_t threads) {
  std::uint64_t rows = 0;
  const NativeSegment* largest = nullptr;
  for (const Stretch& stretch : stretches) {
    if (!stretch.question) return {};
    const NativeSegment& segment = stretch.question->segment;
    rows += segment.file().structure().rows() * (stretch.question->level == nullptr ? 1 : kRowsOfInterval);
    const bool is_larger =
        largest == nullptr || segment.file().structure().series() > largest->file().structure().series();
    if (is_larger) largest = &segment;
  }
  constexpr std::size_t kPartsOfThread = 4;  // so that threads end at about the same time
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
  const std::vector<SeriesKey> begins = part_begins(stretches, pool.size());
  if (begins.empty()) {
    MARIGRAM_ASSIGN(auto input, whole_input(stretches, rows.cancel, statistics));
    return aggregate(std::move(input), *table->schema(), spec);
  }
  return aggregate(cut_inputs(stretches, begins, rows.cancel, statistics), *table->schema(), spec, pool);
}

}  // namespace marigram::query
