#include "table/scan.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/reader.h"
#include "table/absent_tags.h"
#include "table/hidden_rows.h"
#include "table/merge.h"

#include <arrow/api.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <variant>

namespace marigram::table {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

constexpr std::size_t kReadAheadBatches = 2;          // waiting in each source that reads ahead
constexpr std::uint64_t kReadAheadRowsMax = 4 << 20;  // of segments being read, which a sort may hold whole
constexpr std::size_t kMergeRowsMax = 1 << 20;        // held by a merge over all its sources together
constexpr std::size_t kMergeBatchRowsMin = 1 << 10;

/// Everything a scan's parts share. Immutable.
struct Plan {
  const Environment* environment = nullptr;
  StatePtr state;
  model::IndexSpec index;
  model::Schema schema;
  ScanRequest request;
  ScanOrder order =
      ScanOrder::kTime;              // that of the request, unless rows that were replaced can only be told in another
  std::vector<std::string> columns;  // read: those asked for, then the keys that ordering needs besides
  std::size_t columns_out = 0;       // of which are given out
  std::vector<int> tags_out;         // of which are tags that a series may lack, then given out as null
  KeyColumns keys;                   // set if rows are put in order anywhere, or some are hidden
  std::map<const model::SegmentMeta*, std::shared_ptr<const HiddenRows>> hidden;  // of segments that have such rows

  bool keeps_last() const { return state->duplicates == Duplicates::kLast; }
};

bool one_series(const Plan& plan, const model::SegmentMeta& segment) {
  return plan.index.tags.empty() || plan.state->dialect() == Dialect::kV1 ||
         std::holds_alternative<SeriesKey>(segment.layout);
}

/// Rows of one segment in file order, without those hidden; opens it when first asked.
class SegmentSource : public BatchSource {
 public:
  SegmentSource(std::shared_ptr<const Plan> plan, SegmentPtr segment, std::size_t batch_rows)
      : plan_(std::move(plan)), segment_(std::move(segment)), batch_rows_(batch_rows) {}

  Result<BatchPtr> next() override {
    if (!rows_) MARIGRAM_TRY(open());
    while (true) {
      if (plan_->request.cancel.cancelled()) return fail(ErrorCode::kCancelled, "scan cancelled");
      MARIGRAM_ASSIGN(BatchPtr batch, rows_->next());
      if (!batch) return batch;
      if (filter_) {
        MARIGRAM_ASSIGN(batch, filter_->visible(std::move(batch)));
      }
      if (batch && batch->num_rows() > 0) return batch;
    }
  }

  /// Whether the file says that its rows ascend by (series, time).
  Result<bool> declared_sorted() {
    MARIGRAM_TRY(open());
    return reader_->declared_sorted(plan_->index);
  }

 private:
  Status open() {
    if (rows_) return {};
    auto reader = plan_->environment->segments->open(*plan_->environment->store, *segment_);
    if (!reader) {
      const bool missing = reader.error().code == ErrorCode::kNotFound;
      return fail(reader.error().code,
                  fmt::format("cannot scan table {}: {}{}", plan_->environment->store->name(), reader.error().message,
                              missing ? "; bring the file back, or run `marigram remove` on the segment" : ""));
    }
    reader_ = std::move(*reader);
    MARIGRAM_ASSIGN(rows_, reader_->read(plan_->schema, plan_->index,
                                         {.columns = plan_->columns,
                                          .from = plan_->request.from,
                                          .to = plan_->request.to,
                                          .where = plan_->request.where,
                                          .batch_rows = batch_rows_}));
    const auto hidden = plan_->hidden.find(segment_.get());
    if (hidden != plan_->hidden.end()) filter_.emplace(hidden->second, plan_->keys);
    return {};
  }

  std::shared_ptr<const Plan> plan_;
  SegmentPtr segment_;
  std::size_t batch_rows_;
  std::shared_ptr<segment::SegmentReader> reader_;  // outlives rows_
  std::unique_ptr<segment::RowStream> rows_;
  std::optional<HiddenFilter> filter_;  // unset: none of its rows is hidden
};

/// Rows of one segment by time or by series.
class OrderedSegment : public BatchSource {
 public:
  OrderedSegment(std::shared_ptr<const Plan> plan, SegmentPtr segment, ScanOrder order, std::size_t batch_rows)
      : plan_(std::move(plan)), segment_(std::move(segment)), order_(order), batch_rows_(batch_rows) {}

  Result<BatchPtr> next() override {
    if (!source_) MARIGRAM_TRY(open());
    return source_->next();
  }

 private:
  Status open() {
    auto rows = std::make_unique<SegmentSource>(plan_, segment_, batch_rows_);
    MARIGRAM_ASSIGN(const bool sorted, rows->declared_sorted());
    if (sorted && (one_series(*plan_, *segment_) || order_ == ScanOrder::kSeries)) {
      source_ = std::move(rows);
    } else {
      KeyColumns keys = plan_->keys;
      if (sorted) keys.tags.clear();  // rows of equal times keep their order, which is that of the series
      source_ = sort_source(std::move(rows), std::move(keys), order_, batch_rows_);
    }
    return {};
  }

  std::shared_ptr<const Plan> plan_;
  SegmentPtr segment_;
  ScanOrder order_;
  std::size_t batch_rows_;
  std::unique_ptr<BatchSource> source_;
};

std::uint64_t rows_of(const Cluster& cluster) {
  std::uint64_t rows = 0;
  for (const SegmentPtr& segment : cluster) rows += segment->row_count;
  return rows;
}

std::unique_ptr<BatchSource> ahead_of(std::unique_ptr<BatchSource> source, const Plan& plan) {
  auto ahead = std::make_unique<ReadAhead>(std::move(source), *plan.environment->pool, kReadAheadBatches);
  ahead->start();
  return ahead;
}

/// The rows of a cluster of several segments. `read_ahead`: each segment for itself.
std::unique_ptr<BatchSource> merged_cluster(const std::shared_ptr<const Plan>& plan, const Cluster& cluster,
                                            ScanOrder order, bool read_ahead) {
  const ScanRequest& request = plan->request;
  // Rows of several series per segment must be sorted by time anyway: all at once, if they are not too many.
  const bool sort_all =
      order == ScanOrder::kTime && rows_of(cluster) <= kReadAheadRowsMax &&
      std::ranges::none_of(cluster, [&](const SegmentPtr& segment) { return one_series(*plan, *segment); });
  const std::size_t batch_rows =
      std::min(request.batch_rows, std::max(kMergeBatchRowsMin, kMergeRowsMax / cluster.size()));
  std::vector<std::unique_ptr<BatchSource>> sources;
  for (const SegmentPtr& segment : cluster) {
    std::unique_ptr<BatchSource> source;
    if (sort_all) {
      source = std::make_unique<SegmentSource>(plan, segment, request.batch_rows);
    } else {
      source = std::make_unique<OrderedSegment>(plan, segment, order, batch_rows);
    }
    sources.push_back(read_ahead ? ahead_of(std::move(source), *plan) : std::move(source));
  }
  if (!sort_all) return merge_sources(std::move(sources), plan->keys, order, request.batch_rows);
  return sort_source(chain_sources(std::move(sources)), plan->keys, order, request.batch_rows);
}

std::unique_ptr<BatchSource> cluster_source(const std::shared_ptr<const Plan>& plan, const Cluster& cluster,
                                            bool read_ahead) {
  const std::size_t batch_rows = plan->request.batch_rows;
  const bool any = plan->order == ScanOrder::kAny;
  if (cluster.size() > 1) {
    // In any order the one in which segments have their rows already is the quickest.
    auto rows = merged_cluster(plan, cluster, any ? ScanOrder::kSeries : plan->order, read_ahead);
    return plan->keeps_last() ? last_rows(std::move(rows), plan->keys) : std::move(rows);
  }
  if (any) return std::make_unique<SegmentSource>(plan, cluster.front(), batch_rows);
  return std::make_unique<OrderedSegment>(plan, cluster.front(), plan->order, batch_rows);
}

/// What must be merged, each by rank; `segments` come by (min, max, key). In any order nothing need be, unless one may
/// replace rows of another.
std::vector<Cluster> cut_clusters(std::vector<SegmentPtr> segments, const Plan& plan) {
  std::vector<Cluster> clusters;
  if (plan.order == ScanOrder::kAny && !plan.keeps_last()) {
    for (SegmentPtr& segment : segments) clusters.push_back({std::move(segment)});
  } else if (plan.order != ScanOrder::kSeries || plan.index.tags.empty()) {
    clusters = cut_where_none_overlaps(segments);
  } else if (!segments.empty()) {
    clusters.push_back(std::move(segments));
  }
  for (Cluster& cluster : clusters) std::ranges::stable_sort(cluster, {}, [](const auto& s) { return s->rank; });
  return clusters;
}

/// Clusters one after the other, the next ones reading ahead.
class ClusterChain : public BatchSource {
 public:
  ClusterChain(std::shared_ptr<const Plan> plan, std::vector<Cluster> clusters)
      : plan_(std::move(plan)), clusters_(std::move(clusters)) {}

  Result<BatchPtr> next() override {
    while (true) {
      open_ahead();
      if (open_.empty()) return nullptr;
      MARIGRAM_ASSIGN(BatchPtr batch, open_.front().source->next());
      if (batch) return batch;
      rows_open_ -= open_.front().rows;
      open_.pop_front();
    }
  }

 private:
  struct Open {
    std::unique_ptr<BatchSource> source;
    std::uint64_t rows;  // of its segments
  };

  /// With several clusters each reads ahead as a whole; a single one reads ahead in its sources. Never both: a merge
  /// on the pool that waits for tasks of the pool could wait for ever.
  void open_ahead() {
    if (clusters_.size() == 1) {
      if (next_cluster_ == 0) open_.push_back({cluster_source(plan_, clusters_[next_cluster_++], true), 0});
      return;
    }
    const std::size_t most = plan_->environment->pool->size() + 1;
    while (open_.size() < most && next_cluster_ < clusters_.size()) {
      const std::uint64_t rows = rows_of(clusters_[next_cluster_]);
      if (open_.size() >= 2 && rows_open_ + rows > kReadAheadRowsMax) return;
      open_.push_back({ahead_of(cluster_source(plan_, clusters_[next_cluster_++], false), *plan_), rows});
      rows_open_ += rows;
    }
  }

  std::shared_ptr<const Plan> plan_;
  std::vector<Cluster> clusters_;
  std::size_t next_cluster_ = 0;
  std::deque<Open> open_;
  std::uint64_t rows_open_ = 0;
};

/// What a scan gives out of the rows in its order: limit and projection.
class ScanSource : public BatchSource {
 public:
  ScanSource(std::shared_ptr<const Plan> plan, std::unique_ptr<BatchSource> rows)
      : plan_(std::move(plan)), rows_(std::move(rows)), rows_left_(plan_->request.limit) {}

  Result<BatchPtr> next() override {
    if (rows_left_ == 0) rows_.reset();
    if (!rows_) return nullptr;
    if (plan_->request.cancel.cancelled()) return fail(ErrorCode::kCancelled, "scan cancelled");
    Result<BatchPtr> batch = rows_->next();
    if (batch && *batch) return trim(std::move(*batch));
    rows_.reset();
    return batch;
  }

 private:
  Result<BatchPtr> trim(BatchPtr batch) {
    if (static_cast<std::uint64_t>(batch->num_rows()) > rows_left_) {
      batch = batch->Slice(0, static_cast<std::int64_t>(rows_left_));
    }
    rows_left_ -= static_cast<std::uint64_t>(batch->num_rows());
    if (plan_->columns_out < plan_->columns.size()) {
      std::vector<int> given(plan_->columns_out);
      for (std::size_t i = 0; i < given.size(); ++i) given[i] = static_cast<int>(i);
      auto projected = batch->SelectColumns(given);
      if (!projected.ok()) {
        return std::unexpected(segment::from_arrow_status(projected.status(), "cannot scan", false));
      }
      batch = *std::move(projected);
    }
    return null_for_empty(std::move(batch), plan_->tags_out);
  }

  std::shared_ptr<const Plan> plan_;
  std::unique_ptr<BatchSource> rows_;  // null at the end
  std::uint64_t rows_left_;
};

/// `with_keys`: the columns that order rows too.
Status choose_columns(Plan& plan, bool with_keys) {
  plan.columns = plan.request.columns;
  if (plan.columns.empty()) {
    for (const model::Column& column : plan.schema.columns) plan.columns.push_back(column.name);
  }
  for (const std::string& name : plan.columns) {
    if (plan.schema.find(name) != nullptr) continue;
    return fail(ErrorCode::kNotFound, fmt::format("cannot scan column {}: the table has no such column", name));
  }
  plan.columns_out = plan.columns.size();
  for (std::size_t i = 0; i < plan.columns_out && plan.state->meta->grows(); ++i) {
    const bool tag = std::ranges::find(plan.index.tags, plan.columns[i]) != plan.index.tags.end();
    if (tag) plan.tags_out.push_back(static_cast<int>(i));
  }
  if (!with_keys) return {};
  const auto position = [&](const std::string& name) {
    const auto found = std::ranges::find(plan.columns, name);
    if (found != plan.columns.end()) return static_cast<int>(found - plan.columns.begin());
    plan.columns.push_back(name);
    return static_cast<int>(plan.columns.size()) - 1;
  };
  plan.keys.index = position(plan.index.column);
  for (const std::string& tag : plan.index.tags) plan.keys.tags.push_back(position(tag));
  return {};
}

Result<std::shared_ptr<arrow::Schema>> output_schema(const Plan& plan) {
  model::Schema schema;
  for (std::size_t i = 0; i < plan.columns_out; ++i) schema.columns.push_back(*plan.schema.find(plan.columns[i]));
  return segment::to_arrow(schema);
}

std::vector<SegmentPtr> matching_segments(const Engine& engine, const Plan& plan) {
  const ScanRequest& request = plan.request;
  const auto list = engine.segments(plan.state);
  std::vector<SegmentPtr> segments;
  for (const SegmentPtr& segment : list->between(request.from, request.to)) {
    if (segment_may_match(*segment, plan.index, request.from, request.to, request.where)) segments.push_back(segment);
  }
  return segments;
}

Status find_hidden(const Engine& engine, std::span<const SegmentPtr> segments, Plan& plan) {
  if (plan.state->tombstones.empty()) return {};
  MARIGRAM_ASSIGN(const auto tombstones, engine.tombstones(*plan.state));
  for (const SegmentPtr& segment : segments) {
    if (auto hidden = tombstones->of(*segment)) plan.hidden.emplace(segment.get(), std::move(hidden));
  }
  return {};
}

/// The rows of the segments and, later than they, the newer ones.
std::unique_ptr<BatchSource> all_rows(const std::shared_ptr<const Plan>& plan, std::vector<Cluster> clusters,
                                      const NewerRows& newer) {
  const bool in_segments = !clusters.empty();
  auto rows = std::make_unique<ClusterChain>(plan, std::move(clusters));
  if (!newer) return rows;
  if (!in_segments) return newer(plan->columns, plan->order);
  std::vector<std::unique_ptr<BatchSource>> sources;
  sources.push_back(std::move(rows));
  sources.push_back(newer(plan->columns, plan->order));
  if (plan->order == ScanOrder::kAny) return chain_sources(std::move(sources));
  auto merged = merge_sources(std::move(sources), plan->keys, plan->order, plan->request.batch_rows);
  return plan->keeps_last() ? last_rows(std::move(merged), plan->keys) : std::move(merged);
}

}  // namespace

bool segment_may_match(const model::SegmentMeta& segment, const model::IndexSpec& index,
                       const std::optional<IndexValue>& from, const std::optional<IndexValue>& to,
                       const std::vector<TagPredicate>& where) {
  if (from && model::is_before(segment.max, *from)) return false;
  if (to && !model::is_before(segment.min, *to)) return false;
  const auto* series = std::get_if<SeriesKey>(&segment.layout);
  return series == nullptr || model::series_matches(*series, index, where);
}

Status check_range_and_tags(const model::IndexSpec& index, const std::optional<IndexValue>& from,
                            const std::optional<IndexValue>& to, const std::vector<TagPredicate>& where) {
  for (const auto& bound : {from, to}) {
    if (bound && !model::value_matches(index.kind, *bound)) {
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot use bound {}: the index {} is of type {}", format_index_value(*bound),
                              index.column, model::index_kind_name(index.kind)));
    }
  }
  if (from && to && *from >= *to) {
    return fail(ErrorCode::kInvalidInput, fmt::format("cannot use range [{}, {}): it is empty; want from < to",
                                                      format_index_value(*from), format_index_value(*to)));
  }
  for (const TagPredicate& predicate : where) {
    if (std::ranges::find(index.tags, predicate.column) == index.tags.end()) {
      return fail(
          ErrorCode::kNotFound,
          fmt::format("cannot filter by {}: it is not a tag of the table; its tags are {}", predicate.column,
                      index.tags.empty() ? std::string("none") : fmt::format("{}", fmt::join(index.tags, ", "))));
    }
  }
  return {};
}

Result<ScanStream> scan(const Engine& engine, const ScanRequest& request) {
  return scan(engine, engine.state(), request, {});
}

Result<ScanStream> scan(const Engine& engine, StatePtr state, const ScanRequest& request, const NewerRows& newer) {
  auto plan = std::make_shared<Plan>();
  plan->environment = &engine.environment();
  plan->state = std::move(state);
  plan->request = request;
  // Newer rows may replace any of the segments, and in order of time few segments are open at once.
  plan->order = request.order == ScanOrder::kAny && plan->keeps_last() && newer ? ScanOrder::kTime : request.order;
  MARIGRAM_ASSIGN(plan->index, require_index(*plan->state));
  if (request.batch_rows == 0) return fail(ErrorCode::kInvalidInput, "cannot scan: batch_rows is 0; want at least 1");
  MARIGRAM_TRY(check_range_and_tags(plan->index, request.from, request.to, request.where));
  if (!plan->state->meta->schema) {
    return ScanStream{arrow::schema({}), std::make_unique<ScanSource>(plan, nullptr)};
  }
  plan->schema = *plan->state->meta->schema;
  std::vector<SegmentPtr> segments = matching_segments(engine, *plan);
  MARIGRAM_TRY(find_hidden(engine, segments, *plan));
  std::vector<Cluster> clusters = cut_clusters(std::move(segments), *plan);
  const bool merges = std::ranges::any_of(clusters, [](const Cluster& cluster) { return cluster.size() > 1; });
  MARIGRAM_TRY(choose_columns(*plan, plan->order != ScanOrder::kAny || merges || !plan->hidden.empty()));
  MARIGRAM_ASSIGN(std::shared_ptr<arrow::Schema> schema, output_schema(*plan));
  auto rows = all_rows(plan, std::move(clusters), newer);
  return ScanStream{std::move(schema), std::make_unique<ScanSource>(std::move(plan), std::move(rows))};
}

}  // namespace marigram::table
