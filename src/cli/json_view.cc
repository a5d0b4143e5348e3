#include "cli/json_view.h"

#include <marigram/coverage.h>
#include <marigram/series.h>
#include <marigram/table.h>
#include <marigram/time.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace marigram::cli {

Json to_json(const IndexValue& value) {
  return std::visit(
      [](const auto& held) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, Instant>) {
          return format_rfc3339(held);
        } else {
          return held;
        }
      },
      value);
}

Json to_json(const std::optional<IndexValue>& value) {
  return value ? to_json(*value) : Json(nullptr);
}

Json to_json(const TagValue& value) {
  return std::visit([](const auto& held) -> Json { return held; }, value);
}

Json series_json(const std::vector<ColumnInfo>& tags, const SeriesKey& key) {
  Json object = Json::object();
  for (std::size_t i = 0; i < key.size() && i < tags.size(); ++i) object[tags[i].name] = to_json(key[i]);
  return object;
}

Json to_json(const BucketRange& range) {
  return {{"from", to_json(range.from)}, {"to", to_json(range.to)}, {"buckets", range.buckets}};
}

void add_report(Json& object, const CoverageReport& report, const std::string* bucket) {
  const bool nothing = report.from == report.to;
  object["from"] = nothing ? Json(nullptr) : to_json(report.from);
  object["to"] = nothing ? Json(nullptr) : to_json(report.to);
  if (bucket != nullptr) object["bucket"] = *bucket;
  object["covered_buckets"] = report.covered_buckets;
  object["expected_buckets"] = report.expected_buckets;
  object["ratio"] = report.ratio;
  object["max_gap_buckets"] = report.max_gap_buckets;
  Json gaps = Json::array();
  for (const BucketRange& gap : report.gaps) gaps.push_back(to_json(gap));
  object["gaps"] = std::move(gaps);
}

Json to_json(const std::vector<ColumnInfo>& columns) {
  Json list = Json::array();
  for (const ColumnInfo& column : columns) list.push_back({{"name", column.name}, {"type", column.type}});
  return list;
}

Json to_json(const TableInfo& info) {
  Json time = {{"name", info.time_column},
               {"unit", info.unit ? Json(time_unit_name(*info.unit)) : Json(nullptr)},
               {"min", to_json(info.min)},
               {"max", to_json(info.max)}};
  return {{"version", info.version},
          {"dialect", dialect_name(info.dialect)},
          {"rows", info.rows},
          {"segments", info.segments},
          {"time", std::move(time)},
          {"tags", to_json(info.tags)},
          {"fields", to_json(info.fields)},
          {"bucket", info.bucket},
          {"duplicates", duplicates_name(info.duplicates)},
          {"segment_format", format_name(info.segment_format)},
          {"compression", info.compression},
          {"features", info.features}};
}

Json segment_json(const SegmentInfo& segment, const std::vector<ColumnInfo>& tags) {
  return {{"id", segment.id},
          {"path", segment.path},
          {"format", format_name(segment.format)},
          {"min", to_json(segment.min)},
          {"max", to_json(segment.max)},
          {"rows", segment.rows},
          {"bytes", segment.bytes},
          {"series", segment.series ? series_json(tags, *segment.series) : Json(nullptr)}};
}

Json to_json(const CommitInfo& commit) {
  return {{"version", commit.version},
          {"timestamp", format_rfc3339(commit.timestamp)},
          {"operation", commit.operation},
          {"added_segments", commit.added_segments},
          {"removed_segments", commit.removed_segments},
          {"added_rows", commit.added_rows},
          {"transaction_id", commit.transaction_id}};
}

std::vector<std::string> names_of(const std::vector<ColumnInfo>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const ColumnInfo& column : columns) names.push_back(column.name);
  return names;
}

const char* dialect_name(Dialect dialect) {
  return dialect == Dialect::kV1 ? "v1" : "v7";
}

const char* format_name(SegmentFormat format) {
  if (format == SegmentFormat::kZola) return "zola";
  return format == SegmentFormat::kNative ? "native" : "parquet";
}

const char* duplicates_name(Duplicates duplicates) {
  if (duplicates == Duplicates::kLast) return "last";
  return duplicates == Duplicates::kAll ? "all" : "reject";
}

}  // namespace marigram::cli
