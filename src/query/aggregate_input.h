// Where an aggregation takes its rows from.
#pragma once

#include "model/index.h"
#include "model/series_set.h"
#include "query/aggregation.h"
#include "query/level_columns.h"
#include "query/row_key.h"
#include "table/batch_source.h"

#include <marigram/aggregate.h>
#include <marigram/error.h>
#include <marigram/scan.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

namespace marigram::query {

/// The rows of a stretch of time, a series at a time, ascending. Not thread-safe.
class SeriesCursor {
 public:
  virtual ~SeriesCursor() = default;

  /// The series at hand, which stays until it is fed; null behind the last.
  virtual Result<const RowKey*> series() = 0;
  /// Adds some rows of the series at hand, which the aggregation has begun; false if these were the last ones: then the
  /// next series is at hand.
  virtual Result<bool> feed(Aggregation& into) = 0;
  /// What has been read so far.
  virtual QueryStatistics statistics() const = 0;
};

/// How rows of a level of rollups say what aggregates are of.
struct LevelRows {
  std::string interval = {};
  std::string time = {};  // column of their intervals
  LevelColumns columns;
};

/// A source, which comes by (series, time), of whose rows those of the set are taken (null: all). `index`: whose tags
/// name a series. `level`: of rows of a level of rollups.
std::unique_ptr<SeriesCursor> batch_cursor(std::unique_ptr<table::BatchSource> rows, model::IndexSpec index,
                                           std::shared_ptr<const model::SeriesSet> series = {},
                                           std::optional<LevelRows> level = {});

/// Stretches of time that follow one another, read side by side, series by series. Not thread-safe.
class AggregateInput {
 public:
  /// What was read is added to `statistics`, if that is not null, when the rows end or this does, under a lock that
  /// inputs share: blocks that were skipped become fewer by it.
  AggregateInput(std::vector<std::unique_ptr<SeriesCursor>> stretches, CancelToken cancel, QueryStatistics* statistics);
  ~AggregateInput() { tell(); }
  AggregateInput(const AggregateInput&) = delete;
  AggregateInput& operator=(const AggregateInput&) = delete;

  /// Adds some rows, behind those so far; false if there are none. Does not finish the aggregation.
  Result<bool> feed(Aggregation& into);

 private:
  /// A stretch by the series that it is at.
  struct Waiting {
    const RowKey* series;
    std::size_t stretch;
  };
  /// For std::priority_queue, whose top is the greatest: the least series, of equal ones the earliest stretch.
  struct IsLater {
    bool operator()(const Waiting& left, const Waiting& right) const {
      if (*left.series != *right.series) return *right.series < *left.series;
      return right.stretch < left.stretch;
    }
  };

  Status wait(std::size_t stretch);
  void tell();

  std::vector<std::unique_ptr<SeriesCursor>> stretches_;
  bool is_begun_ = false;  // all stretches wait
  CancelToken cancel_;
  QueryStatistics* statistics_;  // null once told
  std::priority_queue<Waiting, std::vector<Waiting>, IsLater> waiting_;
  std::optional<std::size_t> at_hand_;  // the stretch whose series has more rows
};

}  // namespace marigram::query
