#include "query/asof_rows.h"

#include "base/try.h"
#include "query/probe_set.h"
#include "segment/arrow_status.h"
#include "segment/memory_pool.h"
#include "segment/tag_columns.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
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

Result<std::shared_ptr<arrow::RecordBatch>> read_all(table::BatchSource& source,
                                                     const std::shared_ptr<arrow::Schema>& schema) {
  arrow::RecordBatchVector batches;
  while (true) {
    MARIGRAM_ASSIGN(auto batch, source.next());
    if (!batch) break;
    batches.push_back(std::move(batch));
  }
  if (batches.size() == 1) return batches.front();
  const auto table = arrow::Table::FromRecordBatches(schema, batches);
  if (!table.ok()) return std::unexpected(segment::from_arrow_status(table.status(), kDoing, false));
  auto whole = (*table)->CombineChunksToBatch(segment::memory_pool());
  if (!whole.ok()) return std::unexpected(segment::from_arrow_status(whole.status(), kDoing, false));
  return *std::move(whole);
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
  MARIGRAM_ASSIGN(const auto read, read_all(source, schema));
  MARIGRAM_ASSIGN(rows.batch_, with_empty_tags(read, index.tags));
  const std::int64_t count = rows.batch_->num_rows();
  if (count == 0) return rows;
  MARIGRAM_ASSIGN(const auto tags, segment::TagColumns::make(*rows.batch_, index.tags, kDoing, 0));
  std::vector<std::uint8_t> starts(static_cast<std::size_t>(count));
  if (!tags.empty()) tags.mark_changes(starts);
  starts.front() = 1;
  for (std::int64_t row = 0; row < count; ++row) {
    if (starts[static_cast<std::size_t>(row)] == 0) continue;
    if (!rows.series_.empty()) rows.series_.back().end = row;
    SeriesKey key = tags.empty() ? SeriesKey() : tags.key_of(row);
    if (rows.series_.empty() || rows.series_.back().key != key) rows.series_.push_back({std::move(key), row, row});
  }
  rows.series_.back().end = count;
  const auto time = rows.batch_->GetColumnByName(index.column);
  rows.times_ = {time->data()->GetValues<std::int64_t>(1), static_cast<std::size_t>(count)};
  if (std::holds_alternative<model::UInt64Index>(index.kind)) {
    rows.flipped_.assign(rows.times_.begin(), rows.times_.end());
    for (std::int64_t& value : rows.flipped_) value ^= INT64_MIN;
    rows.times_ = rows.flipped_;
  }
  return rows;
}

const AsofRows::Stretch* AsofRows::find(const SeriesKey& series) const {
  const auto own = std::ranges::lower_bound(series_, series, {}, &Stretch::key);
  return own == series_.end() || own->key != series ? nullptr : &*own;
}

std::shared_ptr<arrow::Array> AsofRows::column(const std::string& name) const {
  return name.empty() ? nullptr : batch_->GetColumnByName(name);
}

Status AsofRows::find(AsofSide side, const std::string& valid, std::span<const AsofQuestion> questions) {
  const auto values = column(valid);
  for (const AsofQuestion& question : questions) find(side, values.get(), question);
  return {};
}

void AsofRows::find(AsofSide side, const arrow::Array* valid, const AsofQuestion& question) const {
  const Stretch* const own = find(*question.series);
  std::ranges::fill(question.found, AsofRow());
  if (own == nullptr) return;
  const auto count = static_cast<std::size_t>(own->end - own->begin);
  const auto times = times_.subspan(static_cast<std::size_t>(own->begin), count);
  if (valid == nullptr || valid->null_count() == 0) {
    return find_rows(side, times, own->begin, question.bounds, question.found);
  }
  ChosenRows chosen;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t row = own->begin + static_cast<std::int64_t>(i);
    if (valid->IsValid(row)) chosen.add(row, times[i]);
  }
  chosen.find(side, question.bounds, question.found);
}

Status AsofRows::put(const std::string& column, const AsofPicks& picks, AsofColumn& to) {
  return to.put(*batch_->GetColumnByName(column), picks);
}

}  // namespace marigram::query
