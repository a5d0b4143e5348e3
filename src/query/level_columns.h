// Which columns of a level of rollups aggregates are made of.
#pragma once

#include "model/rollup.h"
#include "model/schema.h"
#include "query/aggregation.h"

#include <marigram/error.h>

#include <arrow/type_fwd.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace marigram::query {

/// What is kept of a field that the aggregate is made of; none: it cannot be told by a level.
std::vector<model::RollupPart> parts_of(model::AggregateKind kind);
/// The aggregate that the column of a level is; empty `field`: of rows. `bucket_width` in units of the time.
AggregateOf aggregate_of(model::RollupPart part, const std::string& field, std::int64_t bucket_width);

/// Immutable.
class LevelColumns {
 public:
  /// Unset if a level with these columns cannot tell one of the aggregates.
  static std::optional<LevelColumns> make(const std::vector<AggregateOf>& aggregates, const model::Schema& level);

  /// To be read besides the tags and the time.
  const std::vector<std::string>& names() const { return names_; }
  /// The batch's rows as the aggregation takes them; it has the columns and `time`.
  FieldRows rows_of(const arrow::RecordBatch& batch, const std::string& time) const;
  /// The number of rows of the table that a row of the batch tells of. 0: none are left.
  static const std::int64_t* counts_of(const arrow::RecordBatch& batch);

 private:
  using Positions = std::array<std::optional<std::size_t>, model::kRollupParts>;  // in names_

  std::size_t position_of(const std::string& name);

  std::vector<std::string> names_;
  std::vector<Positions> aggregates_;
};

}  // namespace marigram::query
