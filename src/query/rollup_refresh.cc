#include "query/rollup_refresh.h"

#include "base/try.h"
#include "coverage/bucket_grid.h"
#include "model/retention.h"
#include "query/aggregate_snapshot.h"
#include "query/expiry.h"
#include "query/level_rows.h"
#include "query/row_key.h"
#include "query/table_view.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"
#include "table/level_writer.h"
#include "table/rollups.h"

#include <arrow/api.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace marigram::query {
namespace {

using coverage::BucketSet;
using coverage::CoverageMap;
using coverage::IdRange;

constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

/// Intervals by series.
using Keys = std::map<RowKey, BucketSet>;  // by time, whose highest bit is flipped

constexpr std::uint64_t kHighestBit = 1ULL << 63U;

std::uint64_t id_of(std::int64_t time) {
  return static_cast<std::uint64_t>(time) ^ kHighestBit;
}

std::int64_t time_of(std::uint64_t id) {
  return static_cast<std::int64_t>(id ^ kHighestBit);
}

/// Those of a batch by series and time, of the series of the set.
void note_keys(const arrow::RecordBatch& batch, const model::IndexSpec& index, const model::SeriesSet& wanted,
               Keys& keys) {
  Arrays tags;
  for (const std::string& tag : index.tags) tags.push_back(batch.GetColumnByName(tag));
  const auto* const times = batch.GetColumnByName(index.column)->data()->GetValues<std::int64_t>(1);
  const auto* const counts = batch.GetColumnByName(model::part_column(model::RollupPart::kCount, model::kAllRows))
                                 ->data()
                                 ->GetValues<std::int64_t>(1);
  for (std::int64_t row = 0; row < batch.num_rows();) {
    const RowKey key = row_key(tags, row);
    const std::int64_t end = key_run_end(tags, row, batch.num_rows());
    if (!wanted.is_all() && !wanted.has(to_series(key), index)) {
      row = end;
      continue;
    }
    BucketSet& own = keys[key];
    for (; row < end; ++row) {
      if (counts[row] > 0) own.add(id_of(times[row]));
    }
  }
}

/// Rows that say of these intervals that they have none any more.
Result<std::shared_ptr<arrow::RecordBatch>> empty_intervals(const std::shared_ptr<arrow::Schema>& schema,
                                                            const model::IndexSpec& index, const Keys& keys) {
  std::vector<KeyRun> runs;
  std::vector<std::int64_t> times;
  for (const auto& [key, own] : keys) {
    if (own.empty()) continue;
    runs.push_back({.key = key, .rows = static_cast<std::int64_t>(own.size())});
    for (const std::uint64_t id : own.ids()) times.push_back(time_of(id));
  }
  if (times.empty()) return nullptr;
  const auto rows = static_cast<std::int64_t>(times.size());
  const std::string counted = model::part_column(model::RollupPart::kCount, model::kAllRows);
  const auto numbers = [&](const std::vector<std::int64_t>& values,
                           const auto& type) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    arrow::Int64Builder builder;
    ARROW_RETURN_NOT_OK(builder.AppendValues(values));
    ARROW_ASSIGN_OR_RAISE(const auto array, builder.Finish());
    return array->View(type);
  };
  Arrays columns;
  for (const auto& field : schema->fields()) {
    const auto tag = std::ranges::find(index.tags, field->name());
    if (tag != index.tags.end()) {
      MARIGRAM_ASSIGN(auto column,
                      key_column(runs, static_cast<std::size_t>(tag - index.tags.begin()), *field->type()));
      columns.push_back(std::move(column));
      continue;
    }
    const bool is_count = field->name() == counted;
    auto column = field->name() == index.column ? numbers(times, field->type())
                  : is_count                    ? numbers(std::vector<std::int64_t>(times.size(), 0), field->type())
                                                : arrow::MakeArrayOfNull(field->type(), rows, segment::memory_pool());
    if (!column.ok()) {
      return std::unexpected(segment::from_arrow_status(column.status(), "cannot refresh rollups", false));
    }
    columns.push_back(*std::move(column));
  }
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

/// What is made anew of a level: so many intervals of each of these series.
struct Wanted {
  std::vector<SeriesKey> series;
  std::uint64_t intervals = 0;
};

/// The rows of streams one after the other, then those of intervals that the level has and they have not. These are
/// looked for only where an interval did not come.
class LevelSource final : public table::BatchSource {
 public:
  using Present = std::function<Result<Keys>()>;  // the intervals of the level that have rows

  LevelSource(std::vector<table::ScanStream> streams, model::IndexSpec index, Wanted wanted, Present present)
      : streams_(std::move(streams)),
        index_(std::move(index)),
        wanted_(std::move(wanted)),
        present_(std::move(present)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    for (; at_ < streams_.size(); ++at_) {
      MARIGRAM_ASSIGN(auto batch, streams_[at_].rows->next());
      if (!batch) continue;
      note_keys(*batch, index_, {}, came_);
      rows_ += static_cast<std::uint64_t>(batch->num_rows());
      return batch;
    }
    if (std::exchange(ended_, true) || all_came()) return nullptr;
    MARIGRAM_ASSIGN(Keys gone, present_());
    for (const auto& [key, times] : came_) {
      const auto had = gone.find(key);
      if (had != gone.end()) had->second.subtract(times);
    }
    MARIGRAM_ASSIGN(auto batch, empty_intervals(streams_.front().schema, index_, gone));
    if (batch) rows_ += static_cast<std::uint64_t>(batch->num_rows());
    return batch;
  }

  std::uint64_t rows() const { return rows_; }

 private:
  bool all_came() const {
    const auto whole = std::ranges::count_if(came_, [this](const auto& series) {
      return series.second.size() == wanted_.intervals &&
             std::ranges::binary_search(wanted_.series, to_series(series.first));
    });
    return static_cast<std::size_t>(whole) == wanted_.series.size();
  }

  std::vector<table::ScanStream> streams_;
  model::IndexSpec index_;
  Wanted wanted_;
  Present present_;
  Keys came_;
  std::size_t at_ = 0;
  std::uint64_t rows_ = 0;
  bool ended_ = false;
};

Status commit(table::LevelWriter& writer, RefreshReport& report) {
  if (writer.empty()) return {};
  ++report.commits;
  return writer.commit();
}

/// One level of series that are kept alike, from one version of the table. What is due where the level is the finest
/// that is left stays so: it is merged (expiry.h).
class LevelRefresh {
 public:
  static Result<LevelRefresh> make(table::Engine& engine, table::LevelWriter& writer, std::size_t level,
                                   std::size_t series_class, const RefreshOptions& options) {
    const table::StatePtr state = writer.state();
    MARIGRAM_ASSIGN(TableView view, TableView::make({engine, state, {}}, {}, {}, {}));
    MARIGRAM_ASSIGN(TimeBuckets intervals, table::level_buckets(*state, state->levels[level].interval));
    MARIGRAM_ASSIGN(const auto due, engine.due(*state, state->levels[level]));
    LevelRefresh made(engine, writer, std::move(view), level, series_class, std::move(intervals), options);
    made.choose(*due);
    return made;
  }

  Status run(RefreshReport& report) {
    while (!due_.empty()) {
      if (options_.cancel.cancelled()) return fail(ErrorCode::kCancelled, "refresh of rollups cancelled");
      MARIGRAM_TRY(write_newest(report));
    }
    return {};
  }

 private:
  /// Half-open, of whole intervals.
  struct Chunk {
    std::int64_t from = 0;
    std::int64_t to = 0;
  };

  LevelRefresh(table::Engine& engine, table::LevelWriter& writer, TableView view, std::size_t level,
               std::size_t series_class, TimeBuckets intervals, const RefreshOptions& options)
      : engine_(engine),
        writer_(writer),
        version_(writer.version()),
        view_(std::move(view)),
        level_(view_.snapshot.state->levels[level]),
        sources_{.levels = level, .series_class = series_class},
        series_(model::series_of(view_.snapshot.state->retention, series_class)),
        intervals_(std::move(intervals)),
        grid_(Dialect::kV7, view_.index.kind),
        options_(options) {}

  /// What of all that is due is to be made here.
  void choose(const CoverageMap& due) {
    const std::int64_t finest = finest_until(view_, *sources_.series_class, sources_.levels);
    IdRange made{0, grid_.max_id()};
    if (finest != kMin) made.first = grid_.id_of(view_.units.to_value(finest)).value_or(made.last);
    for (const auto& [series, buckets] : due) {
      BucketSet others = buckets;
      if (series_.has(series, view_.index)) {
        for (const IdRange& run : buckets.runs_in(made)) due_[series].add_range(run);
        const auto own = due_.find(series);
        if (own != due_.end()) others.subtract(own->second);
      }
      if (!others.empty()) others_.emplace(series, std::move(others));
    }
    all_ = coverage::across_series(due_);
  }

  std::int64_t begin_of(std::uint64_t id) { return intervals_.of(view_.units.from_value(grid_.start_of(id))).start; }
  /// Of the interval in which the bucket ends.
  std::int64_t end_of(std::uint64_t id) {
    const TimeBuckets::Bucket last = intervals_.of(view_.units.from_value(grid_.end_of(id)) - 1);
    return static_cast<std::int64_t>(last.begin + last.width);
  }

  /// The newest buckets that are due, as intervals: of about so many series and intervals as a commit has.
  std::vector<Chunk> take_newest() {
    std::vector<Chunk> chunks;
    std::uint64_t pairs = 0;
    BucketSet taken;
    const std::vector<IdRange> runs = all_.runs_in({0, grid_.max_id()});
    for (auto run = runs.rbegin(); run != runs.rend() && pairs < options_.commit_rows; ++run) {
      for (std::uint64_t id = run->last;; --id) {
        const Chunk own{.from = begin_of(id), .to = end_of(id)};
        taken.add(id);
        if (!chunks.empty() && own.to >= chunks.back().from) {
          pairs += own.from < chunks.back().from ? pairs_of({own.from, chunks.back().from}) : 0;
          chunks.back().from = std::min(chunks.back().from, own.from);
        } else {
          pairs += pairs_of(own);
          chunks.push_back(own);
        }
        if (id == run->first || pairs >= options_.commit_rows) break;
      }
    }
    // What lies in an interval that was begun is done with it.
    const auto first = grid_.id_of(view_.units.to_value(chunks.back().from));
    for (auto run = runs.rbegin(); first && run != runs.rend() && run->last >= *first; ++run) {
      taken.add_range({std::max(run->first, *first), run->last});
    }
    all_.subtract(taken);
    forget(taken);
    return chunks;
  }

  std::uint64_t pairs_of(const Chunk& chunk) {
    const std::uint64_t width = std::max<std::uint64_t>(intervals_.of(chunk.from).width, 1);
    const std::uint64_t span = static_cast<std::uint64_t>(chunk.to) - static_cast<std::uint64_t>(chunk.from);
    return std::max<std::uint64_t>(span / width, 1) * due_.size();
  }

  std::uint64_t intervals_in(const Chunk& chunk) {
    std::uint64_t count = 0;
    for (std::int64_t at = chunk.from; at < chunk.to; ++count) {
      const TimeBuckets::Bucket own = intervals_.of(at);
      at = static_cast<std::int64_t>(own.begin + own.width);
    }
    return count;
  }

  /// The buckets of all series become ones that are not left.
  void forget(const BucketSet& taken) {
    touched_.clear();
    for (auto& [series, own] : due_) {
      if (own.overlap_size(taken) > 0) touched_.push_back(series);
      own.subtract(taken);
    }
    std::erase_if(due_, [](const auto& series) { return series.second.empty(); });
  }

  ScanRequest request(const Chunk& chunk, const std::vector<TagPredicate>& where) const {
    ScanRequest request{.where = where, .cancel = options_.cancel};
    if (chunk.from != kMin) request.from = view_.units.to_value(chunk.from);
    if (chunk.to > chunk.from) request.to = view_.units.to_value(chunk.to);
    return request;
  }

  /// The intervals of the chunks that the level has now.
  Result<Keys> present(const std::vector<Chunk>& chunks, const std::vector<TagPredicate>& where) const {
    Keys keys;
    for (const Chunk& chunk : chunks) {
      ScanRequest wanted = request(chunk, where);
      wanted.order = ScanOrder::kSeries;
      wanted.columns = view_.index.tags;
      wanted.columns.push_back(view_.index.column);
      wanted.columns.push_back(model::part_column(model::RollupPart::kCount, model::kAllRows));
      MARIGRAM_ASSIGN(const table::ScanStream stream, table::scan(engine_, level_.table, wanted, {}));
      while (true) {
        MARIGRAM_ASSIGN(const auto batch, stream.rows->next());
        if (!batch) break;
        note_keys(*batch, view_.index, series_, keys);
      }
    }
    return keys;
  }

  Status write_newest(RefreshReport& report) {
    const std::vector<Chunk> chunks = take_newest();
    const std::vector<TagPredicate> where = predicates_of(touched_, view_.index);
    Wanted wanted{.series = touched_};
    std::vector<table::ScanStream> streams;
    for (const Chunk& chunk : chunks) {
      wanted.intervals += intervals_in(chunk);
      MARIGRAM_ASSIGN(auto stream, aggregate_snapshot(view_.snapshot, request(chunk, where),
                                                      level_aggregates(view_, intervals_), nullptr, sources_));
      streams.push_back(std::move(stream));
    }
    const auto schema = streams.front().schema;
    LevelSource rows(std::move(streams), view_.index, std::move(wanted), [&] { return present(chunks, where); });
    CoverageMap left = others_;
    coverage::unite(left, due_);
    MARIGRAM_TRY(writer_.put(view_.snapshot.state, version_, level_.name, *schema, rows, left));
    report.rows += rows.rows();
    return writer_.rows() < options_.commit_rows ? Status() : commit(writer_, report);
  }

  table::Engine& engine_;
  table::LevelWriter& writer_;
  std::uint64_t version_;  // of the rows
  TableView view_;
  log::Level level_;
  Sources sources_;  // of what it is made
  model::SeriesSet series_;
  TimeBuckets intervals_;
  coverage::BucketGrid grid_;
  CoverageMap due_;     // what is left to be made here
  BucketSet all_;       // the same of all series
  CoverageMap others_;  // what else is due
  std::vector<SeriesKey> touched_;
  RefreshOptions options_;
};

/// What is due of all levels.
Status refresh_levels(table::Engine& engine, const RefreshOptions& options, RefreshReport& report) {
  table::LevelWriter writer(engine);
  for (std::size_t level = 0; level < writer.state()->levels.size(); ++level) {
    for (std::size_t number = 0; number < model::class_count(writer.state()->retention); ++number) {
      if (level >= writer.state()->levels.size()) break;
      MARIGRAM_ASSIGN(LevelRefresh refresh, LevelRefresh::make(engine, writer, level, number, options));
      MARIGRAM_TRY(refresh.run(report));
    }
  }
  return commit(writer, report);
}

}  // namespace

Result<RefreshReport> refresh_rollups(table::Engine& engine, const RefreshOptions& options) {
  MARIGRAM_TRY(engine.check_writable());
  MARIGRAM_TRY(engine.refresh());
  RefreshReport report;
  if (engine.state()->meta->schema) {
    MARIGRAM_TRY(merge_late_rows(engine, options.cancel, report));
    constexpr int kConflictsMax = 10;  // when another writer was first, it begins anew
    for (int conflicts = 0;;) {
      const Status done = refresh_levels(engine, options, report);
      if (done) break;
      if (done.error().code != ErrorCode::kConflict || ++conflicts == kConflictsMax)
        return std::unexpected(done.error());
      MARIGRAM_TRY(engine.refresh());
    }
  }
  report.version = engine.state()->version;
  return report;
}

}  // namespace marigram::query
