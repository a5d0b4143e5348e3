// One answer of an as-of join: some columns that take their values from the same row.
#pragma once

#include "query/asof_column.h"
#include "query/asof_source.h"
#include "segment/pool_array.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace marigram::query {

/// At first every probe counts as met, so that only those that are not need be marked. Threads may set different probes
/// at once.
class AsofLane {
 public:
  /// `valid`: rows in which that column is null are passed over; empty: none is. `probes`: how many there are.
  static Result<AsofLane> make(const arrow::FieldVector& columns, std::string valid, std::size_t probes);

  const std::string& valid() const { return valid_; }
  /// The time of the row that a probe met; null if it met none.
  const std::int64_t* met(std::uint32_t probe) const { return is_met_[probe] != 0 ? &times_[probe] : nullptr; }
  void miss(std::uint32_t probe) { is_met_[probe] = 0; }
  void miss(std::span<const std::uint32_t> probes) {
    for (const std::uint32_t probe : probes) miss(probe);
  }
  /// A probe that has missed meets a row that is put then.
  void meet(std::uint32_t probe) { is_met_[probe] = 1; }
  void meet(std::span<const std::uint32_t> probes) {
    for (const std::uint32_t probe : probes) meet(probe);
  }
  /// What takes values.
  std::span<const AsofTarget> columns() const { return columns_; }
  /// Takes the values of rows that were met, and their times.
  Status put(AsofSource& source, const AsofPicks& picks, std::span<const std::int64_t> times);

  /// The columns, in their fields' order; once.
  Result<arrow::ArrayVector> finish_columns();
  /// The times, with `flip` applied to their bits; once.
  Result<std::shared_ptr<arrow::Array>> finish_times(const std::shared_ptr<arrow::DataType>& type, std::int64_t flip);

 private:
  AsofLane() = default;

  std::string valid_;
  std::vector<AsofTarget> columns_;
  std::vector<std::uint8_t> is_met_;
  segment::PoolArray<std::int64_t> times_;
};

}  // namespace marigram::query
