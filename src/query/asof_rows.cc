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
#include <utility>

namespace marigram::query {
namespace {

constexpr const char* kDoing = "cannot join the rows";

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

Status AsofRows::find(AsofSide side, const std::string& valid, std::span<const AsofQuestion> questions) {
  const auto column = valid.empty() ? nullptr : batch_->GetColumnByName(valid);
  for (const AsofQuestion& question : questions) find(side, column.get(), question);
  return {};
}

void AsofRows::find(AsofSide side, const arrow::Array* valid, const AsofQuestion& question) const {
  const auto own = std::ranges::lower_bound(series_, *question.series, {}, &Stretch::key);
  std::ranges::fill(question.found, AsofRow());
  if (own == series_.end() || own->key != *question.series) return;
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
