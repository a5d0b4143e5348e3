#include "coverage/bucket_set.h"

#include "coverage/run_cursor.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <roaring.h>

namespace marigram::coverage {

namespace croaring = ::roaring::api;

namespace {

// From this length on a run of consecutive ids goes in as a range: below it, one search a run costs more than it saves.
constexpr std::uint64_t kRangeIds = 4;

/// Length of the prefix of `ids` whose values stay or step up by one.
std::size_t ascending_prefix(std::span<const std::uint64_t> ids) {
  std::size_t length = 1;
  // The second condition alone would step from the last id to the first.
  while (length < ids.size() && ids[length] >= ids[length - 1] && ids[length] - ids[length - 1] <= 1) ++length;
  return length;
}

}  // namespace

BucketSet::BucketSet() : bits_(croaring::roaring64_bitmap_create()) {}
BucketSet::BucketSet(croaring::roaring64_bitmap_s* owned) : bits_(owned) {}
BucketSet::~BucketSet() {
  if (bits_ != nullptr) croaring::roaring64_bitmap_free(bits_);
}
BucketSet::BucketSet(const BucketSet& other) : bits_(croaring::roaring64_bitmap_copy(other.bits_)) {}
BucketSet& BucketSet::operator=(const BucketSet& other) {
  if (this != &other) *this = BucketSet(other);
  return *this;
}
BucketSet::BucketSet(BucketSet&& other) noexcept : bits_(std::exchange(other.bits_, nullptr)) {}
BucketSet& BucketSet::operator=(BucketSet&& other) noexcept {
  std::swap(bits_, other.bits_);
  return *this;
}

void BucketSet::add(std::uint64_t id) {
  croaring::roaring64_bitmap_add(bits_, id);
}

void BucketSet::add_range(IdRange range) {
  croaring::roaring64_bitmap_add_range_closed(bits_, range.first, range.last);
}

std::uint64_t BucketSet::add_many(std::span<const std::uint64_t> ids) {
  const std::uint64_t before = size();
  croaring::roaring64_bulk_context_t context{};
  while (!ids.empty()) {
    const std::size_t length = ascending_prefix(ids);
    const IdRange run{.first = ids.front(), .last = ids[length - 1]};
    ids = ids.subspan(length);
    if (run.count() >= kRangeIds) {
      add_range(run);
      context = {};  // a change behind its back invalidates it
    } else {
      for (std::uint64_t id = run.first; id - run.first < run.count(); ++id) {
        croaring::roaring64_bitmap_add_bulk(bits_, &context, id);
      }
    }
  }
  return size() - before;
}

void BucketSet::unite(const BucketSet& other) {
  if (this != &other) croaring::roaring64_bitmap_or_inplace(bits_, other.bits_);
}

void BucketSet::subtract(const BucketSet& other) {
  if (this == &other) {
    croaring::roaring64_bitmap_clear(bits_);
  } else {
    croaring::roaring64_bitmap_andnot_inplace(bits_, other.bits_);
  }
}

bool BucketSet::contains(std::uint64_t id) const {
  return croaring::roaring64_bitmap_contains(bits_, id);
}
bool BucketSet::empty() const {
  return croaring::roaring64_bitmap_is_empty(bits_);
}
std::uint64_t BucketSet::size() const {
  return croaring::roaring64_bitmap_get_cardinality(bits_);
}
std::uint64_t BucketSet::size_in(IdRange range) const {
  if (range.first > range.last) return 0;
  return croaring::roaring64_bitmap_range_closed_cardinality(bits_, range.first, range.last);
}

std::optional<std::uint64_t> BucketSet::min() const {
  if (empty()) return std::nullopt;
  return croaring::roaring64_bitmap_minimum(bits_);
}

std::optional<std::uint64_t> BucketSet::max() const {
  if (empty()) return std::nullopt;
  return croaring::roaring64_bitmap_maximum(bits_);
}

std::uint64_t BucketSet::overlap_size(const BucketSet& other) const {
  return croaring::roaring64_bitmap_and_cardinality(bits_, other.bits_);
}

std::optional<std::uint64_t> BucketSet::first_common(const BucketSet& other) const {
  // Most sets that are asked have nothing in common; that answer needs no memory.
  if (!croaring::roaring64_bitmap_intersect(bits_, other.bits_)) return std::nullopt;
  return intersection(other).min();
}

BucketSet BucketSet::intersection(const BucketSet& other) const {
  return BucketSet(croaring::roaring64_bitmap_and(bits_, other.bits_));
}

std::vector<IdRange> BucketSet::runs_in(IdRange range) const {
  std::vector<IdRange> runs;
  RunCursor cursor(*this, range, RunCursor::Direction::kUp);
  while (const auto run = cursor.next()) runs.push_back(*run);
  return runs;
}

std::vector<IdRange> BucketSet::gaps_in(IdRange range) const {
  std::vector<IdRange> gaps;
  if (range.first > range.last) return gaps;
  std::uint64_t next = range.first;  // the first id not yet known to be present or absent
  RunCursor cursor(*this, range, RunCursor::Direction::kUp);
  while (const auto run = cursor.next()) {
    if (run->first > next) gaps.push_back({.first = next, .last = run->first - 1});
    if (run->last == range.last) return gaps;
    next = run->last + 1;
  }
  gaps.push_back({.first = next, .last = range.last});
  return gaps;
}

std::vector<std::uint64_t> BucketSet::ids() const {
  std::vector<std::uint64_t> ids(size());
  croaring::roaring64_bitmap_to_uint64_array(bits_, ids.data());
  return ids;
}

bool operator==(const BucketSet& a, const BucketSet& b) {
  return croaring::roaring64_bitmap_equals(a.bits_, b.bits_);
}

}  // namespace marigram::coverage
