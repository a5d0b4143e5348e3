// Numbers for series, in order of appearance, whatever batch they come in.
#pragma once

#include "segment/tag_columns.h"

#include <marigram/series.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace marigram::segment {

/// Amortised O(1) a look-up; not thread-safe.
class SeriesSlots {
 public:
  /// Must precede the look-ups in a batch.
  void begin_batch(const TagColumns& tags);
  /// The number of the series of a row of `tags`, the batch last begun.
  std::uint32_t slot_of(const TagColumns& tags, std::int64_t row);

  std::size_t size() const { return keys_.size(); }
  const SeriesKey& key(std::uint32_t slot) const { return keys_[slot]; }

 private:
  /// A place in the hash table. Its series' encoding lies in bytes_.
  struct Entry {
    std::uint64_t hash = 0;
    std::uint32_t slot = 0;
    std::uint32_t length = 0;
    std::size_t begin = 0;
    bool used = false;
  };

  Entry& find(std::uint64_t hash, std::string_view encoded);
  void grow();

  std::vector<Entry> table_;  // open addressing, linear probing; a power of two, at most half full
  std::string bytes_;         // encodings (TagColumns::encode), one after the other
  std::vector<SeriesKey> keys_;
  std::vector<std::uint32_t> of_dictionary_;  // by index of the batch's only, dictionary-encoded tag; kUnknown
  std::string encoded_;                       // reused
};

}  // namespace marigram::segment
