// From TableOptions to the first commit, and from a table's state to what users see of it.
#pragma once

#include "base/bucket_width.h"
#include "coverage/calendar.h"
#include "log/log.h"
#include "log/table_state.h"
#include "model/rollup.h"
#include "model/schema.h"

#include <marigram/error.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <cstdint>
#include <optional>
#include <string>

namespace marigram::table {

/// Checks all options and makes the commit that creates the table. kInvalidInput names the option.
Result<log::Proposal> define_table(const TableOptions& options, Instant now);

/// Whether segments of that format hold such columns. kInvalidInput names one that they do not; `doing`: "cannot create
/// table".
Status check_types(SegmentFormat format, const model::Schema& schema, const std::string& doing);

/// Whether there is such a compression, and segments of the format have it. kInvalidInput.
Status check_compression(SegmentFormat format, const std::string& compression, const std::string& doing);

/// What the options ask for. kInvalidInput: a width that is none, intervals that do not nest, an unknown zone.
Result<model::RollupSpec> rollup_spec(const RollupOptions& options);
/// Whether a table may keep rollups at all. kInvalidInput; `doing`: "create table".
Status check_keeps_rollups(Dialect dialect, const model::IndexKind& kind, const char* doing);

/// Seconds of a segment's time partition; default one day.
Result<std::int64_t> partition_seconds(const log::TableState& state);
/// Seconds that a segment never crosses a multiple of: the partition, in whole buckets, so that no two partitions share
/// a bucket. For a timestamp index.
Result<std::int64_t> segment_seconds(const log::TableState& state);
/// The table's calendar, if it has one.
Result<std::optional<coverage::Calendar>> table_calendar(const log::TableState& state);

/// The unit of the time column; unset for integer indexes and before it is known.
std::optional<TimeUnit> time_unit(const log::TableState& state);

TableInfo describe(const log::TableState& state);

}  // namespace marigram::table
