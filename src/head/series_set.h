// A set of series: a 32-bit Roaring bitmap (https://roaringbitmap.org).
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

namespace roaring::api {
struct roaring_bitmap_s;
}

namespace marigram::head {

/// A series of one table: dense from 0, in order of first use.
using SeriesId = std::uint32_t;

/// A value type; copies are deep. Not thread-safe for writes; const use is. A moved-from set may only be assigned to or
/// destroyed.
class SeriesSet {
 public:
  SeriesSet();
  SeriesSet(std::initializer_list<SeriesId> ids);
  ~SeriesSet();
  SeriesSet(const SeriesSet&);
  SeriesSet& operator=(const SeriesSet&);
  SeriesSet(SeriesSet&&) noexcept;
  SeriesSet& operator=(SeriesSet&&) noexcept;

  /// All ids in the half-open range.
  static SeriesSet range(SeriesId begin, SeriesId end);
  /// O(sum of their sizes), and much less where they are dense.
  static SeriesSet union_of(std::span<const SeriesSet* const> sets);

  void add(SeriesId id);
  /// Quickest if the ids ascend.
  void add_many(std::span<const SeriesId> ids);
  void intersect(const SeriesSet& other);
  /// Those of 0 .. count - 1 that are not in the set, which has none beyond.
  SeriesSet complement(std::uint32_t count) const;

  bool contains(SeriesId id) const;
  bool empty() const;
  std::size_t size() const;
  /// All ids, ascending.
  std::vector<SeriesId> ids() const;

  friend bool operator==(const SeriesSet& a, const SeriesSet& b);

 private:
  explicit SeriesSet(roaring::api::roaring_bitmap_s* owned);
  roaring::api::roaring_bitmap_s* bits_;  // owned, never null except when moved from
};

}  // namespace marigram::head
