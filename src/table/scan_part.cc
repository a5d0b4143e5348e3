#include "table/scan_part.h"

#include <memory>
#include <utility>

namespace marigram::table {

Result<ScanStream> scan_part(const Engine& engine, const log::TableState& bare, std::span<const SegmentPtr> segments,
                             const ScanRequest& request, const NewerRows& newer) {
  auto part = std::make_shared<log::TableState>(bare);
  for (const SegmentPtr& segment : segments) part->segments.emplace(segment->key(part->dialect()), segment);
  return scan(engine, std::move(part), request, newer);
}

}  // namespace marigram::table
