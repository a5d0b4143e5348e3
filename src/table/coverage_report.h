// Answers about coverage, for users: ranges of index values instead of bucket ids, calendars applied.
#pragma once

#include "table/engine.h"

#include <marigram/coverage.h>
#include <marigram/error.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace marigram::table {

/// See Table::coverage. An empty table without a range has ratio 0.
Result<CoverageReport> report_coverage(const Engine& engine, const log::TableState& state,
                                       const CoverageRequest& request);
/// See Table::coverage_by_series. Every series is held against the same range: by default that of all matching ones.
Result<std::vector<CoverageReport>> report_coverage_by_series(const Engine& engine, const log::TableState& state,
                                                              const CoverageRequest& request);
/// See Table::last_covered_window.
Result<std::optional<BucketRange>> find_last_covered_window(const Engine& engine, const log::TableState& state,
                                                            std::uint64_t length,
                                                            const std::optional<IndexValue>& before,
                                                            const std::vector<TagPredicate>& where);

}  // namespace marigram::table
