#include "table/hidden_rows.h"

#include "base/try.h"
#include "table/field_conditions.h"
#include "table/row_gather.h"
#include "table/row_order.h"
#include "table/scan.h"

#include <arrow/api.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace marigram::table {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

/// Sorts ranges, and joins those that meet.
void join(KeyRanges& ranges) {
  std::ranges::sort(ranges, {}, &coverage::IdRange::first);
  std::size_t last = 0;
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[last].last == UINT64_MAX || ranges[i].first <= ranges[last].last + 1) {
      ranges[last].last = std::max(ranges[last].last, ranges[i].last);
    } else {
      ranges[++last] = ranges[i];
    }
  }
  if (!ranges.empty()) ranges.resize(last + 1);
}

class WithoutHidden : public BatchSource {
 public:
  WithoutHidden(std::unique_ptr<BatchSource> source, HiddenFilter filter, std::uint64_t& dropped)
      : source_(std::move(source)), filter_(std::move(filter)), dropped_(dropped) {}

  Result<BatchPtr> next() override {
    while (true) {
      MARIGRAM_ASSIGN(const BatchPtr batch, source_->next());
      if (!batch) return nullptr;
      MARIGRAM_ASSIGN(BatchPtr visible, filter_.visible(batch));
      dropped_ += static_cast<std::uint64_t>(batch->num_rows() - (visible ? visible->num_rows() : 0));
      if (visible) return visible;
    }
  }

 private:
  std::unique_ptr<BatchSource> source_;
  HiddenFilter filter_;
  std::uint64_t& dropped_;
};

}  // namespace

Result<HiddenRows> HiddenRows::make(const model::Schema& schema, const model::IndexSpec& index,
                                    const std::optional<IndexValue>& from, const std::optional<IndexValue>& to,
                                    model::SeriesSet series, std::shared_ptr<const coverage::CoverageMap> points) {
  HiddenRows hidden;
  hidden.index_ = index;
  MARIGRAM_ASSIGN(const segment::IndexBounds bounds,
                  segment::IndexBounds::make(index.kind, schema.find(index.column)->type, from, to));
  if (!bounds.none()) hidden.choices_.push_back({bounds, std::move(series), std::move(points)});
  return hidden;
}

void HiddenRows::add(const HiddenRows& others) {
  choices_.insert(choices_.end(), others.choices_.begin(), others.choices_.end());
}

KeyRanges HiddenRows::of(const SeriesKey& series) const {
  KeyRanges ranges;
  for (const Choice& choice : choices_) {
    if (!choice.series.has(series, index_)) continue;
    const coverage::IdRange all{choice.bounds.first_key(), choice.bounds.last_key()};
    if (!choice.points) {
      ranges.push_back(all);
      continue;
    }
    const auto found = choice.points->find(series);
    if (found == choice.points->end()) continue;
    std::ranges::copy(found->second.runs_in(all), std::back_inserter(ranges));
  }
  join(ranges);
  return ranges;
}

bool has_key_between(const KeyRanges& ranges, const coverage::IdRange& keys) {
  const auto found = std::ranges::lower_bound(ranges, keys.first, {}, &coverage::IdRange::last);
  return found != ranges.end() && found->first <= keys.last;
}

Result<BatchPtr> HiddenFilter::visible(BatchPtr batch) const {
  const std::vector<std::uint64_t> times = index_keys(*batch->column(keys_.index));
  std::vector<std::shared_ptr<arrow::Array>> tags;
  tags.reserve(keys_.tags.size());
  for (const int tag : keys_.tags) tags.push_back(batch->column(tag));
  const SeriesRanks ranks = series_ranks(tags, batch->num_rows());
  const std::vector<std::uint8_t> fulfils = fulfilling_rows(*batch, conditions_);
  std::vector<std::optional<KeyRanges>> known(ranks.series);
  std::vector<std::uint32_t> kept;
  kept.reserve(times.size());
  for (std::uint32_t row = 0; row < times.size(); ++row) {
    std::optional<KeyRanges>& ranges = known[ranks.rank[row]];
    if (!ranges) ranges = hidden_->of(series_key(tags, row));
    if (fulfils[row] == 0 || !has_key(*ranges, times[row])) kept.push_back(row);
  }
  if (kept.size() == times.size()) return batch;
  if (kept.empty()) return nullptr;
  MARIGRAM_ASSIGN(const RowGather gather, RowGather::make({batch}));
  return gather.take(kept);
}

std::unique_ptr<BatchSource> without_hidden(std::unique_ptr<BatchSource> source, HiddenFilter filter,
                                            std::uint64_t& dropped) {
  return std::make_unique<WithoutHidden>(std::move(source), std::move(filter), dropped);
}

}  // namespace marigram::table
