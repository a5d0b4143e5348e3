#include "segment/series_slots.h"

#include "segment/tag_columns.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

namespace marigram::segment {
namespace {

constexpr std::uint32_t kUnknown = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t kFirstEntries = 64;

__extension__ using UInt128 = unsigned __int128;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const UInt128 product = UInt128{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <typename T>
std::uint64_t load(const char* bytes) {
  T word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

/// Up to 8 bytes, by loads that overlap: a copy of a few bytes and then a load of 8 would have to wait for the stores.
std::uint64_t load_up_to_8(const char* bytes, std::size_t count) {
  if (count >= 4) return load<std::uint32_t>(bytes) | load<std::uint32_t>(bytes + count - 4) << 32;
  if (count == 0) return 0;
  return load<std::uint8_t>(bytes) | load<std::uint8_t>(bytes + count / 2) << 8 |
         load<std::uint8_t>(bytes + count - 1) << 16;
}

/// Multiply and fold, 8 bytes at a time (the scheme of wyhash); keys are short.
std::uint64_t hash_of(std::string_view bytes) {
  constexpr std::uint64_t kA = 0xA076'1D64'78BD'642F;
  constexpr std::uint64_t kB = 0xE703'7ED1'A0B4'28DB;
  std::uint64_t hash = mix(bytes.size() ^ kA, kB);
  while (bytes.size() > 8) {
    hash = mix(hash ^ load<std::uint64_t>(bytes.data()), kB);
    bytes.remove_prefix(8);
  }
  return mix(hash ^ load_up_to_8(bytes.data(), bytes.size()), kA);
}

}  // namespace

void SeriesSlots::begin_batch(const TagColumns& tags) {
  of_dictionary_.assign(static_cast<std::size_t>(tags.dictionary_length()), kUnknown);
}

/// The entry of this encoding, or the free one where it belongs.
SeriesSlots::Entry& SeriesSlots::find(std::uint64_t hash, std::string_view encoded) {
  const std::size_t mask = table_.size() - 1;
  for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
    Entry& entry = table_[at];
    if (!entry.used) return entry;
    if (entry.hash == hash && std::string_view(bytes_).substr(entry.begin, entry.length) == encoded) return entry;
  }
}

void SeriesSlots::grow() {
  const std::size_t size = table_.empty() ? kFirstEntries : 2 * table_.size();
  const std::vector<Entry> old = std::exchange(table_, std::vector<Entry>(size));
  for (const Entry& entry : old) {
    if (!entry.used) continue;
    std::size_t at = entry.hash & (size - 1);
    while (table_[at].used) at = (at + 1) & (size - 1);
    table_[at] = entry;
  }
}

std::uint32_t SeriesSlots::slot_of(const TagColumns& tags, std::int64_t row) {
  std::uint32_t* remembered = nullptr;
  if (!of_dictionary_.empty()) {
    remembered = &of_dictionary_[static_cast<std::size_t>(tags.dictionary_indices()[static_cast<std::size_t>(row)])];
    if (*remembered != kUnknown) return *remembered;
  }
  if (2 * (keys_.size() + 1) > table_.size()) grow();
  const std::string_view encoded = tags.encode(row, encoded_);
  const std::uint64_t hash = hash_of(encoded);
  Entry& entry = find(hash, encoded);
  if (!entry.used) {
    entry = {.hash = hash,
             .slot = static_cast<std::uint32_t>(keys_.size()),
             .length = static_cast<std::uint32_t>(encoded.size()),
             .begin = bytes_.size(),
             .used = true};
    bytes_ += encoded;
    keys_.push_back(tags.key_of(row));
  }
  if (remembered != nullptr) *remembered = entry.slot;
  return entry.slot;
}

}  // namespace marigram::segment
