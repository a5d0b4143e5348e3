#include "table/segment_cache.h"

#include "base/try.h"

#include <fmt/format.h>

#include <utility>

namespace marigram::table {
namespace {

constexpr std::size_t kEntriesAlways = 64;
constexpr std::size_t kEntriesMax = 4'096;  // of mappings; a process has some 65,000
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 30U;

}  // namespace

Result<std::shared_ptr<segment::SegmentReader>> SegmentCache::open(io::ObjectStore& store,
                                                                   const model::SegmentMeta& segment) {
  const std::string& key = segment.path;
  MARIGRAM_ASSIGN(io::ObjectInfo info, store.head(key));
  if (segment.format == SegmentFormat::kZola && info.version != segment.id) {
    return fail(ErrorCode::kConflict,
                fmt::format("cannot read {}: the day was replaced since the table was opened; open it again", key));
  }
  {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found != by_key_.end() && found->second->version == info.version) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return entries_.front().reader;
    }
  }
  MARIGRAM_ASSIGN(auto reader, segment::open_segment(store, key, segment.format));
  const std::lock_guard lock(mutex_);
  erase(key);
  bytes_ += reader->bytes();
  entries_.push_front({key, std::move(info.version), reader});
  by_key_[key] = entries_.begin();
  while (is_full()) erase(std::string(entries_.back().key));
  return reader;
}

void SegmentCache::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  erase(key);
}

void SegmentCache::erase(const std::string& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  bytes_ -= found->second->reader->bytes();
  entries_.erase(found->second);
  by_key_.erase(found);
}

bool SegmentCache::is_full() const {
  return entries_.size() > kEntriesMax || (entries_.size() > kEntriesAlways && bytes_ > kBytesMax);
}

}  // namespace marigram::table
