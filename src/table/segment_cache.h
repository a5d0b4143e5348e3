// Segments that were read lately, open: another read of them neither opens the file nor parses its footer, nor computes
// checksums a second time.
#pragma once

#include "io/object_store.h"
#include "model/table_meta.h"
#include "segment/reader.h"

#include <marigram/error.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace marigram::table {

/// The most recently used segments of one table: some in any case, and more as long as they are small together, since
/// what is kept of a file in memory grows with it, and as long as the process has room for their mappings. Thread-safe.
class SegmentCache {
 public:
  SegmentCache() = default;
  SegmentCache(const SegmentCache&) = delete;
  SegmentCache& operator=(const SegmentCache&) = delete;
  ~SegmentCache();

  /// As open_segment; a file that was replaced since is opened anew, but for days of zola folders: kConflict. O(1).
  Result<std::shared_ptr<segment::SegmentReader>> open(io::ObjectStore& store, const model::SegmentMeta& segment);

  /// Of a file that was removed: its space is free when nobody has it open.
  void forget(const std::string& key);

 private:
  struct Entry {
    std::string key;
    std::string version;
    std::shared_ptr<segment::SegmentReader> reader;
    std::size_t mappings = 0;
  };

  void erase(const std::string& key);
  bool is_full() const;

  std::mutex mutex_;
  std::uint64_t bytes_ = 0;                                             // guarded by mutex_; of all files
  std::list<Entry> entries_;                                            // guarded by mutex_; the last used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;  // guarded by mutex_
};

}  // namespace marigram::table
