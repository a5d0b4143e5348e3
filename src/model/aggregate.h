// What can be made of the values of a field: kinds of aggregates and how users spell them.
#pragma once

#include <marigram/error.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace marigram::model {

enum class AggregateKind : std::uint8_t {
  kCount,  ///< values that are not null
  kSum,    ///< of integers exact, or an error; of floats compensated; of bools how many are true
  kAvg,    ///< as a float
  kMin,    ///< by value, strings by bytes; NaN only if there is nothing else
  kMax,
  kFirst,             ///< the earliest
  kLast,              ///< the latest
  kStddev,            ///< of a sample (n - 1); null for fewer than two values
  kPercentile,        ///< exact, between two values linear, as NumPy's default
  kRate,              ///< increase a second of a counter that may start anew; of several series the sum
  kDelta,             ///< last - first; of several series the sum
  kVwap,              ///< average weighted by another field
  kApproxPercentile,  ///< within 1 %, of a sketch
  // What rollups keep besides (rollup.h), which has no spelling.
  kBuckets,    ///< of coverage that have rows; of rows alone
  kFirstTime,  ///< of the value that kFirst is; or of rows
  kLastTime,
  kSumWord,  ///< of floats the sum without its rest, of others the lower half of 128 bits
  kSumRest,
  kSquares,  ///< the sum of squared deviations from the mean
  kSketch,   ///< of quantiles, as bytes
};

/// A kind and its parameter.
struct Aggregate {
  AggregateKind kind = AggregateKind::kCount;
  double percentile = 50;  ///< 0..100, of kPercentile and kApproxPercentile
  std::int64_t width = 0;  ///< in units of the time, of kBuckets

  friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

/// count, sum, avg, min, max, first, last, stddev, median, rate, delta, p99 (0 to 100, with or without a fraction) or
/// percentile(99.5); approx_median, approx_p99 and so on. kInvalidInput lists them.
Result<Aggregate> parse_aggregate(std::string_view text);
/// The reverse; a percentile comes as `p99`, that of 50 as `median`.
std::string format_aggregate(const Aggregate& aggregate);

/// An aggregate and what it is of.
struct AggregateOf {
  Aggregate aggregate = {};
  std::string field = {};   ///< empty: rows, which can only be counted
  std::string weight = {};  ///< of kVwap
  std::string name = {};    ///< of the column in the result; empty: `avg(usage)`, `count(*)`

  friend bool operator==(const AggregateOf&, const AggregateOf&) = default;
};

/// `avg(usage)`, `p99(latency)`, `vwap(price,size)`, `count(usage)`, `count(*)` or `count`; names may have blanks
/// around them. kInvalidInput lists them.
Result<AggregateOf> parse_aggregate_of(std::string_view text);
/// Its name, or how it is spelled.
std::string name_of(const AggregateOf& aggregate);

}  // namespace marigram::model
