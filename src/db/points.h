// Points and rows as users have them become what the write path takes.
#pragma once

#include "model/rows.h"

#include <marigram/database.h>
#include <marigram/error.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace marigram::db {

/// The field of points that have no other name for it.
inline constexpr const char* kValueField = "value";

/// kInvalidInput, kSchemaMismatch: see model::RowsBuilder; a value that no field can hold.
Result<model::WriteBatch> batch_of(std::string_view table, std::span<const Point> points, bool widen);
Result<model::WriteBatch> batch_of(std::string_view table, std::span<const Row> rows, bool widen);
/// Points of one series; as many times as values.
struct SeriesPoints {
  const Tags& tags;
  std::span<const std::int64_t> times_ns;
  std::span<const double> values;
};
/// kInvalidInput also if the columns differ in length. One series needs no builder, so nothing can widen.
Result<model::WriteBatch> batch_of(std::string_view table, const SeriesPoints& points, bool widen);

}  // namespace marigram::db
