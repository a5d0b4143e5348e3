// Changes of a table that bring no rows: segments taken out, tags and fields added; and its history for users.
#pragma once

#include "table/engine.h"

#include <marigram/error.h>
#include <marigram/table.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace marigram::table {

/// See Table::remove_segments. Returns the new version.
Result<std::uint64_t> remove_segments(Engine& engine, std::span<const std::string> ids);
/// See Table::add_columns. Returns the new version.
Result<std::uint64_t> add_columns(Engine& engine, std::span<const ColumnInfo> columns);
/// See Table::add_tags. Returns the new version.
Result<std::uint64_t> add_tags(Engine& engine, std::span<const std::string> names);
/// See Table::set_segments. Returns the new version.
Result<std::uint64_t> set_segments(Engine& engine, SegmentFormat format, const std::optional<std::string>& compression);
/// Tags and fields in one commit; either may be empty. Returns the new version.
Result<std::uint64_t> evolve(Engine& engine, std::span<const std::string> tags, std::span<const ColumnInfo> fields);

/// See Table::segments and Table::log.
std::vector<SegmentInfo> list_segments(const log::TableState& state);
Result<std::vector<CommitInfo>> list_commits(const Engine& engine, std::uint64_t version);

}  // namespace marigram::table
