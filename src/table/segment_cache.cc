#include "table/segment_cache.h"

#include "base/try.h"

#include <fmt/format.h>

#include <utility>

namespace marigram::table {
namespace {

constexpr std::size_t kEntriesMax = 64;

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
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    entries_.erase(found->second);
    by_key_.erase(found);
  }
  entries_.push_front({key, std::move(info.version), reader});
  by_key_[key] = entries_.begin();
  if (entries_.size() > kEntriesMax) {
    by_key_.erase(entries_.back().key);
    entries_.pop_back();
  }
  return reader;
}

}  // namespace marigram::table
