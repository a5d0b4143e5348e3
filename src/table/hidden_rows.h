// Rows that are taken out of what a segment holds: by tombstones, or by a deletion that writes it anew.
#pragma once

#include "coverage/bucket_set.h"
#include "coverage/coverage_map.h"
#include "model/index.h"
#include "model/schema.h"
#include "model/series_set.h"
#include "segment/index_bounds.h"
#include "table/batch_source.h"
#include "table/merge.h"

#include <marigram/error.h>
#include <marigram/remove.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace marigram::table {

/// Closed ranges of keys (segment::IndexBounds), ascending, apart from one another.
using KeyRanges = std::vector<coverage::IdRange>;

/// Immutable; thread-safe.
class HiddenRows {
 public:
  /// Of these series in the half-open range. `points`: of each series the keys that are meant; null: all. `schema` is
  /// the table's. kInvalidInput: a bound of another domain than the index.
  static Result<HiddenRows> make(const model::Schema& schema, const model::IndexSpec& index,
                                 const std::optional<IndexValue>& from, const std::optional<IndexValue>& to,
                                 model::SeriesSet series,
                                 std::shared_ptr<const coverage::CoverageMap> points = nullptr);
  /// Those of another one too, of the same table.
  void add(const HiddenRows& others);

  /// Where rows of a series are hidden. O(choices, points of the series).
  KeyRanges of(const SeriesKey& series) const;

 private:
  struct Choice {
    segment::IndexBounds bounds;
    model::SeriesSet series;
    std::shared_ptr<const coverage::CoverageMap> points;
  };

  model::IndexSpec index_;
  std::vector<Choice> choices_;
};

/// Whether a key of the closed range lies in one of the ranges. O(log ranges).
bool has_key_between(const KeyRanges& ranges, const coverage::IdRange& keys);
inline bool has_key(const KeyRanges& ranges, std::uint64_t key) {
  return has_key_between(ranges, {key, key});
}

/// Takes hidden rows out of batches. Not thread-safe.
class HiddenFilter {
 public:
  /// `keys`: where the batches have the index column and the tags. Of the rows those are hidden that fulfil the
  /// conditions, whose fields the batches have.
  HiddenFilter(std::shared_ptr<const HiddenRows> hidden, KeyColumns keys, std::vector<FieldCondition> conditions = {})
      : hidden_(std::move(hidden)), keys_(std::move(keys)), conditions_(std::move(conditions)) {}

  /// The rows of the batch that are not hidden: itself, if none is; null if all are. O(rows).
  Result<std::shared_ptr<arrow::RecordBatch>> visible(std::shared_ptr<arrow::RecordBatch> batch) const;

 private:
  std::shared_ptr<const HiddenRows> hidden_;
  KeyColumns keys_;
  std::vector<FieldCondition> conditions_;
};

/// The rows of `source` that are not hidden; the others are counted into `dropped`, which outlives the source.
std::unique_ptr<BatchSource> without_hidden(std::unique_ptr<BatchSource> source, HiddenFilter filter,
                                            std::uint64_t& dropped);

}  // namespace marigram::table
