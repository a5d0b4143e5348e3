// Aggregates of a table's fields: of whole series, by groups of them, by intervals of time.
#pragma once

#include <marigram/interval.h>
#include <marigram/scan.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace marigram {

/// `count` (of rows), or one of a field: count(x), sum(x), avg(x), min(x), max(x), first(x), last(x), stddev(x),
/// median(x), p99(x), approx_median(x), approx_p99(x) (within 1 % of them), rate(x), delta(x); of two fields
/// vwap(price,size), the average of the first weighted by the second. Of values that are not null.
struct FieldAggregate {
  std::string aggregate = {};
  std::string name = {};  ///< of the column in the result; empty: as the aggregate is written
};

/// Rows that a query read of a level of rollups, in place of the rows that they tell of.
struct RollupUse {
  std::string interval = {};
  std::uint64_t rows = 0;
};

/// What a query read, and what it need not have read. Blocks are those of native segments in the range asked for: the
/// time and each field that is asked for, in each page.
struct QueryStatistics {
  std::uint64_t segments = 0;         ///< of the table
  std::uint64_t segments_read = 0;    ///< the others are out of range
  std::uint64_t blocks_skipped = 0;   ///< of series or times that are not asked for
  std::uint64_t blocks_answered = 0;  ///< by their statistics
  std::uint64_t blocks_decoded = 0;
  std::uint64_t rows_scanned = 0;       ///< of other segments, of segments that overlap, and of what is in memory
  std::vector<RollupUse> rollups = {};  ///< of aggregates, from the finest level to the coarsest
};

/// What the result has of an interval without rows, between others of its group or within the range that is asked for.
enum class Fill {
  kNone,      ///< no row
  kNull,      ///< nulls
  kPrevious,  ///< the value of the interval before
  kLinear,    ///< of numbers: between the values before and after, by time; others as kNull
  kConstant,
};

/// Counts are 0 where there are no rows, whatever the fill. With kPrevious, kLinear and kConstant nulls of intervals
/// that have rows are filled too.
struct FillOptions {
  Fill kind = Fill::kNone;
  double value = 0;         ///< of kConstant, for numbers; others as kNull
  std::uint64_t limit = 0;  ///< of kPrevious and kLinear: fill at most so many intervals in a row; 0: any number
  /// Nanoseconds, of kPrevious and kLinear: values so far before the range fill its beginning; > 0: the range begins
  /// where an interval does.
  std::int64_t lookback = 0;
};

struct AggregateRequest {
  std::vector<FieldAggregate> columns = {};  ///< at least one
  std::optional<IndexValue> from = {};       ///< inclusive
  std::optional<IndexValue> to = {};         ///< exclusive
  std::vector<TagPredicate> where = {};      ///< which series; all must match
  Interval every = {};                       ///< an aggregate for each so wide bucket since the origin; 0: of all
  std::string timezone = {};  ///< of whose clocks buckets are (IANA); empty: UTC. Not of an integer index
  /// Where buckets begin; unset: 1970-01-01 as clocks show it, and weeks on Monday. Of months the month counts alone.
  std::optional<IndexValue> origin = {};
  FillOptions fill = {};             ///< where `every` is set
  std::vector<std::string> by = {};  ///< a group for each combination of these tags; empty: one for all
  bool by_series = false;            ///< a group for each series
  std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  ///< at most so many rows
  CancelToken cancel = {};
  /// Told when the stream has ended or was released; must live until then.
  QueryStatistics* statistics = nullptr;
};

}  // namespace marigram
