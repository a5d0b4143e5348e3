// The in-memory part of a table: rows that are in the write-ahead log and not yet in segments.
#pragma once

#include "head/block.h"
#include "head/memory_budget.h"
#include "head/rows.h"
#include "head/shard.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace marigram::head {

inline constexpr std::size_t kShards = 16;  // a power of two

/// The shard of a series.
constexpr std::size_t shard_of(SeriesId series) {
  return series % kShards;
}

/// A set of shards: a bit each.
using ShardSet = std::uint32_t;
inline constexpr ShardSet kAllShards = (ShardSet{1} << kShards) - 1;

/// The numbers of the shards, ascending.
template <typename Visit>
void for_each_shard(ShardSet shards, Visit visit) {
  for (std::size_t i = 0; i < kShards; ++i) {
    if ((shards >> i & 1U) != 0) visit(i);
  }
}

/// Which rows of a batch go to which shard.
class Route {
 public:
  /// O(rows).
  explicit Route(std::span<const SeriesId> series);

  ShardSet shards() const { return shards_; }
  /// Positions of the rows of one shard, ascending.
  std::span<const std::uint32_t> rows(std::size_t shard) const {
    return rows().subspan(begins_[shard], begins_[shard + 1] - begins_[shard]);
  }

 private:
  static constexpr std::array<std::uint32_t, 1> kOneRow{0};

  std::span<const std::uint32_t> rows() const {
    return rows_.empty() ? std::span<const std::uint32_t>(kOneRow) : rows_;
  }

  ShardSet shards_ = 0;
  std::array<std::uint32_t, kShards + 1> begins_{};
  std::vector<std::uint32_t> rows_;  // empty if there is one row only, which then costs no memory
};

/// Some shards of a head at one moment; those that were not asked for are empty.
using HeadView = std::array<ShardView, kShards>;
bool has_rows(const HeadView& view);

/// Thread-safe; what says so wants the lock of the shards that it touches. Whoever locks several heads does so in one
/// order everywhere.
class Head {
 public:
  /// `budget` outlives the head and its views.
  Head(EqualTimes equal, MemoryBudget& budget);

  /// Shards, locked in ascending order until it goes. To be held briefly: readers wait for it.
  class Lock {
   public:
    Lock(Head& head, ShardSet shards);
    ~Lock();
    Lock(Lock&& other) noexcept;
    Lock& operator=(Lock&& other) noexcept;

    ShardSet shards() const { return shards_; }

   private:
    Head* head_;
    ShardSet shards_;
  };

  /// Appends a batch to the shards of its route, all locked: who locks them all sees the whole batch or nothing of it.
  /// Returns the shards that should be tidied once the lock is gone. `fields` are the table's, now or a moment
  /// ago, when it had fewer.
  ShardSet append(const Lock& lock, const std::shared_ptr<const Fields>& fields, const ArrivingRows& rows,
                  const Route& route);
  /// O(1).
  HeadView view(const Lock& lock) const;
  /// Gives all rows away and is empty afterwards; all shards are locked. O(1).
  HeadView take(const Lock& lock);

  /// Sorts and compresses what has arrived. Without the lock.
  void tidy(ShardSet shards);

 private:
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace marigram::head
