#include "log/action_codec.h"

#include "base/try.h"
#include "log/commit_codec.h"
#include "log/level_codec.h"
#include "log/meta_codec.h"
#include "log/retention_codec.h"
#include "log/storage_codec.h"
#include "log/tombstone_codec.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace marigram::log {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kAddSegment = "AddSegment";
constexpr std::string_view kRemoveSegment = "RemoveSegment";
constexpr std::string_view kUpdateTableMeta = "UpdateTableMeta";
constexpr std::string_view kUpdateTableCoverage = "UpdateTableCoverage";

/// In the order of Duplicates.
constexpr std::string_view kDuplicates[] = {"reject", "last", "all"};

// ---- out ----

/// {"type":"utf8"|"int32"|"int64"|"uint64","value":...}
Json tag_out(const TagValue& value) {
  constexpr const char* kTypes[] = {"utf8", "int32", "int64", "uint64"};
  Json out;
  out["type"] = kTypes[value.index()];
  std::visit([&](const auto& held) { out["value"] = held; }, value);
  return out;
}

/// "NotApplicable" | "Mixed" | {"Single":[TAG...]}
Json layout_out(const model::SegmentLayout& layout) {
  if (std::holds_alternative<model::NoSeries>(layout)) return "NotApplicable";
  if (std::holds_alternative<model::MixedSeries>(layout)) return "Mixed";
  Json out;
  Json& tags = out["Single"] = Json::array();
  for (const TagValue& value : std::get<SeriesKey>(layout)) tags.push_back(tag_out(value));
  return out;
}

Json segment_out(Dialect dialect, const model::SegmentMeta& segment) {
  Json out;
  if (dialect == Dialect::kV1) out["segment_id"] = segment.id;
  out["path"] = segment.path;
  out["format"] = format_name(segment.format);
  if (dialect == Dialect::kV1) {
    out["ts_min"] = format_index_value(segment.min);
    out["ts_max"] = format_index_value(segment.max);
  } else {
    out["entity_layout"] = layout_out(segment.layout);
    out["index_min"] = value_out(segment.min);
    out["index_max"] = value_out(segment.max);
  }
  out["row_count"] = segment.row_count;
  if (segment.file_size) out["file_size"] = *segment.file_size;
  if (segment.coverage_path) out["coverage_path"] = *segment.coverage_path;
  if (segment.rank != model::SegmentRank{}) {  // of a checkpoint: a commit's segments have none yet
    out["rank"] = segment.rank.rank;
    out["place"] = segment.rank.place;
  }
  return out;
}

Json coverage_out(Dialect dialect, const UpdateTableCoverage& coverage) {
  Json out;
  if (dialect == Dialect::kV1) {
    out["bucket_spec"] = bucket_out(std::get<model::TimestampIndex>(coverage.index_kind).bucket);
  } else {
    out["index_kind"] = kind_out(coverage.index_kind);
  }
  out["coverage_path"] = coverage.coverage_path;
  return out;
}

// ---- in ----

Result<TagValue> tag_in(json::Element element) {
  std::array slots{json::Slot{"type"}, json::Slot{"value"}};
  MARIGRAM_TRY(json::read_members(element, "a tag value", slots, json::Unknown::kRefuse));
  MARIGRAM_ASSIGN(const auto type, json::text(slots[0]));
  if (type == "utf8") {
    MARIGRAM_ASSIGN(const auto value, json::text(slots[1]));
    return TagValue(std::string(value));
  }
  if (type == "int32") return json::i32(slots[1]);
  if (type == "int64") return json::i64(slots[1]);
  if (type == "uint64") return json::u64(slots[1]);
  return json::bad(fmt::format("a tag value is of no known type; got \"{}\", want utf8, int32, int64 or uint64", type));
}

Result<model::SegmentLayout> layout_in(const json::Slot& slot) {
  MARIGRAM_ASSIGN(const auto element, json::any(slot));
  std::string_view name;
  if (element.get(name) == simdjson::SUCCESS) {
    if (name == "NotApplicable") return model::NoSeries{};
    if (name == "Mixed") return model::MixedSeries{};
  }
  const auto member = json::only_member(element);
  if (!member || member->name != "Single") {
    return json::bad(fmt::format("member \"{}\" is wrong; got {}, want NotApplicable, Mixed or Single", slot.name,
                                 json::show(element)));
  }
  MARIGRAM_ASSIGN(const auto tags, json::array(*member));
  SeriesKey series;
  for (const json::Element tag : tags) {
    MARIGRAM_ASSIGN(TagValue value, tag_in(tag));
    series.push_back(std::move(value));
  }
  if (series.empty()) return json::bad("member \"Single\" names no tag value");
  return series;
}

Result<DecodedAction> remove_in(json::Element element) {
  std::array slots{json::Slot{"path"}, json::Slot{"segment_id"}};
  MARIGRAM_TRY(json::read_members(element, "it", slots));
  if (!slots[0].value && slots[1].value) {
    MARIGRAM_ASSIGN(const auto id, json::text(slots[1]));
    return DecodedAction{RemoveSegment{std::string(id)}, Dialect::kV1};
  }
  MARIGRAM_ASSIGN(std::string path, path_in(slots[0]));
  return DecodedAction{RemoveSegment{std::move(path)}, Dialect::kV7};
}

Result<DecodedAction> coverage_in(json::Element element) {
  std::array slots{json::Slot{"index_kind"}, json::Slot{"coverage_path"}, json::Slot{"bucket_spec"}};
  MARIGRAM_TRY(json::read_members(element, "it", slots));
  UpdateTableCoverage coverage;
  MARIGRAM_ASSIGN(coverage.coverage_path, path_in(slots[1]));
  if (!slots[0].value && slots[2].value) {
    model::TimestampIndex time;
    MARIGRAM_ASSIGN(time.bucket, bucket_in(slots[2]));
    coverage.index_kind = std::move(time);
    return DecodedAction{std::move(coverage), Dialect::kV1};
  }
  MARIGRAM_ASSIGN(coverage.index_kind, kind_in(slots[0]));
  return DecodedAction{std::move(coverage), Dialect::kV7};
}

Result<DecodedAction> meta_action_in(json::Element element) {
  MARIGRAM_ASSIGN(model::TableMeta meta, meta_in(element));
  const Dialect dialect = meta.dialect;
  return DecodedAction{UpdateTableMeta{std::move(meta)}, dialect};
}

Result<DecodedAction> add_in(json::Element element) {
  AddSegment add;
  MARIGRAM_ASSIGN(const Dialect dialect, segment_in(element, add.segment));
  return DecodedAction{std::move(add), dialect};
}

Result<Duplicates> duplicates_in(const json::Slot& slot) {
  MARIGRAM_ASSIGN(const auto text, json::optional_text(slot));
  if (!text) return Duplicates::kReject;
  const auto* found = std::ranges::find(kDuplicates, *text);
  if (found != std::end(kDuplicates)) return static_cast<Duplicates>(found - std::begin(kDuplicates));
  return json::bad(fmt::format("member \"{}\" is no known policy; got \"{}\", want {}", slot.name, *text,
                               fmt::join(kDuplicates, ", ")));
}

/// {"log":HEX32,"lsn":u64}
Result<std::optional<WalMark>> wal_in(const json::Slot& slot) {
  if (!json::given(slot)) return std::nullopt;
  std::array slots{json::Slot{"log"}, json::Slot{"lsn"}};
  MARIGRAM_TRY(json::read_members(*slot.value, "the mark of the write-ahead log", slots));
  WalMark mark;
  MARIGRAM_ASSIGN(mark.log, json::text(slots[0]));
  MARIGRAM_ASSIGN(mark.lsn, json::u64(slots[1]));
  if (mark.log.size() == 32 && mark.log.find_first_not_of("0123456789abcdef") == std::string::npos) return mark;
  return json::bad(fmt::format("a write-ahead log is named \"{}\"; want 32 hex digits", mark.log));
}

Result<DecodedAction> known_action_in(std::string_view name, json::Element value, json::Element whole) {
  if (name == kAddSegment) return add_in(value);
  if (name == kRemoveSegment) return remove_in(value);
  if (name == kUpdateTableMeta) return meta_action_in(value);
  if (name == kUpdateTableCoverage) return coverage_in(value);
  return DecodedAction{UnknownAction{simdjson::minify(whole)}, std::nullopt};
}

}  // namespace

Result<Dialect> segment_in(json::Element element, model::SegmentMeta& segment) {
  enum : std::size_t {
    kPath,
    kFormat,
    kLayout,
    kMin,
    kMax,
    kRows,
    kSize,
    kCoverage,
    kId,
    kTsMin,
    kTsMax,
    kRank,
    kPlace
  };
  // v7 members in their order, those of v1 alone, those of checkpoints alone.
  std::array slots{json::Slot{"path"},      json::Slot{"format"},        json::Slot{"entity_layout"},
                   json::Slot{"index_min"}, json::Slot{"index_max"},     json::Slot{"row_count"},
                   json::Slot{"file_size"}, json::Slot{"coverage_path"}, json::Slot{"segment_id"},
                   json::Slot{"ts_min"},    json::Slot{"ts_max"},        json::Slot{"rank"},
                   json::Slot{"place"}};
  MARIGRAM_TRY(json::read_members(element, "it", slots));
  const Dialect dialect = slots[kId].value && !slots[kMin].value ? Dialect::kV1 : Dialect::kV7;
  MARIGRAM_ASSIGN(segment.path, path_in(slots[kPath]));
  MARIGRAM_ASSIGN(segment.format, format_in(slots[kFormat]));
  if (dialect == Dialect::kV1) {
    MARIGRAM_ASSIGN(segment.id, json::text(slots[kId]));
    if (segment.id.empty()) return json::bad("member \"segment_id\" is empty");
    MARIGRAM_ASSIGN(segment.min, json::instant(slots[kTsMin]));
    MARIGRAM_ASSIGN(segment.max, json::instant(slots[kTsMax]));
  } else {
    MARIGRAM_ASSIGN(segment.layout, layout_in(slots[kLayout]));
    MARIGRAM_ASSIGN(segment.min, value_in(slots[kMin]));
    MARIGRAM_ASSIGN(segment.max, value_in(slots[kMax]));
  }
  MARIGRAM_ASSIGN(segment.row_count, json::u64(slots[kRows]));
  MARIGRAM_ASSIGN(segment.file_size, json::optional_u64(slots[kSize]));
  if (json::given(slots[kCoverage])) {
    MARIGRAM_ASSIGN(segment.coverage_path, path_in(slots[kCoverage]));
  }
  if (slots[kRank].value) {
    MARIGRAM_ASSIGN(segment.rank.rank, json::u64(slots[kRank]));
    MARIGRAM_ASSIGN(segment.rank.place, json::u64(slots[kPlace]));
  }
  return dialect;
}

Result<DecodedAction> action_in(json::Element element) {
  std::string_view name;
  if (element.get(name) == simdjson::SUCCESS) return known_action_in(name, element, element);
  const auto member = json::only_member(element);
  if (!member)
    return json::bad(fmt::format("an action is wrong; got {}, want an object of one member", json::show(element)));
  auto decoded = known_action_in(member->name, *member->value, element);
  if (!decoded) decoded.error().message = fmt::format("{}: {}", member->name, decoded.error().message);
  return decoded;
}

Result<Extension> extension_in(json::Element element) {
  std::array slots{json::Slot{"transaction_id"},
                   json::Slot{"operation"},
                   json::Slot{"partition"},
                   json::Slot{"calendar"},
                   json::Slot{"declared_types"},
                   json::Slot{"duplicates"},
                   json::Slot{"wal"},
                   json::Slot{"rank"},
                   json::Slot{"segments"},
                   json::Slot{"compression"},
                   json::Slot{"tombstones"},
                   json::Slot{"dissolved"},
                   json::Slot{"rollups"},
                   json::Slot{"levels"},
                   json::Slot{"keeps_rollups"},
                   json::Slot{"retention"},
                   json::Slot{"oldest"},
                   json::Slot{"ranks"},
                   json::Slot{"tiers"},
                   json::Slot{"version_names"}};
  MARIGRAM_TRY(json::read_members(element, "the extension", slots));
  Extension extension;
  MARIGRAM_ASSIGN(extension.transaction_id, json::text(slots[0]));
  MARIGRAM_ASSIGN(extension.operation, json::text(slots[1]));
  MARIGRAM_ASSIGN(extension.partition, json::optional_text(slots[2]));
  MARIGRAM_ASSIGN(extension.calendar, json::optional_text(slots[3]));
  MARIGRAM_ASSIGN(extension.declared_types, json::text_map(slots[4]));
  MARIGRAM_ASSIGN(extension.duplicates, duplicates_in(slots[5]));
  MARIGRAM_ASSIGN(extension.wal, wal_in(slots[6]));
  MARIGRAM_ASSIGN(extension.rank, json::optional_u64(slots[7]));
  if (json::given(slots[8])) {
    MARIGRAM_ASSIGN(extension.segments, format_in(slots[8]));
  }
  MARIGRAM_ASSIGN(extension.compression, json::optional_text(slots[9]));
  MARIGRAM_ASSIGN(extension.tombstones, tombstones_in(slots[10]));
  if (json::given(slots[11])) {
    MARIGRAM_ASSIGN(extension.dissolved, json::texts(slots[11]));
  }
  if (json::given(slots[12])) {
    MARIGRAM_ASSIGN(extension.rollups, rollups_in(*slots[12].value));
  }
  MARIGRAM_ASSIGN(extension.levels, levels_in(slots[13]));
  if (json::given(slots[14])) {
    MARIGRAM_ASSIGN(extension.keeps_rollups, json::boolean(slots[14]));
  }
  if (json::given(slots[15])) {
    MARIGRAM_ASSIGN(extension.retention, retention_in(slots[15]));
  }
  MARIGRAM_ASSIGN(extension.oldest, json::optional_u64(slots[16]));
  MARIGRAM_ASSIGN(extension.ranks, ranks_in(slots[17]));
  if (json::given(slots[18])) {
    MARIGRAM_ASSIGN(extension.tiers, tiers_in(*slots[18].value));
  }
  if (json::given(slots[19])) {
    MARIGRAM_ASSIGN(extension.version_names, version_names_in(*slots[19].value));
  }
  return extension;
}

Json action_out(Dialect dialect, const Action& action) {
  Json out;
  if (const auto* meta = std::get_if<UpdateTableMeta>(&action)) {
    assert(meta->meta.dialect == dialect);
    out[std::string(kUpdateTableMeta)] = meta_out(meta->meta);
  } else if (const auto* add = std::get_if<AddSegment>(&action)) {
    out[std::string(kAddSegment)] = segment_out(dialect, add->segment);
  } else if (const auto* remove = std::get_if<RemoveSegment>(&action)) {
    out[std::string(kRemoveSegment)][dialect == Dialect::kV1 ? "segment_id" : "path"] = remove->key;
  } else {
    out[std::string(kUpdateTableCoverage)] = coverage_out(dialect, std::get<UpdateTableCoverage>(action));
  }
  return out;
}

Result<std::string> dump(const Json& json) {
  try {
    return json.dump();
  } catch (const Json::exception& error) {
    return fail(ErrorCode::kInvalidInput,
                fmt::format("cannot write to the log: {}; names and options must be UTF-8", error.what()));
  }
}

Result<std::string> encode_action(Dialect dialect, const Action& action) {
  if (const auto* unknown = std::get_if<UnknownAction>(&action)) return unknown->json;
  return dump(action_out(dialect, action));
}

Result<Action> decode_action(std::string_view text) {
  json::Parser parser;
  MARIGRAM_ASSIGN(const json::Element element, parser.parse(text));
  MARIGRAM_ASSIGN(DecodedAction decoded, action_in(element));
  return std::move(decoded.action);
}

Result<std::string> encode_extension(const Extension& extension) {
  Json out;
  out["transaction_id"] = extension.transaction_id;
  out["operation"] = extension.operation;
  if (extension.partition) out["partition"] = *extension.partition;
  if (extension.calendar) out["calendar"] = *extension.calendar;
  if (!extension.declared_types.empty()) out["declared_types"] = extension.declared_types;
  if (extension.duplicates != Duplicates::kReject) {
    out["duplicates"] = kDuplicates[static_cast<std::size_t>(extension.duplicates)];
  }
  if (extension.segments) out["segments"] = format_name(*extension.segments);
  if (extension.compression) out["compression"] = *extension.compression;
  if (extension.wal) out["wal"] = Json{{"log", extension.wal->log}, {"lsn", extension.wal->lsn}};
  if (extension.rank) out["rank"] = *extension.rank;
  if (!extension.ranks.empty()) out["ranks"] = ranks_out(extension.ranks);
  if (!extension.tombstones.empty()) out["tombstones"] = tombstones_out(extension.tombstones);
  if (!extension.dissolved.empty()) out["dissolved"] = extension.dissolved;
  if (extension.rollups) out["rollups"] = rollups_out(*extension.rollups);
  if (!extension.levels.empty()) out["levels"] = levels_out(extension.levels);
  if (extension.retention) out["retention"] = retention_out(*extension.retention);
  if (extension.oldest) out["oldest"] = *extension.oldest;
  if (extension.tiers) out["tiers"] = tiers_out(*extension.tiers);
  if (extension.version_names) out["version_names"] = *extension.version_names;
  if (extension.keeps_rollups) out["keeps_rollups"] = true;
  return dump(out);
}

Result<Extension> decode_extension(std::string_view text) {
  json::Parser parser;
  MARIGRAM_ASSIGN(const json::Element element, parser.parse(text));
  return extension_in(element);
}

}  // namespace marigram::log
