// The library's answers as JSON, with the keys that docs/cli.md promises.
#pragma once

#include <marigram/coverage.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace marigram::cli {

using Json = nlohmann::ordered_json;

/// A time as RFC 3339, an integer as a number.
Json to_json(const IndexValue& value);
/// null if unset.
Json to_json(const std::optional<IndexValue>& value);
Json to_json(const TagValue& value);
/// {tag: value}
Json series_json(const std::vector<ColumnInfo>& tags, const SeriesKey& key);
/// {"from","to","buckets"}
Json to_json(const BucketRange& range);
/// "from","to","covered_buckets","expected_buckets","ratio","max_gap_buckets","gaps" added to `object`; from and to are
/// null for a table that covers nothing.
void add_report(Json& object, const CoverageReport& report, const std::string* bucket);
/// [{"name","type"}]
Json to_json(const std::vector<ColumnInfo>& columns);
Json to_json(const TableInfo& info);
Json segment_json(const SegmentInfo& segment, const std::vector<ColumnInfo>& tags);
Json to_json(const CommitInfo& commit);

/// Names of the columns.
std::vector<std::string> names_of(const std::vector<ColumnInfo>& columns);
const char* dialect_name(Dialect dialect);
const char* duplicates_name(Duplicates duplicates);
const char* format_name(SegmentFormat format);

}  // namespace marigram::cli
