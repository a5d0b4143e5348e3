// A hash table of numbers: what the numbers stand for lies elsewhere, by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace marigram::head {

/// Open addressing with linear probing; eight bytes a slot, at most three of four in use. Nothing is ever removed. Not
/// thread-safe for writes; const use is.
class HashSlots {
 public:
  /// The number with this hash for which `is_it(number)`. O(1); `is_it` is asked only where 32 bits of hash agree.
  template <typename IsIt>
  std::optional<std::uint32_t> find(std::uint64_t hash, IsIt is_it) const {
    if (slots_.empty()) return std::nullopt;
    const std::uint32_t fingerprint = fingerprint_of(hash);
    for (std::size_t at = fingerprint & mask();; at = (at + 1) & mask()) {
      const Slot& slot = slots_[at];
      if (slot.number == kFree) return std::nullopt;
      if (slot.fingerprint == fingerprint && is_it(slot.number)) return slot.number;
    }
  }

  /// Where a look-up of this hash begins; may be read ahead of it.
  const void* place_of(std::uint64_t hash) const {
    return slots_.empty() ? nullptr : &slots_[fingerprint_of(hash) & mask()];
  }

  /// Adds a number (below 2^32 - 1) that is not there. O(1) amortised.
  void add(std::uint64_t hash, std::uint32_t number) {
    if (4 * (used_ + 1) > 3 * slots_.size()) grow();
    place({.fingerprint = fingerprint_of(hash), .number = number});
    ++used_;
  }

  std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  static constexpr std::uint32_t kFree = std::numeric_limits<std::uint32_t>::max();

  struct Slot {
    std::uint32_t fingerprint = 0;  // of the hash; says also where the number belongs
    std::uint32_t number = kFree;
  };

  static std::uint32_t fingerprint_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  std::size_t mask() const { return slots_.size() - 1; }

  void place(Slot slot) {
    std::size_t at = slot.fingerprint & mask();
    while (slots_[at].number != kFree) at = (at + 1) & mask();
    slots_[at] = slot;
  }

  void grow() {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.empty() ? 8 : 2 * slots_.size()));
    for (const Slot& slot : old) {
      if (slot.number != kFree) place(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two, or none
  std::size_t used_ = 0;
};

}  // namespace marigram::head
