// Which rows to delete.
#pragma once

#include <marigram/series.h>
#include <marigram/time.h>
#include <marigram/value.h>

#include <optional>
#include <string>
#include <vector>

namespace marigram {

enum class Comparison { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

/// A condition on a field. Null fulfils none; numbers of any two types are compared exactly, NaN as IEEE 754 says.
struct FieldCondition {
  std::string field = {};
  Comparison comparison = Comparison::kEqual;
  Value value = {};  ///< of the field's kind: a number, bool or string
};

/// Rows of the range (unset: unbounded) and of series that fulfil all predicates, with fields that fulfil all
/// conditions.
struct RowSelection {
  std::optional<IndexValue> from = {};  ///< inclusive, exact to the nanosecond
  std::optional<IndexValue> to = {};    ///< exclusive
  std::vector<TagPredicate> where = {};
  std::vector<FieldCondition> fields = {};
};

}  // namespace marigram
