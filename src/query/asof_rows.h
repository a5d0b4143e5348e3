// Rows of a table in memory, by series and time, as an as-of join searches them.
#pragma once

#include "model/index.h"
#include "query/asof_source.h"
#include "segment/pool_array.h"
#include "table/batch_source.h"

#include <marigram/error.h>
#include <marigram/scan.h>
#include <marigram/series.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace marigram::query {

/// The request, for AsofRows::load: of these series, and perhaps of others.
ScanRequest rows_of_series(ScanRequest request, const std::vector<const SeriesKey*>& series,
                           const model::IndexSpec& index);

/// Immutable.
class AsofRows : public AsofSource {
 public:
  /// All of `source`, which comes in order of (series, time) and has the tags and the time among its columns. Tags may
  /// be null where the table grows. O(rows); copies no more than times, and these only if they come as several batches.
  static Result<AsofRows> load(table::BatchSource& source, const std::shared_ptr<arrow::Schema>& schema,
                               const model::IndexSpec& index);

  Status find(AsofSide side, const std::string& valid, std::span<const AsofTarget> columns,
              std::span<const AsofQuestion> questions) override;
  Status put(std::span<const AsofTarget> columns, const AsofPicks& picks) override;

  /// Rows of one series.
  struct Stretch {
    SeriesKey key = {};
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };
  /// Ascending.
  std::span<const Stretch> series() const { return series_; }
  /// Null: it has none.
  const Stretch* find(const SeriesKey& series) const;
  /// Of all rows, in their order.
  std::span<const std::int64_t> times() const { return times_; }
  /// Of all rows, in one array; null of no name. O(rows) if they came as several batches.
  Result<std::shared_ptr<arrow::Array>> column(const std::string& name) const;

 private:
  /// Rows as they came.
  struct Chunk {
    std::shared_ptr<arrow::RecordBatch> batch;
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };
  class Valid;

  Status add(std::shared_ptr<arrow::RecordBatch> batch, const model::IndexSpec& index);
  Status set_times(const model::IndexSpec& index);
  const Chunk& chunk_of(std::int64_t row) const;
  void find(AsofSide side, const Valid& valid, const AsofQuestion& question) const;

  std::vector<Chunk> chunks_;
  std::vector<Stretch> series_;          // ascending
  std::span<const std::int64_t> times_;  // of the chunk, or own_times_
  segment::PoolArray<std::int64_t> own_times_ =
      {};  // of several chunks, or flipped: of unsigned numbers by their highest bit
};

}  // namespace marigram::query
