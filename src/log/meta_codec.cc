#include "log/meta_codec.h"

#include "base/try.h"
#include "log/action.h"
#include "log/schema_codec.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace marigram::log {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kProtocolVersion = 7;
constexpr std::uint64_t kFormatVersion = 1;
constexpr std::string_view kSchemaMetadata = "schema_metadata";
constexpr std::string_view kReaderFeatures[] = {model::kGrowingFeature, "schema_add_columns", kSchemaMetadata,
                                                kDuplicatesFeature,     kNativeFeature,       kTombstonesFeature,
                                                kColdRootFeature};
constexpr std::string_view kWriterFeatures[] = {model::kGrowingFeature, kSchemaMetadata,    kDuplicatesFeature,
                                                kNativeFeature,         kTombstonesFeature, kColdRootFeature};

/// Of index values, in the order of IndexValue. The reference spells the unsigned one so, although it says "uint64" for
/// the index's own kind and for tag values.
constexpr std::string_view kValueTypes[] = {"timestamp", "int64", "u_int64"};

/// In the order of BucketWidth::Unit.
constexpr std::string_view kBucketNames[] = {"Seconds", "Minutes", "Hours", "Days"};

Json spec_out(const model::TableMeta& meta) {
  Json out;
  const model::IndexSpec& index = *meta.index;
  if (meta.dialect == Dialect::kV7) {
    out["column"] = index.column;
    out["entity_columns"] = index.tags;
    out["kind"] = kind_out(index.kind);
    return out;
  }
  const auto& time = std::get<model::TimestampIndex>(index.kind);
  out["timestamp_column"] = index.column;
  out["entity_columns"] = index.tags;
  out["bucket"] = bucket_out(time.bucket);
  if (time.timezone) out["timezone"] = *time.timezone;
  return out;
}

/// Columns in the order of their names, as the reference's sorted map has them.
Json identity_out(const model::IndexSpec& index, const SeriesKey& series) {
  assert(series.size() == index.tags.size());
  std::map<std::string, std::string> identity;
  for (std::size_t i = 0; i < series.size(); ++i) identity[index.tags[i]] = format_tag_value(series[i]);
  return Json(identity);
}

Result<std::vector<std::string>> tags_in(const json::Slot& slot) {
  std::vector<std::string> tags;
  if (!slot.value) return tags;
  MARIGRAM_ASSIGN(const auto names, json::array(slot));
  for (const json::Element name : names) {
    MARIGRAM_ASSIGN(const auto tag, json::text({.name = slot.name, .value = name}));
    tags.emplace_back(tag);
  }
  return tags;
}

Result<model::IndexSpec> spec_v7_in(json::Element element) {
  std::array slots{json::Slot{"column"}, json::Slot{"entity_columns"}, json::Slot{"kind"}};
  MARIGRAM_TRY(json::read_members(element, "the index", slots, json::Unknown::kRefuse));
  model::IndexSpec index;
  MARIGRAM_ASSIGN(index.column, json::text(slots[0]));
  MARIGRAM_ASSIGN(index.tags, tags_in(slots[1]));
  MARIGRAM_ASSIGN(index.kind, kind_in(slots[2]));
  return index;
}

Result<model::IndexSpec> spec_v1_in(json::Element element) {
  std::array slots{json::Slot{"timestamp_column"}, json::Slot{"entity_columns"}, json::Slot{"bucket"},
                   json::Slot{"timezone"}};
  MARIGRAM_TRY(json::read_members(element, "the index", slots));
  model::IndexSpec index;
  model::TimestampIndex time;
  MARIGRAM_ASSIGN(index.column, json::text(slots[0]));
  MARIGRAM_ASSIGN(index.tags, tags_in(slots[1]));
  MARIGRAM_ASSIGN(time.bucket, bucket_in(slots[2]));
  MARIGRAM_ASSIGN(time.timezone, json::optional_text(slots[3]));
  index.kind = std::move(time);
  return index;
}

/// Unset for kind "Generic".
Result<std::optional<model::IndexSpec>> table_kind_in(Dialect dialect, const json::Slot& slot) {
  MARIGRAM_ASSIGN(const auto element, json::any(slot));
  std::string_view name;
  if (element.get(name) == simdjson::SUCCESS && name == "Generic") return std::nullopt;
  const auto member = json::only_member(element);
  if (!member || member->name != "TimeSeries") {
    return json::bad(
        fmt::format("the table's kind is not known; got {}, want TimeSeries or Generic", json::show(element)));
  }
  MARIGRAM_ASSIGN(model::IndexSpec index,
                  dialect == Dialect::kV7 ? spec_v7_in(*member->value) : spec_v1_in(*member->value));
  if (auto valid = model::validate_index(index); !valid) return json::bad(std::move(valid).error().message);
  return index;
}

Result<std::optional<SeriesKey>> identity_in(const json::Slot& slot, const std::optional<model::IndexSpec>& index) {
  if (!json::given(slot)) return std::nullopt;
  MARIGRAM_ASSIGN(const auto identity, json::text_map(slot));
  SeriesKey series;
  if (index) {
    for (const std::string& tag : index->tags) {
      const auto found = identity.find(tag);
      if (found != identity.end()) series.emplace_back(found->second);
    }
  }
  if (!index || series.size() != index->tags.size() || series.size() != identity.size()) {
    return json::bad(fmt::format("member \"entity_identity\" names other columns than \"entity_columns\"; got {}",
                                 json::show(*slot.value)));
  }
  return series;
}

bool is_feature_name(std::string_view name) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && lower(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '_'; });
}

Result<std::set<std::string>> features_in(const json::Slot& slot) {
  MARIGRAM_ASSIGN(const auto items, json::array(slot));
  std::set<std::string> features;
  for (const json::Element item : items) {
    MARIGRAM_ASSIGN(const auto name, json::text({.name = slot.name, .value = item}));
    if (!is_feature_name(name)) {
      return json::bad(
          fmt::format("member \"{}\" has a malformed name; got \"{}\", want [a-z][a-z0-9_]*", slot.name, name));
    }
    if (!features.emplace(name).second) {
      return json::bad(fmt::format("member \"{}\" has \"{}\" twice", slot.name, name));
    }
  }
  return features;
}

std::vector<std::string> beyond(const std::set<std::string>& features, std::span<const std::string_view> known) {
  std::vector<std::string> unknown;
  for (const std::string& feature : features) {
    if (std::ranges::find(known, feature) == known.end()) unknown.push_back(feature);
  }
  return unknown;
}

std::unexpected<Error> needs_newer(std::string what) {
  return fail(ErrorCode::kInvalidInput, "the table needs a newer version of marigram: " + std::move(what));
}

Status check_version(const json::Slot& slot, std::uint64_t supported) {
  MARIGRAM_ASSIGN(const std::uint64_t version, json::u64(slot));
  if (version == supported) return {};
  return needs_newer(fmt::format("got {} {}, this one reads protocol_version {} and format_version {}", slot.name,
                                 version, kProtocolVersion, kFormatVersion));
}

/// Annotations need readers and writers that keep them, so the two features must say so.
Status check_annotations(const model::TableMeta& meta) {
  if (!meta.schema || !meta.schema->has_metadata()) return {};
  const std::string feature(kSchemaMetadata);
  if (meta.reader_features.contains(feature) && meta.writer_features.contains(feature)) return {};
  return json::bad(
      "the schema has metadata, but \"schema_metadata\" is not among the required reader and writer features");
}

/// Whether the path is canonical for reasons that are quick to check: opening a large table asks for tens of thousands.
bool is_plain_path(std::string_view path) {
  for (const char special : {'\\', ':', '\0'}) {
    if (path.find(special) != std::string_view::npos) return false;
  }
  for (std::size_t part = 0;;) {
    if (part == path.size() || path[part] == '.' || path[part] == '/') return false;
    const std::size_t slash = path.find('/', part);
    if (slash == std::string_view::npos) return true;
    part = slash + 1;
  }
}

}  // namespace

Result<std::string> path_in(const json::Slot& slot) {
  MARIGRAM_ASSIGN(const auto path, json::text(slot));
  if (is_plain_path(path) || model::is_canonical_path(path)) return std::string(path);
  return json::bad(fmt::format("member \"{}\" is no canonical relative path; got \"{}\"", slot.name, path));
}

Json bucket_out(BucketWidth width) {
  Json out;
  out[std::string(kBucketNames[static_cast<std::size_t>(width.unit)])] = width.count;
  return out;
}

Json kind_out(const model::IndexKind& kind) {
  Json out;
  out["type"] = model::index_kind_name(kind);
  if (const auto* time = std::get_if<model::TimestampIndex>(&kind)) {
    out["index_granularity"] = bucket_out(time->bucket);
    if (time->timezone) out["timezone"] = *time->timezone;
  } else if (const auto* i = std::get_if<model::Int64Index>(&kind)) {
    out["index_granularity"] = i->step;
  } else {
    out["index_granularity"] = std::get<model::UInt64Index>(kind).step;
  }
  return out;
}

Json value_out(const IndexValue& value) {
  Json out;
  out["type"] = kValueTypes[value.index()];
  if (const auto* time = std::get_if<Instant>(&value)) {
    out["value"] = format_rfc3339(*time);
  } else if (const auto* i = std::get_if<std::int64_t>(&value)) {
    out["value"] = *i;
  } else {
    out["value"] = std::get<std::uint64_t>(value);
  }
  return out;
}

Json meta_out(const model::TableMeta& meta) {
  Json out;
  if (meta.index) {
    out["kind"]["TimeSeries"] = spec_out(meta);
  } else {
    out["kind"] = "Generic";
  }
  out["logical_schema"] = meta.schema ? schema_out(*meta.schema) : Json();
  out["created_at"] = format_rfc3339(meta.created_at);
  if (meta.dialect == Dialect::kV1) {
    out["format_version"] = kFormatVersion;
    if (meta.index && meta.pinned_series) out["entity_identity"] = identity_out(*meta.index, *meta.pinned_series);
    return out;
  }
  out["protocol_version"] = kProtocolVersion;
  out["required_reader_features"] = meta.reader_features;
  out["required_writer_features"] = meta.writer_features;
  return out;
}

Result<BucketWidth> bucket_in(const json::Slot& slot) {
  MARIGRAM_ASSIGN(const auto element, json::any(slot));
  const auto member = json::only_member(element);
  const auto* name = member ? std::ranges::find(kBucketNames, member->name) : std::end(kBucketNames);
  std::uint64_t count = 0;
  if (name == std::end(kBucketNames) || member->value->get(count) != simdjson::SUCCESS || count == 0 ||
      count > std::numeric_limits<std::uint32_t>::max()) {
    return json::bad(
        fmt::format("member \"{}\" is no bucket; got {}, want {{UNIT:1..4294967295}} with Seconds, Minutes, "
                    "Hours or Days",
                    slot.name, json::show(element)));
  }
  BucketWidth width;
  width.count = static_cast<std::uint32_t>(count);
  width.unit = static_cast<BucketWidth::Unit>(name - std::begin(kBucketNames));
  return width;
}

Result<model::IndexKind> kind_in(const json::Slot& slot) {
  MARIGRAM_ASSIGN(const auto element, json::any(slot));
  std::array slots{json::Slot{"type"}, json::Slot{"index_granularity"}, json::Slot{"timezone"}};
  MARIGRAM_TRY(json::read_members(element, "the index kind", slots, json::Unknown::kRefuse));
  MARIGRAM_ASSIGN(const auto type, json::text(slots[0]));
  if (type == "timestamp") {
    model::TimestampIndex time;
    MARIGRAM_ASSIGN(time.bucket, bucket_in(slots[1]));
    MARIGRAM_ASSIGN(time.timezone, json::optional_text(slots[2]));
    return time;
  }
  if (type != "int64" && type != "uint64") {
    return json::bad(fmt::format("the index kind is not known; got \"{}\", want timestamp, int64 or uint64", type));
  }
  if (slots[2].value) return json::bad(fmt::format("an index of {} has a time zone", type));
  MARIGRAM_ASSIGN(const std::uint64_t step, json::u64(slots[1]));
  if (step == 0) return json::bad("the index has granularity 0, want at least 1");
  if (type == "int64") return model::Int64Index{step};
  return model::UInt64Index{step};
}

Result<IndexValue> value_in(const json::Slot& slot) {
  MARIGRAM_ASSIGN(const auto element, json::any(slot));
  std::array slots{json::Slot{"type"}, json::Slot{"value"}};
  MARIGRAM_TRY(json::read_members(element, slot.name, slots, json::Unknown::kRefuse));
  MARIGRAM_ASSIGN(const auto type, json::text(slots[0]));
  if (type == kValueTypes[0]) return json::instant(slots[1]);
  if (type == kValueTypes[1]) return json::i64(slots[1]);
  if (type == kValueTypes[2]) return json::u64(slots[1]);
  return json::bad(fmt::format("member \"{}\" is of no known type; got \"{}\", want {}", slot.name, type,
                               fmt::join(kValueTypes, ", ")));
}

Status check_protocol(json::Element meta) {
  std::array slots{json::Slot{"protocol_version"}, json::Slot{"required_reader_features"},
                   json::Slot{"required_writer_features"}, json::Slot{"format_version"}};
  MARIGRAM_TRY(json::read_members(meta, "the table's metadata", slots));
  if (!slots[0].value) {
    if (slots[3].value) return check_version(slots[3], kFormatVersion);
    return json::bad("the table's metadata has neither \"protocol_version\" nor \"format_version\"");
  }
  MARIGRAM_TRY(check_version(slots[0], kProtocolVersion));
  MARIGRAM_ASSIGN(const auto reader, features_in(slots[1]));
  MARIGRAM_TRY(features_in(slots[2]));
  if (const auto unknown = beyond(reader, kReaderFeatures); !unknown.empty()) {
    return needs_newer(fmt::format("it requires of readers {}; this one knows {}", fmt::join(unknown, ", "),
                                   fmt::join(kReaderFeatures, ", ")));
  }
  if (slots[3].value) return json::bad("the table's metadata has both \"protocol_version\" and \"format_version\"");
  return {};
}

std::vector<std::string> unknown_writer_features(const model::TableMeta& meta) {
  return beyond(meta.writer_features, kWriterFeatures);
}

Result<model::TableMeta> meta_in(json::Element element) {
  MARIGRAM_TRY(check_protocol(element));
  std::array slots{json::Slot{"kind"},
                   json::Slot{"logical_schema"},
                   json::Slot{"created_at"},
                   json::Slot{"protocol_version"},
                   json::Slot{"required_reader_features"},
                   json::Slot{"required_writer_features"},
                   json::Slot{"entity_identity"}};
  MARIGRAM_TRY(json::read_members(element, "the table's metadata", slots));
  model::TableMeta meta;
  meta.dialect = slots[3].value ? Dialect::kV7 : Dialect::kV1;
  MARIGRAM_ASSIGN(meta.index, table_kind_in(meta.dialect, slots[0]));
  if (json::given(slots[1])) {
    MARIGRAM_ASSIGN(meta.schema, schema_in(meta.dialect, *slots[1].value));
  }
  MARIGRAM_ASSIGN(meta.created_at, json::instant(slots[2]));
  if (meta.dialect == Dialect::kV1) {
    MARIGRAM_ASSIGN(meta.pinned_series, identity_in(slots[6], meta.index));
    return meta;
  }
  MARIGRAM_ASSIGN(meta.reader_features, features_in(slots[4]));
  MARIGRAM_ASSIGN(meta.writer_features, features_in(slots[5]));
  MARIGRAM_TRY(check_annotations(meta));
  return meta;
}

}  // namespace marigram::log
