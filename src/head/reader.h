// Reading a head at one moment, series by series.
#pragma once

#include "head/head.h"
#include "head/memory_budget.h"
#include "head/rows.h"

#include <marigram/error.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace marigram::head {

/// Times of rows that are asked for, both inclusive.
struct TimeSpan {
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

/// Rows of one or more views of a head, of which the later ones hold what arrived later. Not thread-safe; several
/// readers may read the same views. What it returns lives as long as the views.
class HeadReader {
 public:
  /// `fields`: the table's now; `chosen`: positions of those that are asked for. `wanted`: the series that will be
  /// read, ascending; unset: most are, so rows that are not sorted yet are sorted at once. O(rows that are not sorted).
  HeadReader(std::vector<HeadView> views, std::shared_ptr<const Fields> fields, std::vector<std::uint32_t> chosen,
             EqualTimes equal, const std::optional<std::vector<SeriesId>>& wanted);

  /// The series with rows, ascending. O(rows that are not sorted + series).
  std::vector<SeriesId> series() const;
  /// No rows: with the columns that were asked for.
  Rows no_rows() const;
  /// Appends the rows of one series, one that is wanted, in order of time.
  Status read(SeriesId id, TimeSpan times, Rows& out) const;

 private:
  struct Unsorted {
    std::shared_ptr<const Block> block;
    std::size_t rows = 0;
    std::vector<std::vector<std::uint32_t>> positions = {};  // of the rows of each wanted series of the shard
  };
  /// One shard of one view. In order of arrival: chunks, then runs, then what is not sorted.
  struct Part {
    std::shared_ptr<const Sealed> sealed;
    std::vector<RunPtr> runs;
    std::vector<Unsorted> unsorted;
  };

  void add_part(const ShardView& view, std::size_t shard);
  void sort(Part& part);
  void find_wanted(Part& part, std::span<const SeriesId> wanted);
  Status collect(const Part& part, SeriesId id, TimeSpan times, std::vector<Rows>& decoded,
                 std::vector<Stretch>& stretches) const;

  std::vector<HeadView> views_;
  std::shared_ptr<const Fields> fields_;
  std::vector<std::uint32_t> chosen_;
  Fields chosen_fields_;
  EqualTimes equal_;
  std::unique_ptr<MemoryBudget> scratch_ = std::make_unique<MemoryBudget>();  // of runs that are made here
  std::optional<std::array<std::vector<SeriesId>, kShards>> wanted_;          // ascending
  std::array<std::vector<Part>, kShards> parts_;                              // a view each
};

}  // namespace marigram::head
