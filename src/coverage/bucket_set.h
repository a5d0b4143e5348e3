// A set of bucket ids: a 64-bit Roaring bitmap (https://roaringbitmap.org) and its two file forms.
#pragma once

#include <marigram/error.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roaring::api {
struct roaring64_bitmap_s;
}

namespace marigram::coverage {

/// A closed range of ids.
struct IdRange {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  friend bool operator==(const IdRange&, const IdRange&) = default;
  /// Number of ids; 2^64 - 1 also stands for the one set that has 2^64.
  std::uint64_t count() const { return last - first == UINT64_MAX ? UINT64_MAX : last - first + 1; }
};

/// A value type; copies are deep. Not thread-safe for writes; const use is. A moved-from set may only be assigned to or
/// destroyed. A range whose last id precedes its first is empty.
class BucketSet {
 public:
  BucketSet();
  ~BucketSet();
  BucketSet(const BucketSet&);
  BucketSet& operator=(const BucketSet&);
  BucketSet(BucketSet&&) noexcept;
  BucketSet& operator=(BucketSet&&) noexcept;

  void add(std::uint64_t id);
  void add_range(IdRange range);
  /// Adds ids in any order (fast when runs ascend). Returns how many were new. O(ids + containers).
  std::uint64_t add_many(std::span<const std::uint64_t> ids);
  void unite(const BucketSet& other);
  void subtract(const BucketSet& other);

  bool contains(std::uint64_t id) const;
  bool empty() const;
  std::uint64_t size() const;
  std::uint64_t size_in(IdRange range) const;
  std::optional<std::uint64_t> min() const;
  std::optional<std::uint64_t> max() const;
  /// How many ids are in both, and the smallest of them.
  std::uint64_t overlap_size(const BucketSet& other) const;
  std::optional<std::uint64_t> first_common(const BucketSet& other) const;
  BucketSet intersection(const BucketSet& other) const;

  /// Maximal runs of ids inside `range`, ascending; RunCursor walks them one by one. O(runs in the range).
  std::vector<IdRange> runs_in(IdRange range) const;
  /// Maximal runs of absent ids inside `range`, ascending. O(runs in the range).
  std::vector<IdRange> gaps_in(IdRange range) const;
  /// All ids, ascending; for tests and small sets.
  std::vector<std::uint64_t> ids() const;

  friend bool operator==(const BucketSet& a, const BucketSet& b);

  /// v1 file: one 32-bit bitmap in the portable format, without run containers. All ids must be < 2^32.
  std::string to_v1_bytes() const;
  /// v7 file without tags: the portable 64-bit "treemap", without run containers.
  std::string to_v7_bytes() const;
  /// v7 files with tags hold treemaps in which each 32-bit bitmap is run-optimised. Equal sets give equal bytes, here
  /// as in the other two forms.
  std::string to_v7_run_optimised_bytes() const;
  /// Both accept run containers. kCorruption with a reason if the bytes are not exactly one valid bitmap.
  static Result<BucketSet> from_v1_bytes(std::string_view bytes);
  static Result<BucketSet> from_v7_bytes(std::string_view bytes);

 private:
  friend class RunCursor;

  explicit BucketSet(roaring::api::roaring64_bitmap_s* owned);
  roaring::api::roaring64_bitmap_s* bits_;  // owned, never null except when moved from
};

}  // namespace marigram::coverage
