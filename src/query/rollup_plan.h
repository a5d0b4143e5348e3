// Which stretches of time an aggregation reads from which level of rollups, and which from the rows.
//
// A stretch is read from the coarsest level of which each bucket asked for is made of whole intervals and which can
// tell the aggregates. What it does not say yet, and the ends of the range that cut an interval, are left to the next
// finer one, and at last to the rows.
//
// Where retention has taken the rows and all finer levels, a level is the finest that is left. What it does not say
// there are rows that came too late for it; they are read besides it.
#pragma once

#include "coverage/bucket_set.h"
#include "model/series_set.h"
#include "query/aggregation.h"
#include "query/table_view.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

namespace marigram::query {

struct Piece {
  const log::Level* level = nullptr;                    // of the table's state; null: the rows
  std::optional<IndexValue> from = {};                  // inclusive
  std::optional<IndexValue> to = {};                    // exclusive
  std::shared_ptr<const model::SeriesSet> series = {};  // null: all
};

/// The whole range that rows are asked for in. Of one series pieces ascend and meet, but for those of rows that came
/// too late.
struct Plan {
  std::vector<Piece> pieces;
  bool goes_back = false;  // there are such pieces
};

/// What a query may read.
struct Sources {
  std::size_t levels = std::numeric_limits<std::size_t>::max();  // so many, the finest first
  std::optional<std::size_t> series_class = {};                  // of the table's retention; unset: all
};

/// `newer`: buckets of rows that no segment has. kNotFound, kCorruption: what says what is due.
Result<Plan> plan_pieces(const TableView& table, const ScanRequest& rows, const AggregationSpec& spec,
                         const Sources& sources, const coverage::BucketSet& newer);

/// The first unit of the table's time that is not before the value.
std::int64_t units_from(const TableView& table, const IndexValue& value);

/// Until when a level of a class is the finest that is left: rows and finer levels of before are gone. INT64_MIN:
/// never.
std::int64_t finest_until(const TableView& table, std::size_t series_class, std::size_t level);

}  // namespace marigram::query
