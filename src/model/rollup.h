// Rollups: which levels a table keeps, and the columns of one.
//
// A level is a table of its own beside the rows, with the table's tags and time, in which a row says what is known of
// the rows of one series in one interval, under the time at which that begins:
//   count(*), buckets(*), first_time(*), last_time(*)   of the rows; buckets are those of the table's coverage
// and for each field, of the values that are not null,
//   count(x)                           of any type
//   min(x), max(x)                     of numbers, bools and strings
//   first(x), first_time(x), last(x), last_time(x)
//   sum(x), sum_rest(x)                of numbers and bools: of floats a compensated sum and what it lost, of others
//                                      the low and the high half of 128 bits
//   squares(x)                         of numbers: the sum of squared deviations from the mean
//   sketch(x)                          of numbers, where that is asked for: a sketch of quantiles
// Integers and floats are widened to 64 bits; times of rows are in the unit of the table's time.
// All can be merged, so a coarser level is made of a finer one, and an answer of either.
#pragma once

#include "base/time_buckets.h"
#include "model/index.h"
#include "model/schema.h"
#include "model/table_meta.h"

#include <marigram/error.h>
#include <marigram/interval.h>
#include <marigram/time.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::model {

struct RollupSpec {
  std::vector<Interval> intervals = {};  ///< one a level; buckets of each are made of whole ones of that before
  std::string timezone = {};             ///< of whose clocks the intervals are; empty: UTC
  std::optional<Instant> origin = {};    ///< where intervals begin; unset: as TimeBuckets
  std::set<std::string> sketches = {};   ///< fields of which quantiles can be told

  bool empty() const { return intervals.empty(); }
  friend bool operator==(const RollupSpec&, const RollupSpec&) = default;
};

/// Whether a table may keep any: of v7, with an index of times.
bool can_keep_rollups(const TableMeta& table);
/// The intervals of a level, in seconds.
Result<TimeBuckets> buckets_of(const RollupSpec& spec, const Interval& interval);
/// Intervals are of whole seconds, come from the finest to the coarsest, and nest. kInvalidInput names the one that
/// does not.
Status check_rollups(const RollupSpec& spec);

/// What a column of a level says.
enum class RollupPart : std::uint8_t {
  kCount,
  kBuckets,
  kMin,
  kMax,
  kFirst,
  kFirstTime,
  kLast,
  kLastTime,
  kSum,
  kSumRest,
  kSquares,
  kSketch,
};
inline constexpr std::size_t kRollupParts = 12;

/// Of the rows themselves, in place of a field.
inline constexpr std::string_view kAllRows = "*";

/// The name of the column: `first_time(usage)`.
std::string part_column(RollupPart part, std::string_view field);
/// What is known of the rows, and of values of that type.
std::vector<RollupPart> parts_of_rows();
std::vector<RollupPart> parts_of(const DataType& field, bool sketch);

/// The level's metadata: of the table's, which has an index of times. Without a schema as long as the table has none.
TableMeta level_meta(const TableMeta& table, const RollupSpec& spec, const Interval& interval);
/// The width of its partitions: some ten thousand intervals.
std::string level_partition(const Interval& interval);

}  // namespace marigram::model
