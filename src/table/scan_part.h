// Scans of some segments of a table as if it had no others.
#pragma once

#include "table/scan.h"
#include "table/segment_list.h"

#include <marigram/error.h>
#include <marigram/scan.h>

#include <span>

namespace marigram::table {

/// The rows of `segments`, of a table whose state without any is `bare`; see scan.
Result<ScanStream> scan_part(const Engine& engine, const log::TableState& bare, std::span<const SegmentPtr> segments,
                             const ScanRequest& request, const NewerRows& newer);

}  // namespace marigram::table
