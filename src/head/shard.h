// A part of a table's series, with a lock of its own.
#pragma once

#include "head/block.h"
#include "head/chunk.h"
#include "head/memory_budget.h"
#include "head/rows.h"
#include "head/run.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace marigram::head {

/// What a shard holds beside the rows that are arriving. Immutable. Of rows of one series and time those further down
/// arrived later: all chunks are older than all runs, these than all blocks, and each list has the oldest first.
struct Sealed {
  std::vector<ChunkRunPtr> chunks = {};
  std::vector<RunPtr> runs = {};
  std::vector<std::shared_ptr<const Block>> blocks = {};  ///< full, as they arrived
};

/// A shard at one moment. Cheap to copy; does not change.
struct ShardView {
  std::shared_ptr<const Sealed> sealed = {};
  std::shared_ptr<const Block> open = {};  ///< null: none; newer than what is sealed
  std::size_t open_rows = 0;               ///< of the open block, those that belong to the view
};

/// The rows of some series. Rows arrive in blocks; tidy() sorts full blocks into runs, merges runs of similar size, and
/// cuts chunks off once all runs are one: so a row is moved O(log rows) times, and compressed once.
///
/// All but tidy() and memory are called with the mutex, which the owner locks: it may hold those of several shards, so
/// that a batch appears in all of them at once.
class Shard {
 public:
  Shard(EqualTimes equal, MemoryBudget& budget) : equal_(equal), budget_(&budget) {}

  std::mutex& mutex() { return mutex_; }

  /// Appends the rows number `chosen`; true if tidy() should be called once the mutex is free. `fields` are the
  /// table's, now or a moment ago. O(rows).
  bool append(const std::shared_ptr<const Fields>& fields, const ArrivingRows& rows,
              std::span<const std::uint32_t> chosen);
  ShardView view() const;
  /// Gives all rows away; the shard is empty afterwards.
  ShardView take();

  /// Puts what is sealed by now in order, without keeping writers or readers waiting. Returns at once if another thread
  /// is at it.
  void tidy();

 private:
  Block& block_with_room(const std::shared_ptr<const Fields>& fields);
  void seal_open();
  Sealed tidied(Sealed sealed) const;

  const EqualTimes equal_;
  MemoryBudget* const budget_;
  std::mutex mutex_;                      // guards all below
  std::shared_ptr<const Fields> fields_;  // the most that came
  std::shared_ptr<Block> open_;
  std::shared_ptr<const Sealed> sealed_ = std::make_shared<const Sealed>();
  std::size_t rows_ = 0;     // that arrived since take()
  std::uint64_t taken_ = 0;  // how often take() was called
  bool tidying_ = false;
};

}  // namespace marigram::head
