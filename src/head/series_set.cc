#include "head/series_set.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include <roaring.h>

namespace marigram::head {

namespace croaring = ::roaring::api;

SeriesSet::SeriesSet() : bits_(croaring::roaring_bitmap_create()) {}
SeriesSet::SeriesSet(std::initializer_list<SeriesId> ids) : SeriesSet() {
  add_many(std::span(ids.begin(), ids.size()));
}
SeriesSet::SeriesSet(croaring::roaring_bitmap_s* owned) : bits_(owned) {}
SeriesSet::~SeriesSet() {
  if (bits_ != nullptr) croaring::roaring_bitmap_free(bits_);
}
SeriesSet::SeriesSet(const SeriesSet& other) : bits_(croaring::roaring_bitmap_copy(other.bits_)) {}
SeriesSet& SeriesSet::operator=(const SeriesSet& other) {
  if (this != &other) *this = SeriesSet(other);
  return *this;
}
SeriesSet::SeriesSet(SeriesSet&& other) noexcept : bits_(std::exchange(other.bits_, nullptr)) {}
SeriesSet& SeriesSet::operator=(SeriesSet&& other) noexcept {
  std::swap(bits_, other.bits_);
  return *this;
}

SeriesSet SeriesSet::range(SeriesId begin, SeriesId end) {
  SeriesSet set;
  croaring::roaring_bitmap_add_range(set.bits_, begin, end);
  return set;
}

SeriesSet SeriesSet::union_of(std::span<const SeriesSet* const> sets) {
  std::vector<const croaring::roaring_bitmap_s*> bitmaps(sets.size());
  std::ranges::transform(sets, bitmaps.begin(), [](const SeriesSet* set) { return set->bits_; });
  return SeriesSet(croaring::roaring_bitmap_or_many(bitmaps.size(), bitmaps.data()));
}

void SeriesSet::add(SeriesId id) {
  croaring::roaring_bitmap_add(bits_, id);
}

void SeriesSet::add_many(std::span<const SeriesId> ids) {
  if (ids.empty()) return;  // CRoaring would calculate with the null pointer
  croaring::roaring_bitmap_add_many(bits_, ids.size(), ids.data());
}

void SeriesSet::intersect(const SeriesSet& other) {
  croaring::roaring_bitmap_and_inplace(bits_, other.bits_);
}

SeriesSet SeriesSet::complement(std::uint32_t count) const {
  return SeriesSet(croaring::roaring_bitmap_flip(bits_, 0, count));
}

bool SeriesSet::contains(SeriesId id) const {
  return croaring::roaring_bitmap_contains(bits_, id);
}
bool SeriesSet::empty() const {
  return croaring::roaring_bitmap_is_empty(bits_);
}
std::size_t SeriesSet::size() const {
  return croaring::roaring_bitmap_get_cardinality(bits_);
}

std::vector<SeriesId> SeriesSet::ids() const {
  std::vector<SeriesId> ids(size());
  croaring::roaring_bitmap_to_uint32_array(bits_, ids.data());
  return ids;
}

bool operator==(const SeriesSet& a, const SeriesSet& b) {
  return croaring::roaring_bitmap_equals(a.bits_, b.bits_);
}

}  // namespace marigram::head
