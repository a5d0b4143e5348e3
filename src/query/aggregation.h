// Aggregates over rows in order of (series, time): by group and bucket, in one pass.
//
// Memory: the states of all groups and buckets that may still see rows. Those are of one bucket where each series is a
// group and its rows ascend, of one group where groups follow one another (`by` are the first of `series`), else of
// all. A state takes up to about a hundred bytes an aggregate; median and percentile keep every value they have seen,
// eight bytes each.
#pragma once

#include "base/time_buckets.h"
#include "model/aggregate.h"
#include "query/aggregate_column.h"
#include "query/row_key.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace marigram::query {

using model::AggregateOf;

struct AggregationSpec {
  std::string time = {};                  ///< a timestamp or int64 column, without nulls
  std::vector<std::string> series = {};   ///< the columns that name a series, all of them, in the order of the stream
  std::vector<std::string> by = {};       ///< of these, the ones that name a group; empty: one group
  TimeBuckets every = {};                 ///< of `time`, in its units
  std::vector<AggregateOf> columns = {};  ///< at least one
  bool goes_back = false;                 ///< of a series rows come whose times are not behind those so far
  std::size_t batch_rows = 65'536;        ///< at most this many rows a record batch of the result, >= 1
};

/// Rows by position: their times, and what each aggregate is of.
struct FieldRows {
  const std::int64_t* times = nullptr;
  std::vector<FieldValues> fields = {};  // one an aggregate
};

/// The result has a row for each group and bucket that rows fell into, ascending: the columns of `by`, the start of the
/// bucket under the name and type of `time` if there are buckets, and the aggregates. Not thread-safe.
class Aggregation {
 public:
  enum class Emission {
    kEarly,  ///< results as soon as no row can change them
    kAtEnd,  ///< so that it can be merged
  };

  /// `schema` of the rows. kNotFound: a column that they lack; kInvalidInput: a bad type, width or name.
  static Result<Aggregation> make(const arrow::Schema& schema, const AggregationSpec& request, Emission emission);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// What follows is of this series, which comes behind those so far.
  Status begin_series(const RowKey& series);
  /// A batch of the schema as rows. kInvalidInput: a time is null.
  Result<FieldRows> rows_of(const arrow::RecordBatch& batch) const;
  /// Rows [begin, end), of the series at hand, behind those so far. O(columns (rows + buckets log(rows of a bucket))).
  Status add(const FieldRows& rows, std::int64_t begin, std::int64_t end);
  /// The same of rows that only statistics are known of. False, and nothing, if these do not say enough.
  Result<bool> add(const RowsSummary& rows);
  /// Takes over what another of the same request has seen, which were other and later series. Both emit at the end.
  void merge(Aggregation& later);
  /// There are no more rows.
  Status finish();

  /// How many rows of the result are complete, and these. kInvalidInput of the three above: a sum of integers does not
  /// fit its type.
  std::size_t complete() const { return complete_buckets_.size(); }
  Result<std::shared_ptr<arrow::RecordBatch>> take();

 private:
  using Buckets = std::map<std::int64_t, Slot>;  // by start
  using Groups = std::map<RowKey, Buckets>;
  /// A bucket of a group, or none.
  struct Follower {
    std::int64_t start = 0;
    Slot slot = kNoSlot;
  };
  static constexpr Slot kNoSlot = std::numeric_limits<Slot>::max();
  enum class Until { kBucketEnds, kGroupEnds, kEnd };

  Aggregation() = default;
  Status find_columns(const arrow::Schema& schema, const AggregationSpec& request);
  Status make_columns(const arrow::Schema& schema, const AggregationSpec& request);
  Result<int> find_field(const arrow::Schema& schema, const std::string& name, const arrow::DataType*& type);

  std::int64_t rows_a_bucket(const FieldRows& rows, std::int64_t begin, std::int64_t end) const;
  std::int64_t find_runs(const FieldRows& rows, std::int64_t begin, std::int64_t end, std::int64_t rows_a_bucket);
  Slot slot_of(std::int64_t start);
  Slot slot_behind(std::int64_t start);
  Slot slot_of(Buckets& buckets, std::int64_t start);
  Slot insert(Buckets& buckets, Buckets::iterator before, std::int64_t start);
  Slot new_slot();
  Status emit_past();
  Status emit(const RowKey& group);
  Status emit_all();

  std::shared_ptr<arrow::Schema> schema_;
  struct Fields {
    int values = -1;  // -1: there is none
    int weights = -1;
  };
  int time_ = 0;                 // positions in the rows, as are the next
  std::vector<int> series_;      // columns that name a series
  std::vector<Fields> fields_;   // one an aggregate
  std::vector<std::size_t> by_;  // positions in series_
  TimeBuckets every_;
  double units_per_second_ = 1;
  Until kept_ = Until::kEnd;  // how long a bucket may see rows

  std::vector<std::unique_ptr<AggregateColumn>> columns_;  // one an aggregate
  Groups groups_;                                          // that may still see rows
  std::vector<Follower> next_;                             // by slot: the group's next bucket
  std::vector<Slot> free_slots_;
  Slot slots_ = 0;

  std::optional<RowKey> series_key_;  // of the series at hand, as are the next
  std::uint64_t series_number_ = 0;
  Groups::value_type* group_ = nullptr;
  Follower bucket_;            // of the group; the one at hand
  std::int64_t run_rows_ = 1;  // of the bucket before
  std::vector<SlotRun> runs_;  // of the rows that are being added

  // Of the group at hand, ascending: instead of its map where a bucket sees no row once the next has, else those that
  // are being emitted.
  std::vector<std::int64_t> starts_;
  std::vector<Slot> open_;

  std::vector<KeyRun> complete_groups_;  // of the rows that are complete
  std::vector<std::int64_t> complete_buckets_;
};

}  // namespace marigram::query
