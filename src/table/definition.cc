#include "table/definition.h"

#include "base/interval_text.h"
#include "base/try.h"
#include "model/index.h"
#include "model/schema.h"
#include "model/table_meta.h"
#include "segment/compression.h"
#include "segment/native_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace marigram::table {
namespace {

constexpr std::int64_t kDefaultPartitionSeconds = 86'400;

Result<model::IndexKind> index_kind(const TableOptions& options) {
  if (options.index_type == "timestamp") {
    if (options.index_step) {
      return fail(ErrorCode::kInvalidInput,
                  "cannot create table: index_step is for int64 and uint64 indexes; use bucket for a timestamp index");
    }
    MARIGRAM_ASSIGN(const BucketWidth bucket, parse_bucket_width(options.bucket));
    return model::TimestampIndex{.bucket = bucket, .timezone = options.timezone};
  }
  if (options.dialect == Dialect::kV1) {
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot create table: dialect v1 has timestamp indexes only; got index type \"{}\"; use dialect v7",
                    options.index_type));
  }
  const std::uint64_t step = options.index_step.value_or(1);
  if (options.index_type == "int64") return model::Int64Index{.step = step};
  if (options.index_type == "uint64") return model::UInt64Index{.step = step};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("cannot create table: unknown index type \"{}\"; want timestamp, int64 or uint64",
                          options.index_type));
}

bool can_be_tag(Dialect dialect, model::TypeId type) {
  switch (type) {
    case model::TypeId::kUtf8:
      return true;
    case model::TypeId::kInt32:
    case model::TypeId::kInt64:
    case model::TypeId::kUInt64:
      return dialect == Dialect::kV7;
    default:
      return false;
  }
}

Status check_growing(const TableOptions& options) {
  if (!options.growing) return {};
  if (options.dialect == Dialect::kV1) {
    return fail(ErrorCode::kInvalidInput, "cannot create table: the tags of dialect v1 are fixed; use dialect v7");
  }
  for (const ColumnInfo& tag : options.tags) {
    MARIGRAM_ASSIGN(const model::Column column, model::from_info(tag));
    if (column.type.id == model::TypeId::kUtf8 && column.nullable) continue;
    return fail(
        ErrorCode::kInvalidInput,
        fmt::format("cannot create table: tag {} is {}; a table that grows has nullable strings for tags, because "
                    "a series may lack any of them",
                    tag.name, column.nullable ? "of type " + tag.type : "not nullable"));
  }
  return {};
}

Result<std::vector<model::Column>> tag_columns(const TableOptions& options) {
  std::vector<model::Column> tags;
  for (const ColumnInfo& info : options.tags) {
    MARIGRAM_ASSIGN(model::Column column, model::from_info(info));
    if (!can_be_tag(options.dialect, column.type.id)) {
      return fail(ErrorCode::kInvalidInput,
                  fmt::format("cannot create table: tag {} has type {}; want string{}", info.name, info.type,
                              options.dialect == Dialect::kV7 ? ", int32, int64 or uint64" : " (dialect v1)"));
    }
    tags.push_back(std::move(column));
  }
  return tags;
}

/// Nullable, as the reference takes it from its callers' rows; null values are refused all the same.
Result<model::Column> index_column(const TableOptions& options, const model::IndexKind& kind) {
  model::Column column{.name = options.time_column, .type = {}, .nullable = true, .metadata = {}};
  if (const auto* time = std::get_if<model::TimestampIndex>(&kind)) {
    column.type.id = model::TypeId::kTimestamp;
    column.type.unit = options.unit.value_or(TimeUnit::kMicro);
    column.type.timezone = time->timezone;
    if (column.type.unit == TimeUnit::kSecond) {
      return fail(ErrorCode::kInvalidInput,
                  "cannot create table: Parquet stores no timestamps in seconds; use unit ms, us or ns");
    }
  } else {
    column.type.id = std::holds_alternative<model::Int64Index>(kind) ? model::TypeId::kInt64 : model::TypeId::kUInt64;
    if (options.unit) {
      return fail(ErrorCode::kInvalidInput, "cannot create table: an integer index has no time unit; leave unit out");
    }
  }
  return column;
}

/// With fields the schema is declared whole; without, only what is known of time and tags, and the first append brings
/// the rest, unless columns may come at any time.
Status declare_columns(const TableOptions& options, const model::IndexKind& kind, log::Proposal& proposal,
                       model::TableMeta& meta) {
  MARIGRAM_ASSIGN(std::vector<model::Column> tags, tag_columns(options));
  MARIGRAM_ASSIGN(model::Column index, index_column(options, kind));
  if (options.fields.empty() && !options.growing) {
    if (options.unit) proposal.extension.declared_types[index.name] = model::format_type(index.type);
    for (const model::Column& tag : tags) {
      proposal.extension.declared_types[tag.name] = model::format_type(tag.type);
    }
    return {};
  }
  model::Schema schema;
  schema.columns.push_back(std::move(index));
  std::ranges::move(tags, std::back_inserter(schema.columns));
  for (const ColumnInfo& info : options.fields) {
    MARIGRAM_ASSIGN(model::Column column, model::from_info(info));
    schema.columns.push_back(std::move(column));
  }
  MARIGRAM_TRY(model::validate_schema(schema));
  meta.schema = std::move(schema);
  return {};
}

Status declare_duplicates(const TableOptions& options, log::Proposal& proposal, model::TableMeta& meta) {
  if (options.duplicates == Duplicates::kReject) return {};
  if (options.dialect == Dialect::kV1) {
    return fail(ErrorCode::kInvalidInput,
                "cannot create table: dialect v1 only rejects duplicates; use dialect v7 to keep the last or all");
  }
  proposal.extension.duplicates = options.duplicates;
  meta.require(log::kDuplicatesFeature);
  return {};
}

Status declare_segments(const TableOptions& options, log::Proposal& proposal, model::TableMeta& meta) {
  MARIGRAM_TRY(check_compression(options.segments, options.compression, "cannot create table"));
  if (options.segments == SegmentFormat::kParquet) return {};
  if (options.dialect == Dialect::kV1) {
    return fail(ErrorCode::kInvalidInput,
                "cannot create table: the segments of dialect v1 are Parquet; use dialect v7 for native ones");
  }
  if (meta.schema) MARIGRAM_TRY(check_types(options.segments, *meta.schema, "cannot create table"));
  proposal.extension.segments = options.segments;
  if (options.compression != TableOptions{}.compression) proposal.extension.compression = options.compression;
  meta.require(log::kNativeFeature);
  return {};
}

Status declare_rollups(const TableOptions& options, const model::IndexKind& kind, log::Proposal& proposal) {
  if (options.rollups.intervals.empty()) return {};
  MARIGRAM_TRY(check_keeps_rollups(options.dialect, kind, "create table"));
  MARIGRAM_ASSIGN(proposal.extension.rollups, rollup_spec(options.rollups));
  return {};
}

}  // namespace

Status check_keeps_rollups(Dialect dialect, const model::IndexKind& kind, const char* doing) {
  if (dialect == Dialect::kV1) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot {}: tables of dialect v1 have no rollups; use dialect v7", doing));
  }
  if (std::holds_alternative<model::TimestampIndex>(kind)) return {};
  return fail(ErrorCode::kInvalidInput, fmt::format("cannot {}: rollups are of a timestamp index, this one is {}",
                                                    doing, model::index_kind_name(kind)));
}

Result<model::RollupSpec> rollup_spec(const RollupOptions& options) {
  model::RollupSpec spec{.timezone = options.timezone,
                         .origin = options.origin,
                         .sketches = {options.percentiles.begin(), options.percentiles.end()}};
  for (const std::string& text : options.intervals) {
    MARIGRAM_ASSIGN(const Interval interval, parse_interval(text, !spec.timezone.empty()));
    spec.intervals.push_back(interval);
  }
  MARIGRAM_TRY(model::check_rollups(spec));
  return spec;
}

Result<log::Proposal> define_table(const TableOptions& options, Instant now) {
  model::TableMeta meta;
  meta.dialect = options.dialect;
  meta.created_at = now;
  MARIGRAM_ASSIGN(model::IndexKind kind, index_kind(options));
  model::IndexSpec index{.column = options.time_column, .tags = {}, .kind = kind};
  for (const ColumnInfo& tag : options.tags) index.tags.push_back(tag.name);
  MARIGRAM_TRY(model::validate_index(index));
  MARIGRAM_TRY(check_growing(options));
  if (options.growing) {
    meta.require(model::kGrowingFeature);
  }

  log::Proposal proposal;
  proposal.extension.operation = "create";
  MARIGRAM_TRY(declare_columns(options, kind, proposal, meta));
  MARIGRAM_TRY(parse_bucket_width(options.partition));
  proposal.extension.partition = options.partition;
  if (options.calendar) {
    MARIGRAM_TRY(coverage::Calendar::parse(*options.calendar));
    if (!std::holds_alternative<model::TimestampIndex>(kind)) {
      return fail(ErrorCode::kInvalidInput, "cannot create table: a calendar needs a timestamp index");
    }
    proposal.extension.calendar = options.calendar;
  }
  MARIGRAM_TRY(declare_duplicates(options, proposal, meta));
  MARIGRAM_TRY(declare_segments(options, proposal, meta));
  MARIGRAM_TRY(declare_rollups(options, kind, proposal));
  meta.index = std::move(index);
  proposal.actions.push_back(log::UpdateTableMeta{std::move(meta)});
  return proposal;
}

Status check_compression(SegmentFormat format, const std::string& compression, const std::string& doing) {
  if (format == SegmentFormat::kZola) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("{}: its segments cannot be zola, which are only read; want parquet or native", doing));
  }
  MARIGRAM_TRY(segment::parse_compression(compression, doing));
  if (format == SegmentFormat::kNative || compression == TableOptions{}.compression) return {};
  return fail(ErrorCode::kInvalidInput,
              fmt::format("{}: compression '{}' is of native segments, these are Parquet", doing, compression));
}

Status check_types(SegmentFormat format, const model::Schema& schema, const std::string& doing) {
  if (format == SegmentFormat::kParquet) return {};
  for (const model::Column& column : schema.columns) {
    if (segment::value_kind(column.type.id)) continue;
    return fail(ErrorCode::kInvalidInput,
                fmt::format("{}: column {} is of type {}, which native segments do not hold; use Parquet segments",
                            doing, column.name, model::format_type(column.type)));
  }
  return {};
}

Result<std::int64_t> partition_seconds(const log::TableState& state) {
  if (!state.partition) return kDefaultPartitionSeconds;
  MARIGRAM_ASSIGN(const BucketWidth width, parse_bucket_width(*state.partition));
  return width.seconds();
}

Result<std::int64_t> segment_seconds(const log::TableState& state) {
  MARIGRAM_ASSIGN(const std::int64_t partition, partition_seconds(state));
  const std::int64_t bucket = std::get<model::TimestampIndex>(state.meta->index->kind).bucket.seconds();
  return (partition + bucket - 1) / bucket * bucket;
}

Result<std::optional<coverage::Calendar>> table_calendar(const log::TableState& state) {
  if (!state.calendar || state.calendar->empty()) return std::nullopt;
  MARIGRAM_ASSIGN(coverage::Calendar calendar, coverage::Calendar::parse(*state.calendar));
  return calendar;
}

std::optional<TimeUnit> time_unit(const log::TableState& state) {
  if (!state.meta || !state.meta->index) return std::nullopt;
  const std::string& name = state.meta->index->column;
  if (state.meta->schema) {
    const model::Column* column = state.meta->schema->find(name);
    if (column != nullptr && column->type.id == model::TypeId::kTimestamp) return column->type.unit;
    return std::nullopt;
  }
  if (const auto declared = state.declared_types.find(name); declared != state.declared_types.end()) {
    if (const auto type = model::parse_type(declared->second); type && type->id == model::TypeId::kTimestamp) {
      return type->unit;
    }
  }
  return std::nullopt;
}

namespace {

void describe_columns(const log::TableState& state, const model::IndexSpec& index, TableInfo& info) {
  const auto is_tag = [&](const std::string& name) { return std::ranges::find(index.tags, name) != index.tags.end(); };
  for (const std::string& tag : index.tags) {
    const model::Column* column = state.meta->schema ? state.meta->schema->find(tag) : nullptr;
    const auto declared = state.declared_types.find(tag);
    ColumnInfo described{.name = tag, .type = "string"};
    if (column != nullptr) {
      described = model::to_info(*column);
    } else if (declared != state.declared_types.end()) {
      described.type = declared->second;
    }
    info.tags.push_back(std::move(described));
  }
  if (!state.meta->schema) return;
  for (const model::Column& column : state.meta->schema->columns) {
    if (column.name != index.column && !is_tag(column.name)) info.fields.push_back(model::to_info(column));
  }
}

}  // namespace

TableInfo describe(const log::TableState& state) {
  TableInfo info;
  info.version = state.version;
  info.dialect = state.dialect();
  info.duplicates = state.duplicates;
  info.segment_format = state.segment_format;
  info.compression = state.compression;
  if (state.meta) {
    info.created_at = state.meta->created_at;
    info.growing = state.meta->grows();
    info.features.assign(state.meta->reader_features.begin(), state.meta->reader_features.end());
    for (const std::string& feature : state.meta->writer_features) {
      if (!state.meta->reader_features.contains(feature)) info.features.push_back(feature);
    }
  }
  if (state.meta && state.meta->index) {
    const model::IndexSpec& index = *state.meta->index;
    info.time_column = index.column;
    info.index_type = model::index_kind_name(index.kind);
    info.bucket = model::format_bucket(index.kind);
    if (const auto* time = std::get_if<model::TimestampIndex>(&index.kind)) info.timezone = time->timezone;
    info.unit = time_unit(state);
    describe_columns(state, index, info);
  }
  for (const auto& [key, segment] : state.segments) {
    info.rows += segment->row_count;
    if (!info.min || segment->min < *info.min) info.min = segment->min;
    if (!info.max || *info.max < segment->max) info.max = segment->max;
  }
  info.segments = state.segments.size();
  if (state.calendar && !state.calendar->empty()) info.calendar = state.calendar;
  return info;
}

}  // namespace marigram::table
