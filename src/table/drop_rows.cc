#include "table/drop_rows.h"

#include "base/try.h"
#include "segment/index_bounds.h"
#include "table/row_gather.h"
#include "table/row_order.h"
#include "table/scan.h"

#include <arrow/api.h>

#include <cstddef>
#include <utility>

namespace marigram::table {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

class DropRows : public BatchSource {
 public:
  DropRows(std::unique_ptr<BatchSource> source, model::IndexSpec index, KeyColumns keys,
           std::vector<TagPredicate> where, segment::IndexBounds bounds, std::uint64_t& dropped)
      : source_(std::move(source)),
        index_(std::move(index)),
        keys_(std::move(keys)),
        where_(std::move(where)),
        bounds_(bounds),
        dropped_(dropped) {}

  Result<BatchPtr> next() override {
    while (true) {
      MARIGRAM_ASSIGN(BatchPtr batch, source_->next());
      if (!batch) return nullptr;
      const std::vector<std::uint32_t> kept = kept_rows(*batch);
      const auto rows = static_cast<std::size_t>(batch->num_rows());
      dropped_ += rows - kept.size();
      if (kept.size() == rows) return batch;
      if (kept.empty()) continue;
      MARIGRAM_ASSIGN(const RowGather gather, RowGather::make({batch}));
      return gather.take(kept);
    }
  }

 private:
  std::vector<std::uint32_t> kept_rows(const arrow::RecordBatch& batch) const {
    const auto* times = batch.column(keys_.index)->data()->GetValues<std::uint64_t>(1);
    const std::vector<bool> series = matching_series(batch);
    std::vector<std::uint32_t> kept;
    for (std::uint32_t row = 0; row < static_cast<std::uint32_t>(batch.num_rows()); ++row) {
      const bool in_range = !bounds_.none() && times[row] - bounds_.first() <= bounds_.span();
      if (!in_range || !series[row]) kept.push_back(row);
    }
    return kept;
  }

  /// For each row whether its series is one that the predicates ask for.
  std::vector<bool> matching_series(const arrow::RecordBatch& batch) const {
    std::vector<bool> matching(static_cast<std::size_t>(batch.num_rows()), true);
    if (where_.empty()) return matching;
    std::vector<std::shared_ptr<arrow::Array>> tags;
    tags.reserve(keys_.tags.size());
    for (const int tag : keys_.tags) tags.push_back(batch.column(tag));
    const SeriesRanks ranks = series_ranks(tags, batch.num_rows());
    std::vector<std::optional<bool>> known(ranks.series);
    for (std::size_t row = 0; row < matching.size(); ++row) {
      std::optional<bool>& answer = known[ranks.rank[row]];
      if (!answer) answer = series_matches(series_key(tags, static_cast<std::int64_t>(row)), index_, where_);
      matching[row] = *answer;
    }
    return matching;
  }

  std::unique_ptr<BatchSource> source_;
  model::IndexSpec index_;
  KeyColumns keys_;
  std::vector<TagPredicate> where_;
  segment::IndexBounds bounds_;
  std::uint64_t& dropped_;
};

}  // namespace

Result<std::unique_ptr<BatchSource>> drop_rows(std::unique_ptr<BatchSource> source, const model::Schema& schema,
                                               const model::IndexSpec& index, KeyColumns keys, RowChoice choice,
                                               std::uint64_t& dropped) {
  MARIGRAM_ASSIGN(const segment::IndexBounds bounds,
                  segment::IndexBounds::make(index.kind, schema.find(index.column)->type, choice.from, choice.to));
  return std::make_unique<DropRows>(std::move(source), index, std::move(keys), std::move(choice.where), bounds,
                                    dropped);
}

}  // namespace marigram::table
