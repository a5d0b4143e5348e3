// Points that bring nothing new to their table, as most do: their rows are made at once, without the builder's columns
// and without a look at texts that were checked when the series came.
#pragma once

#include "db/points.h"
#include "table/incoming.h"
#include "table/live_table.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <optional>
#include <span>

namespace marigram::db {

/// The rows of points; what batch_of() and LiveTable::admit() would make of them. Unset if a series, the field or a
/// type of a value is not the table's, or points are not as they should be: those two see to it. O(points).
Result<std::optional<table::IncomingRows>> known_points(table::LiveTable& table, std::span<const Point> points);
Result<std::optional<table::IncomingRows>> known_points(table::LiveTable& table, const SeriesPoints& points);
/// Rows with fields of any names always go the other way.
inline Result<std::optional<table::IncomingRows>> known_points(table::LiveTable& /*table*/,
                                                               std::span<const Row> /*rows*/) {
  return std::nullopt;
}

}  // namespace marigram::db
