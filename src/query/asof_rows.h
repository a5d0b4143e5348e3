// Rows of a table in memory, by series and time, as an as-of join searches them.
#pragma once

#include "model/index.h"
#include "query/asof_source.h"
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
  /// be null where the table grows. O(rows); copies unless they come as one batch.
  static Result<AsofRows> load(table::BatchSource& source, const std::shared_ptr<arrow::Schema>& schema,
                               const model::IndexSpec& index);

  Status find(AsofSide side, const std::string& valid, std::span<const AsofQuestion> questions) override;
  Status put(const std::string& column, const AsofPicks& picks, AsofColumn& to) override;

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
  /// Null of no name.
  std::shared_ptr<arrow::Array> column(const std::string& name) const;

 private:
  void find(AsofSide side, const arrow::Array* valid, const AsofQuestion& question) const;

  std::shared_ptr<arrow::RecordBatch> batch_;
  std::vector<Stretch> series_;             // ascending
  std::span<const std::int64_t> times_;     // of batch_, or flipped_
  std::vector<std::int64_t> flipped_ = {};  // of unsigned numbers, by their highest bit
};

}  // namespace marigram::query
