// Sorted rows: what blocks become.
#pragma once

#include "head/block.h"
#include "head/memory_budget.h"
#include "head/rows.h"
#include "head/string_arena.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace marigram::head {

/// Rows by (series, time), equal ones in order of arrival. Immutable once it is made.
struct Run {
  std::shared_ptr<const Fields> fields = {};
  std::vector<SeriesId> series = {};       ///< distinct, ascending
  std::vector<std::uint32_t> begins = {};  ///< of the rows of each; their number at the end
  Rows rows = {};
  StringArena strings = {};
  MemoryCharge charge = {};

  /// The rows of one series, if there are any. O(log series).
  std::optional<Stretch> find(SeriesId id) const;
  /// The rows of the series at `position`.
  Stretch stretch(std::size_t position) const {
    return {.rows = &rows, .begin = begins[position], .end = begins[position + 1]};
  }
};

using RunPtr = std::shared_ptr<const Run>;

/// The first `count` rows of a block, in order. O(count) if each series' rows came in order of time. The block may
/// grow meanwhile.
RunPtr sort_block(const Block& block, std::size_t count, EqualTimes equal, MemoryBudget& budget);

/// The rows at these positions of a block, of one series in order of arrival, by time; of the columns that `chosen`
/// names. Their strings live in the block, which may grow meanwhile.
Rows rows_at(const Block& block, std::vector<std::uint32_t> positions, EqualTimes equal, const Fields& fields,
             std::span<const std::uint32_t> chosen);

/// The rows of both; those of `newer` arrived later. O(rows).
RunPtr merge_runs(const Run& older, const Run& newer, EqualTimes equal, MemoryBudget& budget);

/// Collects rows series by series, in ascending order.
class RunBuilder {
 public:
  RunBuilder(std::shared_ptr<const Fields> fields, std::size_t rows_expected);
  /// Rows of one series, in stretches as merge_stretches takes them.
  void add(SeriesId id, std::span<const Stretch> stretches, EqualTimes equal);
  RunPtr finish(MemoryBudget& budget);

 private:
  std::shared_ptr<Run> run_;
};

}  // namespace marigram::head
