// Which stretches of time an aggregation reads from which level of rollups, and which from the rows.
//
// A stretch is read from the coarsest level of which each bucket asked for is made of whole intervals and which can
// tell the aggregates. What it does not say yet, and the ends of the range that cut an interval, are left to the next
// finer one, and at last to the rows.
#pragma once

#include "coverage/bucket_set.h"
#include "query/aggregation.h"
#include "query/table_view.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace marigram::query {

struct Piece {
  const log::Level* level = nullptr;    // of the table's state; null: the rows
  std::optional<IndexValue> from = {};  // inclusive
  std::optional<IndexValue> to = {};    // exclusive
};

/// Ascending, without gaps, the whole range that `rows` asks for. `levels`: how many of the table's may be used, the
/// finest first. `newer`: buckets of rows that no segment has. kNotFound, kCorruption: what says what is due.
Result<std::vector<Piece>> plan_pieces(const TableView& table, const ScanRequest& rows, const AggregationSpec& spec,
                                       std::size_t levels, const coverage::BucketSet& newer);

}  // namespace marigram::query
