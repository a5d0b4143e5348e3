// The probes of an as-of join, by series and time.
#pragma once

#include "query/table_view.h"
#include "segment/pool_array.h"

#include <marigram/error.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace marigram::query {

class ProbeSet {
 public:
  /// Of a series, without those that have no time: a stretch of positions() and times().
  struct Stretch {
    std::size_t begin = 0;
    std::size_t end = 0;

    std::size_t size() const { return end - begin; }
  };

  /// `probes` have the tags and the time column of the table, by name. kSchemaMismatch: a column
  /// is missing, or of a type that cannot be compared; kInvalidInput: a null tag where the table has none, or more than
  /// 2^31 probes. O(probes), if their times ascend within a series or are spread evenly, else O(probes log(probes of a
  /// series)).
  static Result<ProbeSet> make(const std::shared_ptr<arrow::Schema>& schema,
                               const std::vector<std::shared_ptr<arrow::RecordBatch>>& probes, const TableView& table);

  const std::map<SeriesKey, Stretch>& series() const { return series_; }
  /// The unit of times(); seconds for integer indexes.
  TimeUnit unit() const { return unit_; }
  /// Ascending within a series; unsigned numbers with their highest bit flipped.
  std::span<const std::int64_t> times() const { return times_.all(); }
  /// Which probe it is, counted over all batches. Probes of equal series and time in their order.
  std::span<const std::uint32_t> positions() const { return positions_.all(); }
  /// Those that have no time.
  std::span<const std::uint32_t> without_time() const { return without_time_; }
  std::size_t count() const { return count_; }  // of all

 private:
  std::map<SeriesKey, Stretch> series_;
  TimeUnit unit_ = TimeUnit::kSecond;
  segment::PoolArray<std::int64_t> times_;
  segment::PoolArray<std::uint32_t> positions_;
  std::vector<std::uint32_t> without_time_;
  std::size_t count_ = 0;
};

}  // namespace marigram::query
