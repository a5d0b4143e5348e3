#include "query/asof_rows.h"

#include "base/try.h"
#include "query/probe_set.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"
#include "segment/tag_columns.h"
#include "table/absent_tags.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace marigram::query {
namespace {

constexpr const char* kDoing = "cannot join the rows";
constexpr std::size_t kSeriesInPredicateMax = 1'000;

/// Conditions that rows of these series fulfil, and of few others; none if the series are many.
std::vector<TagPredicate> predicates_for(const std::vector<const SeriesKey*>& series, const model::IndexSpec& index) {
  std::vector<TagPredicate> predicates;
  if (series.size() > kSeriesInPredicateMax) return predicates;
  for (std::size_t i = 0; i < index.tags.size(); ++i) {
    std::set<std::string> values;
    for (const SeriesKey* key : series) values.insert(format_tag_value((*key)[i]));
    predicates.push_back({.column = index.tags[i], .values = {values.begin(), values.end()}});
  }
  return predicates;
}

}  // namespace

ScanRequest rows_of_series(ScanRequest request, const std::vector<const SeriesKey*>& series,
                           const model::IndexSpec& index) {
  request.batch_rows = std::size_t{1} << 24U;  // in one piece: what comes in several is copied
  std::ranges::move(predicates_for(series, index), std::back_inserter(request.where));
  return request;
}

Result<AsofRows> AsofRows::load(table::BatchSource& source, const std::shared_ptr<arrow::Schema>& schema,
                                const model::IndexSpec& index) {
  AsofRows rows;
  while (true) {
    MARIGRAM_ASSIGN(const auto batch, source.next());
    if (!batch) break;
    // Whether columns may be null is not said alike by all sources.
    const auto alike = arrow::RecordBatch::Make(schema, batch->num_rows(), batch->columns());
    MARIGRAM_ASSIGN(auto filled, table::empty_for_null_tags(alike, index.tags));
    if (batch->num_rows() > 0) MARIGRAM_TRY(rows.add(std::move(filled), index));
  }
  if (!rows.chunks_.empty()) MARIGRAM_TRY(rows.set_times(index));
  return rows;
}

Status AsofRows::add(std::shared_ptr<arrow::RecordBatch> batch, const model::IndexSpec& index) {
  const std::int64_t begin = chunks_.empty() ? 0 : chunks_.back().end;
  const std::int64_t count = batch->num_rows();
  MARIGRAM_ASSIGN(const auto tags, segment::TagColumns::make(*batch, index.tags, kDoing, 0));
  std::vector<std::uint8_t> starts(static_cast<std::size_t>(count));
  if (!tags.empty()) tags.mark_changes(starts);
  starts.front() = 1;
  for (auto start = starts.begin(); start != starts.end(); start = std::find(start + 1, starts.end(), 1)) {
    const std::int64_t row = start - starts.begin();
    if (!series_.empty()) series_.back().end = begin + row;
    SeriesKey key = tags.empty() ? SeriesKey() : tags.key_of(row);
    if (series_.empty() || series_.back().key != key) series_.push_back({std::move(key), begin + row, begin + row});
  }
  series_.back().end = begin + count;
  chunks_.push_back({.batch = std::move(batch), .begin = begin, .end = begin + count});
  return {};
}

Status AsofRows::set_times(const model::IndexSpec& index) {
  const auto times_of = [&](const Chunk& chunk) {
    const auto time = chunk.batch->GetColumnByName(index.column);
    return std::span(time->data()->GetValues<std::int64_t>(1), static_cast<std::size_t>(chunk.end - chunk.begin));
  };
  const std::int64_t flip = std::holds_alternative<model::UInt64Index>(index.kind) ? INT64_MIN : 0;
  times_ = times_of(chunks_.front());
  if (chunks_.size() == 1 && flip == 0) return {};
  MARIGRAM_ASSIGN(own_times_,
                  segment::PoolArray<std::int64_t>::make(static_cast<std::size_t>(chunks_.back().end), kDoing));
  auto to = own_times_.all().begin();
  for (const Chunk& chunk : chunks_) {
    to = std::ranges::transform(times_of(chunk), to, [flip](std::int64_t time) { return time ^ flip; }).out;
  }
  times_ = own_times_.all();
  return {};
}

/// Whether rows are not null in a column: in any order, quickest in that of rows.
class AsofRows::Valid {
 public:
  /// `column`: empty, and all are so.
  Valid(const AsofRows& rows, const std::string& column) : rows_(rows) {
    if (column.empty()) return;
    for (const Chunk& chunk : rows.chunks_) {
      columns_.push_back(chunk.batch->GetColumnByName(column));
      has_nulls_ |= columns_.back()->null_count() > 0;
    }
  }

  bool has_nulls() const { return has_nulls_; }
  bool operator()(std::int64_t row) const {
    const Chunk& chunk = rows_.chunk_of(row);
    return columns_[static_cast<std::size_t>(&chunk - rows_.chunks_.data())]->IsValid(row - chunk.begin);
  }

 private:
  const AsofRows& rows_;
  arrow::ArrayVector columns_;  // of each chunk
  bool has_nulls_ = false;
};

const AsofRows::Chunk& AsofRows::chunk_of(std::int64_t row) const {
  return *std::ranges::upper_bound(chunks_, row, {}, &Chunk::end);
}

const AsofRows::Stretch* AsofRows::find(const SeriesKey& series) const {
  const auto own = std::ranges::lower_bound(series_, series, {}, &Stretch::key);
  return own == series_.end() || own->key != series ? nullptr : &*own;
}

Result<std::shared_ptr<arrow::Array>> AsofRows::column(const std::string& name) const {
  if (name.empty() || chunks_.empty()) return nullptr;
  if (chunks_.size() == 1) return chunks_.front().batch->GetColumnByName(name);
  arrow::ArrayVector columns;
  for (const Chunk& chunk : chunks_) columns.push_back(chunk.batch->GetColumnByName(name));
  auto whole = arrow::Concatenate(columns, segment::memory_pool());
  if (!whole.ok()) return std::unexpected(segment::from_arrow_status(whole.status(), kDoing, false));
  return *std::move(whole);
}

Status AsofRows::find(AsofSide side, const std::string& valid, std::span<const AsofTarget> /*columns*/,
                      std::span<const AsofQuestion> questions) {
  const Valid is_valid(*this, valid);
  for (const AsofQuestion& question : questions) find(side, is_valid, question);
  return {};
}

void AsofRows::find(AsofSide side, const Valid& valid, const AsofQuestion& question) const {
  const Stretch* const own = find(*question.series);
  std::ranges::fill(question.found, AsofRow());
  if (own == nullptr) return;
  const auto count = static_cast<std::size_t>(own->end - own->begin);
  const auto times = times_.subspan(static_cast<std::size_t>(own->begin), count);
  if (!valid.has_nulls()) return find_rows(side, times, own->begin, question.bounds, question.found);
  const auto is_valid = [&](std::size_t i) { return valid(own->begin + static_cast<std::int64_t>(i)); };
  const auto reached = [&](std::int64_t bound) {
    const auto at =
        side == AsofSide::kBefore ? std::ranges::upper_bound(times, bound) : std::ranges::lower_bound(times, bound);
    return static_cast<std::size_t>(at - times.begin());
  };
  std::size_t begin = reached(question.bounds.front());
  std::size_t end = reached(question.bounds.back());
  if (side == AsofSide::kBefore) {  // what the first bound meets is before it, or what the last does is behind
    while (begin > 0) {
      --begin;
      if (is_valid(begin)) break;
    }
  } else {
    while (end < count && !is_valid(end)) ++end;
    end = std::min(end + 1, count);
  }
  ChosenRows chosen;
  for (std::size_t i = begin; i < end; ++i) {
    if (is_valid(i)) chosen.add(own->begin + static_cast<std::int64_t>(i), times[i]);
  }
  chosen.find(side, question.bounds, question.found);
}

Status AsofRows::put(std::span<const AsofTarget> columns, const AsofPicks& picks) {
  for (std::size_t i = 0; i < picks.rows.size();) {
    const Chunk& chunk = chunk_of(picks.rows[i]);
    const auto rest = picks.rows.subspan(i);
    const auto behind =
        std::ranges::find_if(rest, [&](std::int64_t row) { return row < chunk.begin || row >= chunk.end; });
    const auto count = static_cast<std::size_t>(behind - rest.begin());
    const AsofPicks own{rest.first(count), picks.to.subspan(i, count)};
    for (const auto& [name, to] : columns) {
      MARIGRAM_TRY(to->put(*chunk.batch->GetColumnByName(name), chunk.begin, own));
    }
    i += count;
  }
  return {};
}

}  // namespace marigram::query
