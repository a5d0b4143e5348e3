// Rows of a table in memory, by series and time, as an as-of join searches them.
#pragma once

#include "model/index.h"
#include "table/batch_source.h"

#include <marigram/error.h>
#include <marigram/series.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace marigram::query {

/// The rows of a series that a search looks at: their times, ascending, and where they are.
class SeriesTimes {
 public:
  SeriesTimes() = default;
  /// All rows from `first` on.
  SeriesTimes(std::span<const std::int64_t> times, std::int64_t first) : all_(times), first_(first) {}
  /// Some rows.
  SeriesTimes(std::vector<std::int64_t> times, std::vector<std::int64_t> rows)
      : chosen_(std::move(times)), rows_(std::move(rows)) {}

  std::span<const std::int64_t> times() const { return rows_.empty() ? all_ : std::span(chosen_); }
  std::int64_t row(std::size_t i) const { return rows_.empty() ? first_ + static_cast<std::int64_t>(i) : rows_[i]; }

 private:
  std::span<const std::int64_t> all_ = {};
  std::int64_t first_ = 0;
  std::vector<std::int64_t> chosen_ = {};
  std::vector<std::int64_t> rows_ = {};
};

/// Immutable.
class AsofRows {
 public:
  /// All of `source`, which comes in order of (series, time) and has the tags and the time among its columns. Tags may
  /// be null where the table grows. O(rows); copies unless they come as one batch.
  static Result<AsofRows> load(table::BatchSource& source, const std::shared_ptr<arrow::Schema>& schema,
                               const model::IndexSpec& index);

  const arrow::RecordBatch& batch() const { return *batch_; }
  bool empty() const { return series_.empty(); }
  /// The rows of a series; of those only, if `column` is not empty, in which it is not null.
  SeriesTimes times_of(const SeriesKey& series, const std::string& column) const;

 private:
  struct Stretch {
    SeriesKey key;
    std::int64_t begin = 0;
    std::int64_t end = 0;
  };

  std::shared_ptr<arrow::RecordBatch> batch_;
  std::vector<Stretch> series_;             // ascending
  std::span<const std::int64_t> times_;     // of batch_, or flipped_
  std::vector<std::int64_t> flipped_ = {};  // of unsigned numbers, by their highest bit
};

}  // namespace marigram::query
