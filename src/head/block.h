// Where rows arrive: as they come, of any series.
#pragma once

#include "head/memory_budget.h"
#include "head/rows.h"
#include "head/string_arena.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace marigram::head {

/// Rows that arrived, resolved: series numbered, fields in the table's order. Borrows.
struct ArrivingRows {
  std::span<const SeriesId> series;
  std::span<const std::int64_t> times;
  std::span<const model::FieldColumn* const> fields;  ///< of the first fields of the table; null: no row has it
};

/// A bounded number of rows in order of arrival. One thread appends at a time; rows that are there do not change and
/// may be read meanwhile by whoever learned of their number from that thread.
class Block {
 public:
  Block(std::shared_ptr<const Fields> fields, std::size_t capacity, MemoryBudget& budget);

  const std::shared_ptr<const Fields>& fields() const { return fields_; }
  std::size_t size() const { return rows_.size(); }
  std::size_t capacity() const { return capacity_; }
  bool is_full() const { return size() == capacity_; }

  /// The rows number `chosen` of `rows`, as many as there is room for; returns their number.
  std::size_t append(const ArrivingRows& rows, std::span<const std::uint32_t> chosen);

  const std::vector<SeriesId>& series() const { return series_; }
  const Rows& rows() const { return rows_; }

 private:
  const std::shared_ptr<const Fields> fields_;
  const std::size_t capacity_;
  std::vector<SeriesId> series_;
  Rows rows_;
  StringArena strings_;
  MemoryCharge charge_;
};

}  // namespace marigram::head
