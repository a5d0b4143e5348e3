#include "table/segment_cache.h"

#include "base/try.h"

#include <fmt/format.h>

#include <atomic>
#include <utility>

namespace marigram::table {
namespace {

constexpr std::size_t kEntriesAlways = 32;
constexpr std::size_t kEntriesMax = 4'096;
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 30U;  // of a table's files
constexpr std::size_t kMappingsMax = 16'384;                  // of all tables; Linux gives a process 65,530

std::atomic<std::size_t> all_mappings;  // of the caches of all tables

/// A day of a zola folder has a file a column.
std::size_t mappings_of(const segment::SegmentReader& reader, SegmentFormat format) {
  return format == SegmentFormat::kZola ? reader.schema(Dialect::kV7).columns.size() : 1;
}

}  // namespace

SegmentCache::~SegmentCache() {
  for (const Entry& entry : entries_) all_mappings -= entry.mappings;
}

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
  const std::size_t mappings = mappings_of(*reader, segment.format);
  entries_.push_front({key, std::move(info.version), reader, mappings});
  bytes_ += reader->bytes();
  all_mappings += mappings;
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
  all_mappings -= found->second->mappings;
  entries_.erase(found->second);
  by_key_.erase(found);
}

bool SegmentCache::is_full() const {
  const bool is_much = bytes_ > kBytesMax || all_mappings > kMappingsMax;
  return entries_.size() > (is_much ? kEntriesAlways : kEntriesMax);
}

}  // namespace marigram::table
