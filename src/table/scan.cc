#include "table/scan.h"

#include "base/try.h"
#include "segment/arrow_schema.h"
#include "segment/reader.h"
#include "table/merge.h"

#include <arrow/api.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
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
  std::vector<std::string> columns;  // read: those asked for, then the keys that ordering needs besides
  std::size_t columns_out = 0;       // of which are given out
  KeyColumns keys;
};

bool one_series(const Plan& plan, const model::SegmentMeta& segment) {
  return plan.index.tags.empty() || plan.state->dialect() == Dialect::kV1 ||
         std::holds_alternative<SeriesKey>(segment.layout);
}

/// Rows of one segment in file order; opens it when first asked.
class SegmentSource : public BatchSource {
 public:
  SegmentSource(std::shared_ptr<const Plan> plan, SegmentPtr segment, std::size_t batch_rows)
      : plan_(std::move(plan)), segment_(std::move(segment)), batch_rows_(batch_rows) {}

  Result<BatchPtr> next() override {
    if (!rows_) MARIGRAM_TRY(open());
    while (true) {
      if (plan_->request.cancel.cancelled()) return fail(ErrorCode::kCancelled, "scan cancelled");
      MARIGRAM_ASSIGN(BatchPtr batch, rows_->next());
      if (!batch || batch->num_rows() > 0) return batch;
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
    auto reader = plan_->environment->segments->open(*plan_->environment->store, segment_->path);
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
    return {};
  }

  std::shared_ptr<const Plan> plan_;
  SegmentPtr segment_;
  std::size_t batch_rows_;
  std::shared_ptr<segment::SegmentReader> reader_;  // outlives rows_
  std::unique_ptr<segment::RowStream> rows_;
};

/// Rows of one segment by time or by series.
class OrderedSegment : public BatchSource {
 public:
  OrderedSegment(std::shared_ptr<const Plan> plan, SegmentPtr segment, std::size_t batch_rows)
      : plan_(std::move(plan)), segment_(std::move(segment)), batch_rows_(batch_rows) {}

  Result<BatchPtr> next() override {
    if (!source_) MARIGRAM_TRY(open());
    return source_->next();
  }

 private:
  Status open() {
    auto rows = std::make_unique<SegmentSource>(plan_, segment_, batch_rows_);
    MARIGRAM_ASSIGN(const bool sorted, rows->declared_sorted());
    if (sorted && (one_series(*plan_, *segment_) || plan_->request.order == ScanOrder::kSeries)) {
      source_ = std::move(rows);
    } else {
      KeyColumns keys = plan_->keys;
      if (sorted) keys.tags.clear();  // rows of equal times keep their order, which is that of the series
      source_ = sort_source(std::move(rows), std::move(keys), plan_->request.order, batch_rows_);
    }
    return {};
  }

  std::shared_ptr<const Plan> plan_;
  SegmentPtr segment_;
  std::size_t batch_rows_;
  std::unique_ptr<BatchSource> source_;
};

/// Segments that must be merged, because their keys interleave; one alone needs no merge.
using Cluster = std::vector<SegmentPtr>;

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

/// `read_ahead`: each segment for itself.
std::unique_ptr<BatchSource> cluster_source(const std::shared_ptr<const Plan>& plan, const Cluster& cluster,
                                            bool read_ahead) {
  const ScanRequest& request = plan->request;
  if (request.order == ScanOrder::kAny) {
    return std::make_unique<SegmentSource>(plan, cluster.front(), request.batch_rows);
  }
  if (cluster.size() == 1) return std::make_unique<OrderedSegment>(plan, cluster.front(), request.batch_rows);
  // Rows of several series per segment must be sorted by time anyway: all at once, if they are not too many.
  const bool sort_all =
      request.order == ScanOrder::kTime && rows_of(cluster) <= kReadAheadRowsMax &&
      std::ranges::none_of(cluster, [&](const SegmentPtr& segment) { return one_series(*plan, *segment); });
  const std::size_t batch_rows =
      std::min(request.batch_rows, std::max(kMergeBatchRowsMin, kMergeRowsMax / cluster.size()));
  std::vector<std::unique_ptr<BatchSource>> sources;
  for (const SegmentPtr& segment : cluster) {
    std::unique_ptr<BatchSource> source;
    if (sort_all) {
      source = std::make_unique<SegmentSource>(plan, segment, request.batch_rows);
    } else {
      source = std::make_unique<OrderedSegment>(plan, segment, batch_rows);
    }
    sources.push_back(read_ahead ? ahead_of(std::move(source), *plan) : std::move(source));
  }
  if (!sort_all) return merge_sources(std::move(sources), plan->keys, request.order, request.batch_rows);
  return sort_source(chain_sources(std::move(sources)), plan->keys, request.order, request.batch_rows);
}

/// Segments in (min, max, key) order, cut where no later one reaches back.
std::vector<Cluster> cut_clusters(const std::vector<SegmentPtr>& segments, const Plan& plan) {
  std::vector<Cluster> clusters;
  const bool by_time = plan.request.order == ScanOrder::kTime || plan.index.tags.empty();
  std::optional<IndexValue> reach;  // the last value of the current cluster
  for (const SegmentPtr& segment : segments) {
    const bool interleaves = reach && plan.request.order != ScanOrder::kAny && (!by_time || segment->min <= *reach);
    if (!interleaves) {
      clusters.emplace_back();
      reach = segment->max;
    }
    clusters.back().push_back(segment);
    if (*reach < segment->max) reach = segment->max;
  }
  return clusters;
}

/// Clusters one after the other, the next ones reading ahead; then limit and projection.
class ScanSource : public BatchSource {
 public:
  ScanSource(std::shared_ptr<const Plan> plan, std::vector<Cluster> clusters)
      : plan_(std::move(plan)), clusters_(std::move(clusters)), rows_left_(plan_->request.limit) {}

  Result<BatchPtr> next() override {
    while (rows_left_ > 0) {
      if (plan_->request.cancel.cancelled()) return fail(ErrorCode::kCancelled, "scan cancelled");
      open_ahead();
      if (open_.empty()) break;
      MARIGRAM_ASSIGN(BatchPtr batch, open_.front().source->next());
      if (batch) return trim(batch);
      rows_open_ -= open_.front().rows;
      open_.pop_front();
    }
    open_.clear();
    next_cluster_ = clusters_.size();
    return nullptr;
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

  Result<BatchPtr> trim(BatchPtr batch) {
    if (static_cast<std::uint64_t>(batch->num_rows()) > rows_left_) {
      batch = batch->Slice(0, static_cast<std::int64_t>(rows_left_));
    }
    rows_left_ -= static_cast<std::uint64_t>(batch->num_rows());
    if (plan_->columns_out == plan_->columns.size()) return batch;
    std::vector<int> given(plan_->columns_out);
    for (std::size_t i = 0; i < given.size(); ++i) given[i] = static_cast<int>(i);
    auto projected = batch->SelectColumns(given);
    if (projected.ok()) return *projected;
    return std::unexpected(segment::from_arrow_status(projected.status(), "cannot scan", false));
  }

  std::shared_ptr<const Plan> plan_;
  std::vector<Cluster> clusters_;
  std::size_t next_cluster_ = 0;
  std::deque<Open> open_;
  std::uint64_t rows_open_ = 0;
  std::uint64_t rows_left_;
};

Status choose_columns(Plan& plan) {
  plan.columns = plan.request.columns;
  if (plan.columns.empty()) {
    for (const model::Column& column : plan.schema.columns) plan.columns.push_back(column.name);
  }
  for (const std::string& name : plan.columns) {
    if (plan.schema.find(name) != nullptr) continue;
    return fail(ErrorCode::kNotFound, fmt::format("cannot scan column {}: the table has no such column", name));
  }
  plan.columns_out = plan.columns.size();
  if (plan.request.order == ScanOrder::kAny) return {};
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

}  // namespace

bool series_matches(const SeriesKey& series, const model::IndexSpec& index, const std::vector<TagPredicate>& where) {
  return std::ranges::all_of(where, [&](const TagPredicate& predicate) {
    const auto tag = std::ranges::find(index.tags, predicate.column) - index.tags.begin();
    const std::string value = format_tag_value(series[static_cast<std::size_t>(tag)]);
    return std::ranges::find(predicate.values, value) != predicate.values.end();
  });
}

bool segment_may_match(const model::SegmentMeta& segment, const model::IndexSpec& index,
                       const std::optional<IndexValue>& from, const std::optional<IndexValue>& to,
                       const std::vector<TagPredicate>& where) {
  if (from && model::is_before(segment.max, *from)) return false;
  if (to && !model::is_before(segment.min, *to)) return false;
  const auto* series = std::get_if<SeriesKey>(&segment.layout);
  return series == nullptr || series_matches(*series, index, where);
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
  auto plan = std::make_shared<Plan>();
  plan->environment = &engine.environment();
  plan->state = engine.state();
  plan->request = request;
  MARIGRAM_ASSIGN(plan->index, require_index(*plan->state));
  if (request.batch_rows == 0) return fail(ErrorCode::kInvalidInput, "cannot scan: batch_rows is 0; want at least 1");
  MARIGRAM_TRY(check_range_and_tags(plan->index, request.from, request.to, request.where));
  if (!plan->state->meta->schema) {
    return ScanStream{arrow::schema({}), std::make_unique<ScanSource>(plan, std::vector<Cluster>{})};
  }
  plan->schema = *plan->state->meta->schema;
  MARIGRAM_TRY(choose_columns(*plan));
  MARIGRAM_ASSIGN(std::shared_ptr<arrow::Schema> schema, output_schema(*plan));
  std::vector<SegmentPtr> segments;
  const auto list = engine.segments(plan->state);
  for (const SegmentPtr& segment : list->between(request.from, request.to)) {
    if (segment_may_match(*segment, plan->index, request.from, request.to, request.where)) segments.push_back(segment);
  }
  std::vector<Cluster> clusters = cut_clusters(segments, *plan);
  return ScanStream{std::move(schema), std::make_unique<ScanSource>(std::move(plan), std::move(clusters))};
}

}  // namespace marigram::table
