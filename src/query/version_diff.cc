#include "query/version_diff.h"

#include "base/try.h"
#include "model/index.h"
#include "query/row_changes.h"
#include "segment/arrow_schema.h"
#include "segment/arrow_status.h"
#include "table/absent_tags.h"
#include "table/batch_source.h"
#include "table/segment_list.h"
#include "table/tombstone_list.h"

#include <marigram/series.h>
#include <marigram/time.h>

#include <arrow/api.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace marigram::query {
namespace {

using table::SegmentPtr;
using table::StatePtr;

/// Of times, inclusive.
struct Span {
  IndexValue first;
  IndexValue last;
};

/// The next value; unset: there is none.
std::optional<IndexValue> value_after(const IndexValue& value) {
  if (const auto* const number = std::get_if<std::int64_t>(&value)) {
    if (*number == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
    return *number + 1;
  }
  if (const auto* const number = std::get_if<std::uint64_t>(&value)) {
    if (*number == std::numeric_limits<std::uint64_t>::max()) return std::nullopt;
    return *number + 1;
  }
  Instant instant = std::get<Instant>(value);
  constexpr std::int32_t kLastNano = 999'999'999;
  if (instant.seconds == std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  if (instant.nanos == kLastNano) return Instant{.seconds = instant.seconds + 1};
  ++instant.nanos;
  return instant;
}

/// What of two versions has to be read.
class Differing {
 public:
  /// `index` of `newer`, which knows all tags.
  Differing(const log::TableState& from, const log::TableState& to, const log::TableState& newer,
            const model::IndexSpec& index, const DiffRequest& request)
      : from_(from), to_(to), newer_(newer), index_(index), request_(request) {
    note_tombstones(from, to);
    note_tombstones(to, from);
    note_segments(from, to);
    note_segments(to, from);
    join_spans();
  }

  bool empty() const { return spans_.empty(); }
  const IndexValue& first() const { return spans_.front().first; }
  const IndexValue& last() const { return spans_.back().last; }

  /// The state with no more segments than it takes to tell its rows from the other's.
  log::TableState part_of(const log::TableState& state) const {
    const log::TableState& other = &state == &from_ ? to_ : from_;
    log::TableState part = state;
    std::erase_if(part.segments, [&](const auto& own) {
      if (state.duplicates == Duplicates::kLast) return !lies_in_spans(*own.second);
      const auto shared = other.segments.find(own.first);
      return is_same(shared, other, *own.second) && hidden_apart(known(own.first)).empty();
    });
    return part;
  }

 private:
  using Tombstones = std::vector<std::shared_ptr<const model::Tombstone>>;

  template <typename Found>
  static bool is_same(const Found& found, const log::TableState& in, const model::SegmentMeta& segment) {
    return found != in.segments.end() && found->second->rank == segment.rank;
  }

  void note_tombstones(const log::TableState& of, const log::TableState& other) {
    for (const auto& [name, tombstone] : of.tombstones) {
      if (!other.tombstones.contains(name)) tombstones_.push_back(tombstone);
    }
  }

  /// A segment of both, with all tags.
  const model::SegmentMeta& known(const std::string& key) const { return *newer_.segments.at(key); }

  /// Tombstones that one version alone has and that may hide rows of the segment.
  Tombstones hidden_apart(const model::SegmentMeta& segment) const {
    Tombstones apart;
    std::ranges::copy_if(tombstones_, std::back_inserter(apart),
                         [&](const auto& tombstone) { return table::may_hide(*tombstone, segment, index_); });
    return apart;
  }

  void note_segments(const log::TableState& of, const log::TableState& other) {
    for (const auto& [key, segment] : of.segments) {
      if (!is_same(other.segments.find(key), other, *segment)) {
        add({segment->min, segment->max});
      } else if (&of == &newer_) {
        for (const auto& tombstone : hidden_apart(*segment)) {
          add({tombstone->from ? std::max(*tombstone->from, segment->min) : segment->min,
               tombstone->to ? std::min(*tombstone->to, segment->max) : segment->max});
        }
      }
    }
  }

  /// As far as it is asked for.
  void add(Span span) {
    if (request_.begin) span.first = std::max(span.first, *request_.begin);
    if (request_.end && span.first >= *request_.end) return;
    if (span.first <= span.last) spans_.push_back(span);
  }

  void join_spans() {
    std::ranges::sort(spans_, {}, &Span::first);
    std::vector<Span> joined;
    for (const Span& span : spans_) {
      if (!joined.empty() && span.first <= joined.back().last) {
        joined.back().last = std::max(joined.back().last, span.last);
      } else {
        joined.push_back(span);
      }
    }
    spans_ = std::move(joined);
  }

  bool lies_in_spans(const model::SegmentMeta& segment) const {
    const auto span = std::ranges::lower_bound(spans_, segment.min, {}, &Span::last);
    return span != spans_.end() && span->first <= segment.max;
  }

  const log::TableState& from_;
  const log::TableState& to_;
  const log::TableState& newer_;
  const model::IndexSpec& index_;
  const DiffRequest& request_;
  Tombstones tombstones_;
  std::vector<Span> spans_;  // in which rows may differ, apart from one another
};

/// Rows of one version with the columns of another.
class WidenedRows : public table::BatchSource {
 public:
  WidenedRows(std::unique_ptr<table::BatchSource> rows, std::shared_ptr<arrow::Schema> schema,
              std::vector<std::string> absent_tags)
      : rows_(std::move(rows)), schema_(std::move(schema)), absent_tags_(std::move(absent_tags)) {}

  Result<std::shared_ptr<arrow::RecordBatch>> next() override {
    MARIGRAM_ASSIGN(const auto batch, rows_->next());
    if (!batch) return nullptr;
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& field : schema_->fields()) {
      auto column = batch->GetColumnByName(field->name());
      if (!column) {
        auto nulls = arrow::MakeArrayOfNull(field->type(), batch->num_rows());
        if (!nulls.ok()) {
          return std::unexpected(segment::from_arrow_status(nulls.status(), "cannot compare versions", false));
        }
        column = *std::move(nulls);
      }
      columns.push_back(std::move(column));
    }
    return table::empty_for_null_tags(arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns)),
                                      absent_tags_);
  }

 private:
  std::unique_ptr<table::BatchSource> rows_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::string> absent_tags_;  // which may be null
};

/// The predicates as a version takes them that may lack tags, which its series then do; unset: it has no such series.
std::optional<std::vector<TagPredicate>> predicates_for(const std::vector<TagPredicate>& where,
                                                        const model::IndexSpec& index) {
  std::vector<TagPredicate> known;
  for (const TagPredicate& predicate : where) {
    if (std::ranges::find(index.tags, predicate.column) != index.tags.end()) {
      known.push_back(predicate);
    } else if (std::ranges::find(predicate.values, "") == predicate.values.end()) {
      return std::nullopt;
    }
  }
  return known;
}

/// A version of v1 may have had other types.
Status check_types(const arrow::Schema& had, const arrow::Schema& has) {
  for (const auto& field : had.fields()) {
    const auto now = has.GetFieldByName(field->name());
    if (now && now->type()->Equals(*field->type())) continue;
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot compare versions: column {} is {} in one of them, {} in the other", field->name(),
                            field->type()->ToString(), now ? now->type()->ToString() : "absent"));
  }
  return {};
}

/// Two versions and what is asked of them.
class Comparison {
 public:
  static Result<Comparison> make(const table::Engine& engine, const DiffRequest& request) {
    Comparison made(engine, request);
    const std::uint64_t to = request.to == 0 ? engine.state()->version : request.to;
    MARIGRAM_ASSIGN(made.from_, engine.log().load(request.from));
    MARIGRAM_ASSIGN(made.to_, engine.log().load(to));
    MARIGRAM_ASSIGN(made.index_, table::require_index(made.newer()));
    MARIGRAM_TRY(table::check_range_and_tags(made.index_, request.begin, request.end, request.where));
    return made;
  }

  Result<table::ScanStream> rows() const {
    ChangesSpec spec{.cancel = request_.cancel};
    MARIGRAM_ASSIGN(spec.schema, segment::to_arrow(newer().meta->schema.value_or(model::Schema())));
    while (spec.schema->GetFieldByName(spec.change)) spec.change = "_" + spec.change;
    for (const std::string& tag : index_.tags) spec.keys.tags.push_back(spec.schema->GetFieldIndex(tag));
    spec.keys.index = spec.schema->GetFieldIndex(index_.column);
    if (newer().meta->grows()) spec.absent_tags = spec.keys.tags;
    const Differing differing(from_, to_, newer(), index_, request_);
    MARIGRAM_ASSIGN(auto before, read(from_, differing, spec.schema));
    MARIGRAM_ASSIGN(auto after, read(to_, differing, spec.schema));
    return row_changes(std::move(before), std::move(after), std::move(spec));
  }

 private:
  Comparison(const table::Engine& engine, const DiffRequest& request) : engine_(engine), request_(request) {}

  const log::TableState& newer() const { return from_.version > to_.version ? from_ : to_; }

  /// Null: there are none.
  Result<std::unique_ptr<table::BatchSource>> read(const log::TableState& state, const Differing& differing,
                                                   const std::shared_ptr<arrow::Schema>& schema) const {
    MARIGRAM_ASSIGN(const model::IndexSpec index, table::require_index(state));
    auto where = predicates_for(request_.where, index);
    if (differing.empty() || !where || !state.meta->schema) return nullptr;
    auto part = std::make_shared<const log::TableState>(differing.part_of(state));
    ScanRequest request{.from = differing.first(), .to = value_after(differing.last()), .where = *std::move(where)};
    if (request_.end) request.to = std::min(*request_.end, request.to.value_or(*request_.end));
    request.order = ScanOrder::kSeries;
    request.cancel = request_.cancel;
    MARIGRAM_ASSIGN(table::ScanStream stream, table::scan(engine_, std::move(part), request, {}));
    MARIGRAM_TRY(check_types(*stream.schema, *schema));
    const bool grows = newer().meta->grows();
    return std::make_unique<WidenedRows>(std::move(stream.rows), schema,
                                         grows ? index_.tags : std::vector<std::string>());
  }

  const table::Engine& engine_;
  const DiffRequest& request_;
  log::TableState from_;
  log::TableState to_;
  model::IndexSpec index_;  // of the newer one
};

}  // namespace

Result<table::ScanStream> version_diff(const table::Engine& engine, const DiffRequest& request) {
  MARIGRAM_ASSIGN(const Comparison comparison, Comparison::make(engine, request));
  return comparison.rows();
}

}  // namespace marigram::query
