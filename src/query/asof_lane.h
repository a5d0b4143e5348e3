// One answer of an as-of join: some columns that take their values from the same row.
#pragma once

#include "query/asof_rows.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace marigram::query {

/// Which row a probe met, of those that were kept; none at first.
struct AsofMatch {
  static constexpr std::uint32_t kNone = UINT32_MAX;

  std::uint32_t kept = kNone;
  std::int64_t time = 0;

  bool is_there() const { return kept != kNone; }
};

/// Keeps the rows that probes met: these alone stay in memory.
class AsofLane {
 public:
  /// `valid`: rows in which that column is null are passed over; empty: none is.
  AsofLane(arrow::FieldVector columns, std::string valid) : columns_(std::move(columns)), valid_(std::move(valid)) {}

  const std::string& valid() const { return valid_; }
  const arrow::FieldVector& columns() const { return columns_; }

  /// Keeps the row last named to it only once. `rows` lives until flush().
  std::uint32_t keep(std::int64_t row);
  /// Copies the rows that were kept since the last time.
  Status flush(const AsofRows& rows);
  /// The columns with a row for each match, null where there is none.
  Result<arrow::ArrayVector> take(std::span<const AsofMatch> matches) const;

 private:
  arrow::FieldVector columns_;
  std::string valid_;
  std::vector<std::int64_t> wanted_;        // of the rows at hand
  std::uint32_t kept_ = 0;                  // rows, with those
  std::vector<arrow::ArrayVector> chunks_;  // [column]
};

}  // namespace marigram::query
