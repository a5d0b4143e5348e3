// Which columns of a level of rollups aggregates are made of.
#pragma once

#include "model/rollup.h"
#include "model/schema.h"
#include "query/aggregation.h"
#include "query/row_key.h"

#include <marigram/error.h>

#include <array>
#include <cstddef>
#include <cstdint>
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
  /// Intervals as the aggregation takes them: when they begin, and the columns of these names.
  FieldRows rows_of(const std::int64_t* times, const Arrays& columns) const;
  /// Adds intervals [begin, end) of which rows are left; `columns` as above.
  static Status add(Aggregation& into, const FieldRows& rows, const Arrays& columns, std::int64_t begin,
                    std::int64_t end);

 private:
  static constexpr std::size_t kCounts = 0;  // in names_: how many rows there are

  using Positions = std::array<std::optional<std::size_t>, model::kRollupParts>;  // in names_

  std::size_t position_of(const std::string& name);

  std::vector<std::string> names_;
  std::vector<Positions> aggregates_;
};

}  // namespace marigram::query
