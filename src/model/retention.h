// Retention: how long a table keeps its rows and each level of rollups, and what is gone by now.
#pragma once

#include "model/index.h"
#include "model/series_set.h"

#include <marigram/error.h>
#include <marigram/interval.h>
#include <marigram/series.h>
#include <marigram/time.h>

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::model {

/// What is kept for a time, by its name: kRows, or a level of rollups as format_interval spells its interval.
template <typename Value>
using ByKept = std::map<std::string, Value, std::less<>>;
inline constexpr std::string_view kRows = "rows";

/// Series that are kept alike.
struct RetentionClass {
  std::vector<TagPredicate> where = {};  ///< of those that no class before this one has
  ByKept<Interval> keep = {};            ///< without one it is kept for ever
  /// What is older is gone, but for rows that came when it was. Without one nothing is. Begins a bucket of the table's
  /// coverage, and an interval of the next coarser level whose horizon is earlier, of this one if there is none.
  ByKept<Instant> horizons = {};

  friend bool operator==(const RetentionClass&, const RetentionClass&) = default;
};

/// A series belongs to the first class that has it. Those of none are kept for ever.
using Retention = std::vector<RetentionClass>;

/// How many classes there are with that of the other series, which is the last; it is left out where it is empty.
std::size_t class_count(const Retention& retention);
SeriesSet series_of(const Retention& retention, std::size_t number);
/// Unset: nothing is gone.
std::optional<Instant> horizon_of(const Retention& retention, std::size_t number, std::string_view name);
/// Whether anything is gone of any series.
bool has_horizons(const Retention& retention);

/// `wanted`, whose classes have no horizons, in place of what was kept before: each class is cut where those of before
/// differ by what is gone, which stays so. kInvalidInput: it becomes more than kClassesMax.
Result<Retention> replace_keeps(const Retention& before, const Retention& wanted);
inline constexpr std::size_t kClassesMax = 100;

/// The moment that long before, of calendars that of UTC.
Instant moment_before(Instant now, const Interval& interval);

/// kInvalidInput: a condition on what is no tag, something kept that is neither rows nor one of `levels` (names, from
/// the finest to the coarsest), one that is gone before what it would be made of.
Status check_retention(const Retention& retention, const IndexSpec& index, const std::vector<std::string>& levels);

}  // namespace marigram::model
